"""The rows of each cell sorted by time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from batchwright.timeline import Timeline
from batchwright.times import is_missing, rank_times

__all__ = ["sort_by_time"]

Integers = NDArray[np.int64]

_ROWS_AT_A_TIME = 1 << 20


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
    for first, behind in _lots_of_cells(offsets):
        start, stop = offsets[first], offsets[behind]
        values = times[start:stop]
        cell = np.repeat(np.arange(first, behind), np.diff(offsets[first : behind + 1]))
        same = cell[1:] == cell[:-1]
        if not ((values[1:] >= values[:-1]) | ~same).all():
            sorting = np.lexsort([values, cell])
            order[start:stop] = order[start:stop][sorting]
            values[:] = values[sorting]
        # All that are missing, which stand last in their cell, are one run.
        missing = is_missing(values)
        again = same & ((values[1:] == values[:-1]) | (missing[1:] & missing[:-1]))
        begins = np.flatnonzero(np.append(True, ~again))
        starts.append(begins + start)
        cells.append(cell[begins])
    begins = np.concatenate(starts)
    distinct, ranks = rank_times(times[begins])
    keys = np.concatenate(cells) * (distinct.size + 1) + ranks
    return Timeline(column, distinct, keys, np.append(begins, order.size))


def _lots_of_cells(offsets: Integers) -> Iterator[tuple[int, int]]:
    """Yield ranges of cells that have so many rows together, or a single one that has more."""
    first = 0
    while first < offsets.size - 1:
        behind = int(np.searchsorted(offsets, offsets[first] + _ROWS_AT_A_TIME, side="right")) - 1
        first, last = max(behind, first + 1), first
        yield last, first
