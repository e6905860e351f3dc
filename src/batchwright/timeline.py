"""`Timeline`: the order of rows within each cell, by one column, as runs of equal value."""

from __future__ import annotations

import math
from functools import cached_property
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from batchwright.search import SortedValues, search

__all__ = ["Timeline"]


@attrs.frozen(eq=False, repr=False)
class Timeline:
    """Where in each cell the rows of each time stand.

    Within a cell the positions are sorted by time, rows without a time last, so all rows of one cell and
    one time are a *run*, and the rows of a window of time are one contiguous range.

    Parameters
    ----------
    column
        Name of the ordered column.
    times
        float64, int64 or datetime64, shape (T,), sorted, unique: the distinct values of the column.
    keys
        int64, shape (R,), sorted, unique: ``cell * (T + 1) + rank`` of each run, where the rank ``T``
        stands for a missing time.
    starts
        int64, shape (R + 1,): first position of each run, and the number of positions at the end.
    """

    column: str
    times: NDArray[Any]
    keys: NDArray[np.int64]
    starts: NDArray[np.int64]

    @property
    def radix(self) -> int:
        """By how much the keys of one cell lie above those of the cell before."""
        return int(self.times.size) + 1

    @cached_property
    def never_repeats(self) -> bool:
        """Whether each time stands in one run only, as it does where no two rows have the same."""
        # Every time has a run, so there are more of them only where a time has two, or one is missing from a cell.
        cells = np.arange(1, self.keys[-1] // self.radix + 2)
        last = self.keys[search(self.keys, cells * self.radix) - 1]
        missing = np.count_nonzero(last % self.radix == self.times.size)
        return bool(self.keys.size - missing == self.times.size)

    @cached_property
    def _sorted_times(self) -> SortedValues:
        return SortedValues(_as_numbers(self.times))

    @cached_property
    def _sorted_keys(self) -> SortedValues:
        return SortedValues(self.keys)

    @cached_property
    def _sorted_starts(self) -> SortedValues:
        return SortedValues(self.starts)

    def ranks_around(self, ranks: NDArray[np.int64], half_width: Any) -> NDArray[np.int64]:
        """Return the ranks of the times in ``[time - half_width, time + half_width]`` around each given time.

        Returns
        -------
        numpy.ndarray
            int64, shape (2, *ranks.shape): the half-open ranges, first ranks and the ranks behind the last.
        """
        low, high = _ends_around(_as_numbers(self.times)[ranks], _as_numbers(half_width).item())
        return np.stack([self._sorted_times.search(low), self._sorted_times.search(high, side="right")])

    def position(self, cells: NDArray[np.int64], ranks: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the first position in each cell whose time has at least the given rank; arguments broadcast."""
        return self.starts[self._sorted_keys.search(cells * self.radix + ranks)]

    def runs_between(self, starts: NDArray[np.int64], stops: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return which runs lie in some ranges of positions, none of which is empty or cuts a run.

        Returns
        -------
        numpy.ndarray
            int64, shape (2, *starts.shape): the half-open ranges, first runs and the runs behind the last.
        """
        if self.keys.size == self.starts[-1]:  # Each run is a single row.
            return np.stack([starts, stops])
        first = self._sorted_starts.search(starts, side="right") - 1
        return np.stack([first, self._sorted_starts.search(stops)])


def _as_numbers(values: Any) -> NDArray[Any]:
    """Return dates and durations as whole nanoseconds, and numbers as they are."""
    array = np.asarray(values)
    return array.view(np.int64) if array.dtype.kind in "mM" else array


def _ends_around(times: NDArray[Any], half_width: float) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return ``times - half_width`` and ``times + half_width``, rounded outwards by what decimals lack in binary.

    0.8 - 0.1 is a little more than 0.7, which is meant to be included.

    Parameters
    ----------
    times
        float64 or int64, of any shape.
    half_width
        Not negative.

    Returns
    -------
    low, high
        Of the type of the times; where that ends before a window does, its last number.
    """
    if times.dtype.kind == "f":
        reach = half_width + 4 * np.spacing(np.maximum(np.abs(times), half_width))
        with np.errstate(over="ignore"):
            return times - reach, times + reach
    # Floats cannot tell large integers apart, and integers wrap around; counts from the least one do not.
    whole = half_width if half_width == int(half_width) else math.floor(half_width + 4 * math.ulp(half_width))
    reach, least = np.uint64(min(int(whole), 2**64 - 1)), np.uint64(2**63)
    counts = times.view(np.uint64) ^ least
    low, high = np.maximum(counts, reach) - reach, np.minimum(counts, ~reach) + reach
    return (low ^ least).view(np.int64), (high ^ least).view(np.int64)
