"""`Pool`: an immutable set of positions, held as ranges."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from batchwright.errors import SettingError, SettingTypeError
from batchwright.ragged import bounds_of, places

__all__ = ["Pool"]

Edges = NDArray[np.int64]


@attrs.frozen(eq=False, repr=False)
class Pool:
    """An immutable set of positions out of ``0 .. total - 1``.

    It is held as its edges: ``[start, stop, start, stop, ...]`` of sorted, disjoint, non-adjacent half-open
    ranges. That form is unique, so equal sets are equal objects, and every operation costs O(ranges)
    whatever the number of rows. Build one with `full`, `empty`, `of` or `where`.

    Parameters
    ----------
    edges
        int64, even length, strictly increasing, within ``[0, total]``.
    total
        The number of positions there are, N.

    Examples
    --------
    >>> a = Pool.of([0, 5], [3, 9], total=10)
    >>> b = Pool.of([2], [6], total=10)
    >>> a & b
    Pool([2:3, 5:6] of 10)
    >>> a | b, a - b, ~a
    (Pool([0:9] of 10), Pool([0:2, 6:9] of 10), Pool([3:5, 9:10] of 10))
    >>> a.size, 4 in a
    (7, False)
    """

    edges: Edges
    total: int

    def __attrs_post_init__(self) -> None:
        self.edges.setflags(write=False)

    @classmethod
    def full(cls, total: int) -> Pool:
        """Return the pool of all positions."""
        return cls(np.array([0, total] if total else [], dtype=np.int64), total)

    @classmethod
    def empty(cls, total: int) -> Pool:
        """Return the pool of no position."""
        return cls(np.empty(0, dtype=np.int64), total)

    @classmethod
    def of(cls, starts: ArrayLike, stops: ArrayLike, total: int) -> Pool:
        """Return the union of half-open ranges, which may be empty, unsorted or overlapping.

        Raises
        ------
        SettingError
            If a range reaches outside ``[0, total]``.
        """
        first, last = np.asarray(starts, dtype=np.int64), np.asarray(stops, dtype=np.int64)
        filled = first < last
        first, last = first[filled], last[filled]
        if first.size and (first.min() < 0 or last.max() > total):
            msg = f"Ranges must lie in [0, {total}]; got [{first.min()}, {last.max()}) (Pool.of). Clip them first."
            raise SettingError(msg)
        if first.size == 1:
            # By far the most frequent case: a group is one run.
            return cls(np.concatenate([first, last]), total)
        order = np.argsort(first, kind="stable")
        first, reach = first[order], np.maximum.accumulate(last[order])
        # A range opens a new run where it starts behind everything before it.
        opens = np.ones(first.size, dtype=bool)
        opens[1:] = first[1:] > reach[:-1]
        closes = np.append(opens[1:], True)[: first.size]
        edges = np.empty(2 * int(opens.sum()), dtype=np.int64)
        edges[0::2], edges[1::2] = first[opens], reach[closes]
        return cls(edges, total)

    @classmethod
    def where(cls, mask: ArrayLike) -> Pool:
        """Return the positions at which a boolean array of shape (total,) is true."""
        values = np.asarray(mask, dtype=bool)
        padded = np.concatenate([[False], values, [False]])
        return cls(np.flatnonzero(padded[1:] != padded[:-1]).astype(np.int64), values.size)

    @property
    def starts(self) -> Edges:
        """First position of each range: int64, sorted."""
        return self.edges[0::2]

    @property
    def stops(self) -> Edges:
        """Position behind each range: int64, sorted."""
        return self.edges[1::2]

    @property
    def size(self) -> int:
        """Number of positions in the pool."""
        return int((self.stops - self.starts).sum())

    def positions(self) -> NDArray[np.int64]:
        """Return the positions themselves: int64, shape (size,), sorted. Costs O(size)."""
        return places(self.starts, bounds_of(self.stops - self.starts))

    def issubset(self, other: Pool) -> bool:
        """Tell whether every position of this pool is in `other`."""
        return not (self - other)

    def isdisjoint(self, other: Pool) -> bool:
        """Tell whether the two pools share no position."""
        return not (self & other)

    def __and__(self, other: Pool) -> Pool:
        self._require_same_total(other)
        # Outside the span of either pool nothing can be common, so a small pool meets a large one cheaply.
        return _combine(_clip(self, other), _clip(other, self), np.logical_and)

    def __or__(self, other: Pool) -> Pool:
        self._require_same_total(other)
        return _combine(self, other, np.logical_or)

    def __sub__(self, other: Pool) -> Pool:
        self._require_same_total(other)
        return _combine(self, _clip(other, self), np.greater)

    def __invert__(self) -> Pool:
        return Pool.full(self.total) - self

    def __contains__(self, position: int) -> bool:
        return bool(np.searchsorted(self.edges, position, side="right") & 1)

    def __bool__(self) -> bool:
        return self.edges.size > 0

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Pool):
            return NotImplemented
        return self.total == other.total and np.array_equal(self.edges, other.edges)

    def __hash__(self) -> int:
        return hash((self.total, self.edges.tobytes()))

    def __repr__(self) -> str:
        shown = ", ".join(f"{a}:{b}" for a, b in zip(self.starts[:4].tolist(), self.stops[:4].tolist(), strict=True))
        more = ", ..." if self.starts.size > 4 else ""
        return f"Pool([{shown}{more}] of {self.total})"

    def _require_same_total(self, other: Any) -> None:
        if not isinstance(other, Pool):
            msg = f"A pool combines with a pool; got {other!r} (Pool). Build one with Pool.of or Pool.where."
            raise SettingTypeError(msg)
        if self.total != other.total:
            msg = (
                f"Pools of one table combine; got totals {self.total} and {other.total} (Pool). Use one index for both."
            )
            raise SettingError(msg)


def _clip(pool: Pool, span: Pool) -> Pool:
    """Return what of `pool` lies between the first and the last position of `span`."""
    if not span:
        return Pool.empty(pool.total)
    low, high = span.edges[0], span.edges[-1]
    first, last = np.searchsorted(pool.edges, low, side="right"), np.searchsorted(pool.edges, high, side="left")
    if first == 0 and last == pool.edges.size:
        return pool
    # An odd index means that the cut goes through a range.
    head, tail = [low] if first & 1 else [], [high] if last & 1 else []
    return Pool(np.concatenate([head, pool.edges[first:last], tail]).astype(np.int64), pool.total)


def _combine(a: Pool, b: Pool, keep: Callable[[NDArray[Any], NDArray[Any]], NDArray[np.bool_]]) -> Pool:
    """Return the positions for which ``keep(in a, in b)`` holds; ``keep(False, False)`` must be false."""
    points = np.sort(np.concatenate([a.edges, b.edges]))
    inside_a = np.searchsorted(a.edges, points, side="right") & 1
    inside_b = np.searchsorted(b.edges, points, side="right") & 1
    kept = keep(inside_a, inside_b)
    changes = kept.copy()
    changes[1:] ^= kept[:-1]
    return Pool(points[changes], a.total)
