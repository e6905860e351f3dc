"""The two kinds of timeline: of times that several runs share, and of times that each have a run of their own."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from itertools import pairwise
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from batchwright.signposts import SortedLists, SortedValues
from batchwright.timeline import Timeline, as_numbers, ends_around
from batchwright.times import is_missing as times_missing
from batchwright.times import rank_times

__all__ = ["OwnTimes", "SharedTimes", "timeline_of"]

Integers = NDArray[np.int64]

# Whether times repeat is found out of so many of them at a time, or in so many parts.
_TIMES_AT_ONCE = 1 << 22
_PARTS_AT_MOST = 16
# Where they do, it mostly shows in so many.
_TIMES_TO_TRY = 1 << 12


@attrs.frozen(eq=False, repr=False)
class SharedTimes(Timeline):
    """Times of which some stand in several runs: runs are sorted by cell and the rank of their time.

    Parameters
    ----------
    column, starts
        As of any `Timeline`.
    times
        Shape (T,), sorted, unique: the distinct values of the column.
    keys
        int64, shape (R,), sorted, unique: ``cell * (T + 1) + rank`` of each run, where the rank ``T``
        stands for a missing time.
    """

    keys: Integers

    @property
    def radix(self) -> int:
        """By how much the keys of one cell lie above those of the cell before."""
        return int(self.times.size) + 1

    @property
    def has_times(self) -> bool:
        """Whether any row has a time."""
        return self.times.size > 0

    @cached_property
    def _sorted_times(self) -> SortedValues:
        return SortedValues(as_numbers(self.times))

    @cached_property
    def _sorted_keys(self) -> SortedValues:
        return SortedValues(self.keys)

    def ranks(self, runs: Integers) -> Integers:
        """Return the ranks of the times of some runs among all times; a missing one has the rank behind the last."""
        ranks: Integers = self.keys[runs] % self.radix
        return ranks

    def times_of_runs(self) -> NDArray[Any]:
        """Return the time of each run, NaN or NaT where it is missing: shape (R,)."""
        # Of integers none is missing.
        missing = np.array([0 if self.times.dtype.kind == "i" else np.nan]).astype(self.times.dtype)
        times: NDArray[Any] = np.append(self.times, missing)[self.keys % self.radix]
        return times

    def is_missing(self, runs: Integers) -> NDArray[np.bool_]:
        """Tell which of some runs are without a time."""
        missing: NDArray[np.bool_] = self.ranks(runs) == self.times.size
        return missing

    def window(self, numbers: Integers, half_width: Any) -> NDArray[Any]:
        """Return the half-open range of ranks of the times in each window; times are numbered by rank."""
        low, high = ends_around(as_numbers(self.times)[numbers], as_numbers(half_width).item())
        return np.stack([self._sorted_times.search(low), self._sorted_times.search(high, side="right")])

    def positions(self, cells: Integers, windows: NDArray[Any]) -> Integers:
        """Return in each cell the first position in its window, and the one behind the last: int64, shape (2, n)."""
        return self.begins(self._sorted_keys.search(cells * self.radix + windows))


@attrs.frozen(eq=False, repr=False)
class OwnTimes(Timeline):
    """Times that each stand in a single run, as they do where no two rows have the same.

    Parameters
    ----------
    column, starts
        As of any `Timeline`.
    times
        Shape (R,): the time of each run.
    offsets
        int64, shape (M + 1,): first position of each cell, and the number of positions at the end.
    """

    offsets: Integers

    @property
    def has_times(self) -> bool:
        """Whether any row has a time."""
        # Those that are missing stand last in their cells.
        first, _ = self.runs_between(self.offsets[:-1], self.offsets[1:])
        return not self.is_missing(first).all()

    @cached_property
    def _of_cells(self) -> SortedLists:
        first, behind = self.runs_between(self.offsets[:-1], self.offsets[1:])
        return SortedLists(as_numbers(self.times), first, behind - self.is_missing(behind - 1))

    def times_of_runs(self) -> NDArray[Any]:
        """Return the time of each run, NaN or NaT where it is missing: shape (R,)."""
        return self.times

    def is_missing(self, runs: Integers) -> NDArray[np.bool_]:
        """Tell which of some runs are without a time."""
        return times_missing(self.times[runs])

    def window(self, numbers: Integers, half_width: Any) -> NDArray[Any]:
        """Return the first and the last time of each window; times are numbered by run."""
        return np.stack(ends_around(as_numbers(self.times)[numbers], as_numbers(half_width).item()))

    def positions(self, cells: Integers, windows: NDArray[Any]) -> Integers:
        """Return in each cell the first position in its window, and the one behind the last: int64, shape (2, n)."""
        low, high = windows
        runs = [self._of_cells.search(cells, low), self._of_cells.search(cells, high, side="right")]
        return self.begins(np.stack(runs))


def timeline_of(column: str, offsets: Integers, times: NDArray[Any], starts: Integers | None) -> Timeline:
    """Return the timeline of some runs; of which kind it is depends on their times only.

    Parameters
    ----------
    column
        Name of the ordered column.
    offsets
        int64, shape (M + 1,): first position of each cell, and the number of positions at the end.
    times
        float64, int64 or datetime64, shape (R,): the time of each run, in order of position; may be changed in place.
    starts
        int64, shape (R + 1,): first position of each run, and the number of positions at the end. It may be None where
        every run is a single row.
    """
    if starts is not None and starts.size > starts[-1]:
        starts = None
    if not _repeat(times):
        if times.dtype.kind == "f":
            # There are two zeros, which are equal, and many NaNs: one stands for each, as that of any other table.
            times += 0.0
            times[np.isnan(times)] = np.nan
        return OwnTimes(column, times, starts, offsets)
    distinct, ranks = rank_times(times)
    runs = np.diff(offsets if starts is None else np.searchsorted(starts, offsets))
    cells = np.repeat(np.arange(runs.size), runs)
    return SharedTimes(column, distinct, starts, cells * (distinct.size + 1) + ranks)


def _repeat(times: NDArray[Any]) -> bool:
    """Tell whether some time, not missing, occurs twice."""
    if _any_twice(times[:_TIMES_TO_TRY]):
        return True
    # Sorted some at a time, from one value to another, which takes less memory than all at once.
    # The sample is random, as one at even distances could be of the same place in each cell.
    sample = times[np.random.default_rng(0).integers(times.size, size=_TIMES_TO_TRY)]
    sample = np.sort(sample[~times_missing(sample)])
    # There is one part where the sample holds no time.
    parts = min(_PARTS_AT_MOST, -(-times.size // _TIMES_AT_ONCE), max(1, sample.size))
    cuts = sample[np.arange(1, parts) * sample.size // parts]
    return any(_any_twice(part) for part in _cut(times, cuts))


def _cut(times: NDArray[Any], cuts: NDArray[Any]) -> Iterator[NDArray[Any]]:
    """Yield the times from each of some sorted values to the next, and before the first and behind the last."""
    if not cuts.size:
        yield times
        return
    yield times[times < cuts[0]]
    for low, high in pairwise(cuts):
        yield times[(times >= low) & (times < high)]
    yield times[times >= cuts[-1]]


def _any_twice(times: NDArray[Any]) -> bool:
    ordered = as_numbers(times[~times_missing(times)])
    ordered.sort()
    return bool((ordered[1:] == ordered[:-1]).any())
