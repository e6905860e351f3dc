"""`Layout`: drafts as small arrays, in which a row is found by arithmetic."""

from __future__ import annotations

from collections.abc import Sequence

import attrs
import numpy as np
from numpy.typing import NDArray

from batchwright.ragged import bounds_of, lengths, totals
from batchwright.search import search
from batchwright.stack import DraftStack

__all__ = ["Layout"]

Integers = NDArray[np.int64]


@attrs.frozen(eq=False)
class Layout:
    """Drafts compiled for drawing.

    Row ``i`` of a share stands at position ``base + i``, and from ``i = first`` on at ``base + i + gap``: that
    is enough for a pool of one or two ranges. A pool of more ranges gets a base behind all real positions, an
    address in the far ranges, and is looked up there.

    Parameters
    ----------
    bounds
        int64, shape (K + 1,): the shares of draft k are ``bounds[k] : bounds[k + 1]``.
    columns
        int64, shape (5, S): quota, size, base, first and gap of each share.
    far_starts, far_bounds
        int64, shape (F,) and (F + 1,): where each far range starts, and which addresses, from 0, stand for it.
    total
        The number of positions there are, N: the first address.
    """

    bounds: Integers
    columns: Integers
    far_starts: Integers
    far_bounds: Integers
    total: int

    @classmethod
    def of(cls, stack: DraftStack) -> Layout:
        """Compile drafts."""
        pools = stack.pools
        spans = pools.stops - pools.starts
        begin, counts = pools.bounds[:-1], lengths(pools.bounds)
        gap = np.zeros(counts.size, dtype=np.int64)
        more = np.flatnonzero(counts > 1)
        gap[more] = pools.starts[begin[more] + 1] - pools.stops[begin[more]]
        columns = np.stack([stack.quotas, pools.sizes, pools.starts[begin], spans[begin], gap])
        # A far share counts its rows from an address on, without a gap.
        far = np.flatnonzero(counts > 2)
        sizes = columns[1, far]
        columns[2, far], columns[3, far], columns[4, far] = pools.total + np.cumsum(sizes) - sizes, sizes, 0
        ranges = np.repeat(counts > 2, counts)
        return cls(stack.bounds, columns, pools.starts[ranges], bounds_of(spans[ranges]), pools.total)

    @classmethod
    def join(cls, parts: Sequence[Layout]) -> Layout:
        """Return the drafts of several layouts over one index, at least one, one behind the other."""
        total, addresses = parts[0].total, bounds_of([part.far_bounds[-1] for part in parts])
        columns = np.concatenate([part.columns for part in parts], axis=1)
        # Addresses go on from layout to layout.
        columns[2] += addresses[:-1].repeat([part.columns.shape[1] for part in parts]) * (columns[2] >= total)
        return cls(
            bounds_of(np.concatenate([lengths(part.bounds) for part in parts])),
            columns,
            np.concatenate([part.far_starts for part in parts]),
            bounds_of(np.concatenate([lengths(part.far_bounds) for part in parts])),
            total,
        )

    @property
    def batch_sizes(self) -> Integers:
        """Sum of the quotas of each draft: int64, shape (K,)."""
        return totals(self.columns[0], self.bounds)

    def positions(self, columns: Integers, counts: Integers, rows: Integers) -> Integers:
        """Return where rows of some shares stand, each told by its number in its share.

        Parameters
        ----------
        columns
            int64, shape (5, S): those of the shares.
        counts, rows
            int64, shape (S,) and (sum of counts,): how many rows of each share, and which, share after share.
        """
        _, _, base, first, gap = columns
        positions: Integers = rows + base.repeat(counts)
        if gap.any():
            gaps = gap.repeat(counts)
            gaps *= rows >= first.repeat(counts)
            positions += gaps
        self.resolve(positions)
        return positions

    def resolve(self, positions: Integers) -> None:
        """Replace addresses in far ranges by the positions that they stand for, in place."""
        if self.far_starts.size:
            slots = np.flatnonzero(positions >= self.total)
            address = positions[slots] - self.total
            ranges = search(self.far_bounds, address, side="right") - 1
            positions[slots] = self.far_starts[ranges] + address - self.far_bounds[ranges]
