"""`Layout`: shares as small arrays, in which a row is found by arithmetic."""

from __future__ import annotations

import attrs
import numpy as np
from numpy.typing import NDArray

from batchwright.stack import DraftStack

__all__ = ["Layout"]

Integers = NDArray[np.int64]


@attrs.frozen(eq=False)
class Layout:
    """Drafts compiled for drawing.

    Row ``i`` of a share stands at position ``base + i``, and from ``i = first`` on at ``base + i + gap``: that
    is enough for a pool of one or two ranges. A pool of more ranges gets a base behind all real positions, an
    address in the `far` ranges, and is looked up there.

    Parameters
    ----------
    columns
        int64, shape (K, 5, S): quota, size, base, first and gap of each share of each draft.
    far_starts, far_sizes
        int64, shape (F,) each: the ranges behind the addresses, one after the other.
    """

    columns: Integers
    far_starts: Integers
    far_sizes: Integers

    @classmethod
    def of(cls, stack: DraftStack, total: int) -> Layout:
        """Compile drafts over a table of `total` rows."""
        lengths = stack.stops - stack.starts
        columns = np.zeros((lengths.shape[0], 5, lengths.shape[1]), dtype=np.int64)
        columns[:, 0], columns[:, 1], columns[:, 2] = stack.quotas, lengths.sum(axis=2), stack.starts[:, :, 0]
        columns[:, 3] = lengths[:, :, 0]
        if lengths.shape[2] > 1:
            # Between two ranges; behind an only one it is never used, since `first` is then its size.
            columns[:, 4] = stack.starts[:, :, 1] - stack.stops[:, :, 0]
        if lengths.shape[2] > 2:
            return cls._with_far(columns, stack, lengths, total)
        return cls(columns, columns[0, 0, :0], columns[0, 0, :0])

    @classmethod
    def _with_far(cls, columns: Integers, stack: DraftStack, lengths: Integers, total: int) -> Layout:
        """Give every pool of three ranges or more an address behind all real positions."""
        far = (lengths[:, :, 2:] > 0).any(axis=2) & (stack.quotas > 0)
        sizes = columns[:, 1][far]
        columns[:, 2][far], columns[:, 3][far] = total + np.cumsum(sizes) - sizes, sizes
        far_starts, far_sizes = stack.starts[far].ravel(), lengths[far].ravel()
        return cls(columns, far_starts[far_sizes > 0], far_sizes[far_sizes > 0])

    def moved(self, total: int, by: int) -> Layout:
        """Return the same layout with its far addresses moved up, to stand behind those of others."""
        columns = self.columns.copy()
        columns[:, 2] += np.where(columns[:, 2] >= total, by, 0)
        return attrs.evolve(self, columns=columns)
