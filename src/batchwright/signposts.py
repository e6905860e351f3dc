"""`SortedValues` and `SortedLists`: long sorted arrays with signposts, which make searches short."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from batchwright.ragged import bounds_of, owners
from batchwright.search import Side, search, search_from, steps

__all__ = ["SortedLists", "SortedValues"]

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]
# Tells for some values, one a needle, whether they lie before their needles.
Passes = Callable[[NDArray[Any]], Any]

# For fewer needles the signposts cost more than they save.
_FEW = 512
# So many signposts fit in a processor's cache.
_SIGNPOSTS = 1 << 15


@attrs.frozen(eq=False)
class SortedLists:
    """Many sorted lists in one array that are searched again and again, with signposts into them.

    The range of the values of each list is cut into equal parts, the more the longer the list is, and where the values
    of each part begin is noted, when many needles are first looked for. Each is then looked for among the values of its
    part only: a few steps where they are spread evenly, and never more than without.

    Parameters
    ----------
    values
        Numbers, shape (n,), at least one.
    starts, stops
        int64, shape (K,) each: list k is ``values[starts[k] : stops[k]]``, sorted. Those behind it begin where it stops
        or later.

    Examples
    --------
    >>> lists = SortedLists(np.array([10, 20, 20, 30, 1, 2]), starts=np.array([0, 4]), stops=np.array([4, 6]))
    >>> lists.search(np.array([0, 1]), np.array([20, 2]), side="right")
    array([3, 6])
    """

    values: NDArray[Any]
    starts: Integers
    stops: Integers

    def search(self, lists: Integers, needles: NDArray[Any], side: Side = "left") -> Integers:
        """Return where in `values` needles stand in their lists.

        Parameters
        ----------
        lists, needles
            Shape (n,) each: the list that a needle is looked for in, and the needle, of the type of the values.
        side
            Whether a needle stands before the values that equal it, or behind them.

        Returns
        -------
        numpy.ndarray
            int64, shape (n,).
        """
        if needles.size < _FEW:
            first, most = self.starts[lists], self._longest
        else:
            first, most = self.signposts[self.parts.find(lists, needles)], self.most
        passes = np.less if side == "left" else np.less_equal
        return self._walk(lists, lambda values: passes(values, needles), first, most)

    def _walk(self, lists: Integers, passes: Passes, first: Integers, most: int) -> Integers:
        """Search on from the first place that each may have, in place, if it lies no more than `most` behind it."""
        stops = self.stops[lists]
        # The last value of a list stands for all that would follow it: what lies behind it ends up too high.
        last = np.maximum(stops - 1, 0)
        found = steps(lambda at: passes(self.values.take(np.minimum(at, last), mode="clip")), first, most)
        return np.minimum(found, stops)

    @cached_property
    def _longest(self) -> int:
        return int((self.stops - self.starts).max())

    @cached_property
    def parts(self) -> _Parts:
        """The parts of all lists."""
        return _Parts.of(self.values, self.starts, self.stops)

    @cached_property
    def signposts(self) -> Integers:
        """Where the values of each part begin: int64, shape (parts,)."""
        lists = owners(self.parts.bounds)
        part = np.arange(lists.size)
        # The part of a value is worked out as that of a needle is, so that no rounding sets them apart.
        return self._walk(
            lists, lambda values: self.parts.find(lists, values) < part, self.starts[lists], self._longest
        )

    @cached_property
    def most(self) -> int:
        """How many values lie in one part at most."""
        ends = np.append(self.signposts[1:], 0)
        ends[self.parts.bounds[1:] - 1] = self.stops
        return int((ends - self.signposts).max())


@attrs.frozen(eq=False)
class SortedValues:
    """A sorted array that is searched again and again, with signposts into it.

    Parameters
    ----------
    values
        Numbers or dates, sorted, shape (n,).

    Examples
    --------
    >>> SortedValues(np.array([10, 20, 20, 30])).search(np.array([20, 40]), side="right")
    array([3, 4])
    """

    values: NDArray[Any]

    @cached_property
    def _list(self) -> SortedLists:
        return SortedLists(self.values, np.array([0]), np.array([self.values.size]))

    @cached_property
    def _is_one_part(self) -> bool:
        return not self.values.size or self._list.signposts.size == 1

    def search(self, needles: NDArray[Any], side: Side = "left") -> Integers:
        """Return what the function `search` returns, for needles of the type of the values."""
        if needles.size < _FEW or self._is_one_part:
            return search(self.values, needles, side)
        first = self._list.signposts[self._list.parts.find(0, needles)]
        return search_from(self.values, needles, side, first, self._list.most)


@attrs.frozen(eq=False)
class _Parts:
    """Equal parts of the ranges of lists: a value lies in part ``floor((value - low) * scale)`` of those of its list.

    Parameters
    ----------
    low, scale
        float64, shape (K,) each.
    bounds
        int64, shape (K + 1,): list k has the parts ``bounds[k] : bounds[k + 1]``, at least one.
    last
        float64, shape (K,): the number of the last part of each list, counted from its first.
    """

    low: Floats
    scale: Floats
    bounds: Integers
    last: Floats

    @classmethod
    def of(cls, values: NDArray[Any], starts: Integers, stops: Integers) -> _Parts:
        """Cut the range of each list up; one that is empty or endless is a single part."""
        low = values[np.minimum(starts, values.size - 1)].astype(np.float64)
        high = values[np.maximum(stops - 1, 0)].astype(np.float64)
        counts = np.maximum(1, (stops - starts) * min(_SIGNPOSTS, values.size) // values.size)
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            scale = counts / (high - low)
        cut = (high > low) & (scale > 0) & (scale < np.inf)
        counts[~cut] = 1
        # Times the least of numbers all that is finite lies in the only part, and what is not before it or behind.
        scale[~cut], low[~cut] = np.finfo(np.float64).tiny, 0.0
        return cls(low, scale, bounds_of(counts), counts - 1.0)

    def find(self, lists: Integers | int, values: NDArray[Any]) -> Integers:
        """Return the part in which each value lies; what lies outside the range of its list counts to the nearest."""
        # Floats keep the order of numbers and dates, though what differs may become equal.
        with np.errstate(over="ignore"):
            place = (values.astype(np.float64) - self.low[lists]) * self.scale[lists]
        # An empty list may have a missing value beside it, which is not a number: any part is right for that.
        part: Integers = np.minimum(np.fmax(place, 0), self.last[lists]).astype(np.int64)
        part += self.bounds[lists]
        return part
