"""`Timeline`: the order of rows within each cell, by one column, as runs of equal value."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from functools import cached_property
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from batchwright.signposts import SortedValues

__all__ = ["Timeline", "as_numbers", "ends_around"]

Integers = NDArray[np.int64]


@attrs.frozen(eq=False, repr=False)
class Timeline(ABC):
    """Where in each cell the rows of each time stand.

    Within a cell the positions are sorted by time, rows without a time last, so all rows of one cell and
    one time are a *run*, and the rows of a window of time are one contiguous range.

    Parameters
    ----------
    column
        Name of the ordered column.
    times
        float64, int64 or datetime64: as the kind of timeline keeps them.
    starts
        int64, shape (R + 1,): first position of each run, and the number of positions at the end. None where every
        run is a single row.
    """

    column: str
    times: NDArray[Any]
    starts: Integers | None

    @cached_property
    def _sorted_starts(self) -> SortedValues | None:
        return None if self.starts is None else SortedValues(self.starts)

    @property
    @abstractmethod
    def has_times(self) -> bool:
        """Whether any row has a time."""

    @abstractmethod
    def times_of_runs(self) -> NDArray[Any]:
        """Return the time of each run, NaN or NaT where it is missing: shape (R,)."""

    @abstractmethod
    def is_missing(self, runs: Integers) -> NDArray[np.bool_]:
        """Tell which of some runs are without a time."""

    @abstractmethod
    def window(self, numbers: Integers, half_width: Any) -> NDArray[Any]:
        """Return the ends of ``[time - half_width, time + half_width]`` around some times, as `positions` takes them.

        Parameters
        ----------
        numbers
            int64, shape (n,): which times; the kind of timeline says how it numbers them.
        half_width
            A number, not negative, or for dates a timedelta64 in nanoseconds.

        Returns
        -------
        numpy.ndarray
            Shape (2, n).
        """

    @abstractmethod
    def positions(self, cells: Integers, windows: NDArray[Any]) -> Integers:
        """Return in each cell the first position in its window, and the one behind the last: int64, shape (2, n)."""

    def times_of_positions(self) -> NDArray[Any]:
        """Return the time at each position, NaN or NaT where it is missing: shape (N,)."""
        times = self.times_of_runs()
        return times if self.starts is None else np.repeat(times, np.diff(self.starts))

    def runs_between(self, starts: Integers, stops: Integers) -> tuple[Integers, Integers]:
        """Return which runs lie in some ranges of positions, none of which is empty or cuts a run.

        Returns
        -------
        first, behind
            int64, in the shape of `starts`: the first runs, and the runs behind the last.
        """
        if self._sorted_starts is None:
            return starts, stops
        return self._sorted_starts.search(starts, side="right") - 1, self._sorted_starts.search(stops)

    def begins(self, runs: Integers) -> Integers:
        """Return the first position of some runs."""
        return runs if self.starts is None else self.starts[runs]


def as_numbers(values: Any) -> NDArray[Any]:
    """Return dates and durations as whole nanoseconds, and numbers as they are."""
    array = np.asarray(values)
    return array.view(np.int64) if array.dtype.kind in "mM" else array


def ends_around(times: NDArray[Any], half_width: float) -> tuple[NDArray[Any], NDArray[Any]]:
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
        with np.errstate(over="ignore"):
            reach = half_width + 4 * np.spacing(np.maximum(np.abs(times), half_width))
            return times - reach, times + reach
    # Floats cannot tell large integers apart, and integers wrap around; counts from the least one do not.
    whole = half_width if half_width == int(half_width) else math.floor(half_width + 4 * math.ulp(half_width))
    reach, least = np.uint64(min(int(whole), 2**64 - 1)), np.uint64(2**63)
    counts = times.view(np.uint64) ^ least
    low, high = np.maximum(counts, reach) - reach, np.minimum(counts, ~reach) + reach
    return (low ^ least).view(np.int64), (high ^ least).view(np.int64)
