"""The rows of each cell sorted by time."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from batchwright.ordering import first_of_runs
from batchwright.timeline import Timeline
from batchwright.times import is_missing, rank_times

__all__ = ["sort_by_time"]

Integers = NDArray[np.int64]


def sort_by_time(column: str, order: NDArray[Any], times: NDArray[Any], offsets: Integers) -> Timeline:
    """Sort the rows of each cell by time, in place and stably, those without a time last.

    Parameters
    ----------
    column
        Name of the ordered column.
    order
        The row at each position.
    times
        The time at each position.
    offsets
        int64, shape (M + 1,): first position of each cell, and N at the end.
    """
    starts, cells = [], []
    for cell, (start, stop) in enumerate(zip(offsets[:-1].tolist(), offsets[1:].tolist(), strict=True)):
        values = times[start:stop]
        if not (values[1:] >= values[:-1]).all():
            within = np.argsort(values, kind="stable")
            order[start:stop] = order[start:stop][within]
            values[:] = values[within]
        first = _first_of_times(values)
        starts.append(first + start)
        cells.append(np.full(first.size, cell, dtype=np.int64))
    begins = np.concatenate(starts)
    distinct, ranks = rank_times(times[begins])
    keys = np.concatenate(cells) * (distinct.size + 1) + ranks
    return Timeline(column, distinct, keys, np.append(begins, order.size))


def _first_of_times(values: NDArray[Any]) -> Integers:
    """Return where each run of equal times begins; all that are missing, which stand last, are one run."""
    known = values.size - int(np.count_nonzero(is_missing(values)))
    return first_of_runs(values[: known + 1])
