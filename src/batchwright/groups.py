"""`Pieces` and `Groups`: a pool cut up at cell borders, and by label."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence

import attrs
import numpy as np
from numpy.typing import NDArray

from batchwright.pool import Pool

__all__ = ["Groups", "Pieces"]

Integers = NDArray[np.int64]


@attrs.frozen(eq=False, repr=False)
class Pieces:
    """The ranges of a pool, cut at cell borders.

    Parameters
    ----------
    cells, starts, stops
        int64, shape (P,) each: the cell of each piece and its half-open range of positions, sorted.
    """

    cells: Integers
    starts: Integers
    stops: Integers

    @classmethod
    def join(cls, parts: Sequence[Pieces]) -> Pieces:
        """Return the pieces of several pools, one after the other."""
        none = np.empty(0, dtype=np.int64)
        return cls(*(np.concatenate([none, *(getattr(part, f.name) for part in parts)]) for f in attrs.fields(cls)))


@attrs.frozen(eq=False, repr=False)
class Groups:
    """A pool cut up by the labels of one or several columns; only labels that occur in it are there.

    ``groups[k]`` is the pool of the k-th label, made on demand. Labels are sorted.

    Parameters
    ----------
    labels
        One label a group; a tuple of labels where the cut is by several columns.
    sizes
        int64, shape (K,): rows of each group, all positive.
    """

    labels: tuple[Hashable, ...]
    sizes: Integers
    _pieces: Pieces
    _bounds: Integers
    _total: int

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, k: int) -> Pool:
        if not 0 <= k < len(self.labels):
            msg = f"There are {len(self.labels)} groups, numbered from 0; got {k} (Groups). Iterate or use len()."
            raise IndexError(msg)
        piece = slice(self._bounds[k], self._bounds[k + 1])
        return Pool.of(self._pieces.starts[piece], self._pieces.stops[piece], self._total)

    def __iter__(self) -> Iterator[Pool]:
        return (self[k] for k in range(len(self)))
