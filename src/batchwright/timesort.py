"""`TimeSorter`: rows sorted by cell and time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from batchwright.encoding import Cells
from batchwright.ordering import fill_order, place_rows, stable_argsort
from batchwright.ragged import bounds_of
from batchwright.spill import Spill, new_array
from batchwright.timecount import TimeCounter
from batchwright.timeline import Timeline
from batchwright.timelines import timeline_of
from batchwright.times import TimeReader, is_missing

__all__ = ["TimeSorter"]

Integers = NDArray[np.int64]

_ROWS_AT_A_TIME = 1 << 20


class TimeSorter:
    """Sorts rows by cell and time; they come in some at a time.

    Parameters
    ----------
    column
        Name of the ordered column.
    folder
        Where to put by what grows with the rows; by default it stays in memory.
    """

    def __init__(self, column: str, folder: Path | None = None) -> None:
        self.column, self._folder = column, folder
        self._reader = TimeReader(column)
        # Numbers of times are put by instead of times, as long as times repeat.
        self._counter: TimeCounter | None = TimeCounter()
        self._numbers, self._times = (Spill(folder and folder / f"{name}.spill") for name in ("numbers", "times"))

    def add(self, ids: NDArray[Any], series: pd.Series[Any]) -> None:
        """Take in the numbers of the cells of some rows, and their times."""
        times = self._reader.read(series)
        numbers = None if self._counter is None else self._counter.encode(ids, times, self._reader.dtype)
        if numbers is not None:
            self._numbers.append(numbers)
            return
        if self._counter is not None:
            for lot in self._numbers.drain():
                self._times.append(self._counter.decode(lot))
            self._counter = None
        # The memory may be a chunk's, which may be filled anew, and would hold on to the other columns.
        self._times.append(times.copy())

    def sort(self, order: NDArray[Any], ids: Iterator[NDArray[Any]], cells: Cells) -> Timeline:
        """Write the rows into an array, sorted by cell and time, stably; those without a time last in their cell.

        Parameters
        ----------
        order
            Integers, shape (N,): to be filled.
        ids
            The numbers of the cells of all rows, as they came.
        cells
            The places of these cells.
        """
        if self._counter is None:
            return self._sort_values(order, ids, cells)
        runs, times, counts = self._counter.finish(cells.rank)
        lots = (runs[lot, numbers] for lot, numbers in zip(ids, self._numbers.drain(), strict=True))
        fill_order(order, lots, counts)
        return timeline_of(self.column, cells.offsets, times, bounds_of(counts))

    def _sort_values(self, order: NDArray[Any], ids: Iterator[NDArray[Any]], cells: Cells) -> Timeline:
        # Under the name that they are kept by, if each has a row of its own.
        times = new_array(self._folder, "times", self._reader.dtype, order.size)
        placed = place_rows(cells.places(ids), np.diff(cells.offsets))
        start = 0
        for (rows, positions), values in zip(placed, self._times.drain(self._reader.dtype), strict=True):
            order[positions] = rows
            times[positions] = values[rows - start]
            start += values.size
        begins = [_sort_lot(order, times, cells.offsets, *lot) for lot in _lots_of_cells(cells.offsets)]
        if all(isinstance(positions, slice) for positions in begins):
            return timeline_of(self.column, cells.offsets, times, None)
        starts = np.r_[(*begins, order.size)]
        times = times[starts[:-1]]
        # The most is held where `timeline_of` ranks times that repeat.
        del begins
        return timeline_of(self.column, cells.offsets, times, starts)


def _sort_lot(order: NDArray[Any], times: NDArray[Any], offsets: Integers, first: int, behind: int) -> Integers | slice:
    """Sort the rows of some cells by time, in place, and return the positions at which a time of a cell begins.

    `order` and `times` are the row and the time at each position. A slice stands for all positions of the cells.
    """
    start, stop = offsets[first], offsets[behind]
    values = times[start:stop]
    cell = np.repeat(np.arange(first, behind), np.diff(offsets[first : behind + 1]))
    same = cell[1:] == cell[:-1]
    if not ((values[1:] >= values[:-1]) | ~same).all():
        sorting = _argsort(values)
        sorting = sorting[stable_argsort(cell[sorting] - first)]
        order[start:stop] = order[start:stop][sorting]
        values[:] = values[sorting]
    # All that are missing, which stand last in their cell, are one run.
    missing = is_missing(values)
    again = same & ((values[1:] == values[:-1]) | (missing[1:] & missing[:-1]))
    if not again.any():
        return slice(start, stop)
    begins: Integers = np.flatnonzero(np.append(True, ~again)) + start
    return begins


def _argsort(times: NDArray[Any]) -> Integers:
    """Return the stable sorting order of at least two times."""
    # Where no two are equal there is only one order, and NumPy finds it three times as fast when it may return any.
    ordered = np.sort(times)
    differ = (ordered[1:] != ordered[:-1]).all() and not is_missing(ordered[-2:]).all()
    return np.argsort(times, kind=None if differ else "stable")


def _lots_of_cells(offsets: Integers) -> Iterator[tuple[int, int]]:
    """Yield ranges of cells that have so many rows together, or a single one that has more."""
    first = 0
    while first < offsets.size - 1:
        behind = int(np.searchsorted(offsets, offsets[first] + _ROWS_AT_A_TIME, side="right")) - 1
        first, last = max(behind, first + 1), first
        yield last, first
