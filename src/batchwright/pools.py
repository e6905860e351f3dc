"""`Pools`: many pools as arrays."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import attrs
import numpy as np
from numpy.typing import NDArray

from batchwright.pool import Pool
from batchwright.ragged import bounds_of, bounds_of_owners, gather, lengths, owners, totals

__all__ = ["Pools"]

Integers = NDArray[np.int64]


@attrs.frozen(eq=False, repr=False)
class Pools:
    """Many pools over the same positions as arrays, each in ranges as a `Pool` has them.

    ``pools[k]`` is the k-th as a `Pool`, made on demand.

    Parameters
    ----------
    bounds
        int64, shape (number of pools + 1,): the ranges of pool k are ``bounds[k] : bounds[k + 1]``.
    starts, stops
        int64, shape (number of ranges,) each: half-open ranges, in each pool sorted, disjoint and not adjacent.
    total
        The number of positions there are, N.

    Examples
    --------
    >>> pools = Pools.of([Pool.of([0, 5], [2, 6], total=9), Pool.of([3], [9], total=9)], total=9)
    >>> pools.sizes, pools[1]
    (array([3, 6]), Pool([3:9] of 9))
    """

    bounds: Integers
    starts: Integers
    stops: Integers
    total: int

    @classmethod
    def of(cls, pools: Sequence[Pool], total: int) -> Pools:
        """Return some pools as arrays."""
        none = np.empty(0, dtype=np.int64)
        starts = np.concatenate([none, *(pool.starts for pool in pools)])
        stops = np.concatenate([none, *(pool.stops for pool in pools)])
        return cls(bounds_of([pool.starts.size for pool in pools]), starts, stops, total)

    @classmethod
    def of_ranges(cls, owner: Integers, starts: Integers, stops: Integers, count: int, total: int) -> Pools:
        """Return `count` pools of the given ranges; empty ones are left out, adjacent ones of a pool joined.

        Parameters
        ----------
        owner, starts, stops
            int64, shape (P,) each: the number of the pool that a range belongs to, and the range. Sorted by
            owner; in each pool the ranges that are not empty are sorted and disjoint.
        count, total
            The number of pools, and of positions.
        """
        filled = starts < stops
        if not filled.all():
            owner, starts, stops = owner[filled], starts[filled], stops[filled]
        joined = (starts[1:] == stops[:-1]) & (owner[1:] == owner[:-1])
        if joined.any():
            opens, closes = np.append(True, ~joined), np.append(~joined, True)
            owner, starts, stops = owner[opens], starts[opens], stops[closes]
        return cls(bounds_of_owners(owner, count), starts, stops, total)

    def __len__(self) -> int:
        return self.bounds.size - 1

    def __getitem__(self, k: int) -> Pool:
        ranges = slice(self.bounds[k], self.bounds[k + 1])
        return Pool(np.column_stack([self.starts[ranges], self.stops[ranges]]).ravel(), self.total)

    def __iter__(self) -> Iterator[Pool]:
        return (self[k] for k in range(len(self)))

    @property
    def owners(self) -> Integers:
        """The number of the pool that each range belongs to: int64, sorted."""
        return owners(self.bounds)

    @property
    def sizes(self) -> Integers:
        """Number of positions in each pool: int64, shape (number of pools,)."""
        return totals(self.stops - self.starts, self.bounds)

    def take(self, k: Integers) -> Pools:
        """Return some of the pools, in the given order."""
        at, bounds = gather(self.bounds, k)
        return Pools(bounds, self.starts[at], self.stops[at], self.total)

    @classmethod
    def join(cls, parts: Sequence[Pools]) -> Pools:
        """Return the pools of several, at least one, one behind the other."""
        starts, stops = (np.concatenate([getattr(part, name) for part in parts]) for name in ("starts", "stops"))
        counts = np.concatenate([lengths(part.bounds) for part in parts])
        return cls(bounds_of(counts), starts, stops, parts[0].total)

    def complements(self, universe: Pool) -> Pools:
        """Return for each pool what is left of `universe` without it; every pool must be part of it."""
        # The edges of a pool and of what contains it make up the edges of the rest; where two meet, both vanish.
        edges = np.concatenate([np.tile(universe.edges, len(self)), self.starts, self.stops])
        owner = np.concatenate([np.repeat(np.arange(len(self)), universe.edges.size), self.owners, self.owners])
        order = np.lexsort([edges, owner])
        edges, owner = edges[order], owner[order]
        return Pools.of_ranges(owner[0::2], edges[0::2], edges[1::2], len(self), self.total)
