"""`Groups`: a pool cut up by label; `Cuts`: many pools cut up by label."""

from __future__ import annotations

from collections.abc import Hashable, Iterator

import attrs
import numpy as np
from numpy.typing import NDArray

from batchwright.pool import Pool
from batchwright.pools import Pools

__all__ = ["Cuts", "Groups"]

Integers = NDArray[np.int64]


@attrs.frozen(eq=False, repr=False)
class Cuts:
    """Many pools cut up by the labels of one or several columns; only labels that occur in a pool are there.

    Parameters
    ----------
    owner
        int64, shape (K,), sorted: the number of the pool that a group is cut from.
    codes
        int64, shape (K,): the number of its label among all labels of the columns, sorted within each pool.
    pools
        The K groups.
    """

    owner: Integers
    codes: Integers
    pools: Pools


@attrs.frozen(eq=False, repr=False)
class Groups:
    """A pool cut up by the labels of one or several columns; only labels that occur in it are there.

    ``groups[k]`` is the pool of the k-th label, made on demand. Labels are sorted.

    Parameters
    ----------
    labels
        One label a group; a tuple of labels where the cut is by several columns.
    pools
        The groups.
    """

    labels: tuple[Hashable, ...]
    pools: Pools

    @property
    def sizes(self) -> Integers:
        """Rows of each group: int64, shape (K,), all positive."""
        return self.pools.sizes

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, k: int) -> Pool:
        if not 0 <= k < len(self.labels):
            msg = f"There are {len(self.labels)} groups, numbered from 0; got {k} (Groups). Iterate or use len()."
            raise IndexError(msg)
        return self.pools[k]

    def __iter__(self) -> Iterator[Pool]:
        return iter(self.pools)
