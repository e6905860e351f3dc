"""`Blocks`: an order of rows that moves few, long runs, at no cost per row."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from batchwright.signposts import SortedValues

__all__ = ["Blocks", "condense", "order_of_blocks", "row_dtype"]

Integers = NDArray[np.int64]

# An order is kept as blocks where they are this long on average: 16 bytes each are then nothing beside 4 a row.
_ROWS_A_BLOCK = 1024

# An order is looked through so many rows at a time, which keeps what NumPy needs besides small and in the cache.
_ROWS_AT_A_TIME = 1 << 20


@attrs.frozen(eq=False, repr=False)
class Blocks:
    """An order of rows in which long runs of positions are runs of rows.

    It stands in for the array of the row at each position, whose `take` it shares.

    Parameters
    ----------
    starts
        int64, shape (K,), sorted, from 0: the first position of each block.
    rows
        int64, shape (K,): the row that stands there; the rows behind it follow to the end of the block.

    Examples
    --------
    >>> Blocks(starts=np.array([0, 3]), rows=np.array([5, 0])).take(np.array([0, 2, 3, 4]))
    array([5, 7, 0, 1])
    """

    starts: Integers
    rows: Integers

    @cached_property
    def _sorted_starts(self) -> SortedValues:
        return SortedValues(self.starts)

    def take(self, positions: NDArray[Any]) -> Integers:
        """Return the rows at the given positions: int64, in the same shape."""
        block = self._sorted_starts.search(positions, side="right") - 1
        return np.asarray(self.rows[block] - self.starts[block] + positions, dtype=np.int64)

    def fill(self, order: NDArray[Any]) -> None:
        """Write the row at each position into an array, in place."""
        lengths = np.diff(self.starts, append=order.size)
        ends = self.rows + lengths - 1
        # A sum over steps: 1 within a block, and a jump to the next one; that of unsigned integers may wrap around.
        order[:] = 1
        jumps = np.concatenate([self.rows[:1], self.rows[1:] - ends[:-1]])
        order[self.starts] = jumps.astype(order.dtype)
        np.cumsum(order, out=order, dtype=order.dtype)


def row_dtype(size: int) -> type[np.unsignedinteger[Any] | np.signedinteger[Any]]:
    """Return the type of row numbers: uint32 below 2**32 rows, int64 from there on."""
    return np.uint32 if size < 2**32 else np.int64


def order_of_blocks(starts: Integers, rows: Integers, size: int) -> NDArray[Any] | Blocks | None:
    """Return the order made of some blocks, as every build of the same table has it.

    It is None for the identity, `Blocks` where at most one in 1024 positions begins a block, and else an array;
    so the fingerprint of a table does not depend on the way in which it was read.

    Parameters
    ----------
    starts, rows
        As of `Blocks`; blocks that continue one another are joined.
    size
        Number of positions.
    """
    first = np.ones(starts.size, dtype=bool)
    first[1:] = np.diff(rows) != np.diff(starts)
    blocks = Blocks(starts[first], rows[first])
    if blocks.starts.size == 1:
        return None
    if blocks.starts.size <= size // _ROWS_A_BLOCK:
        return blocks
    order = np.empty(size, dtype=row_dtype(size))
    blocks.fill(order)
    return order


def condense(order: NDArray[Any]) -> NDArray[Any] | Blocks | None:
    """Return an order in the form that `order_of_blocks` gives it."""
    found = [np.zeros(1, dtype=np.int64)]
    number = 1
    for start in range(0, order.size - 1, _ROWS_AT_A_TIME):
        lot = order[start : start + _ROWS_AT_A_TIME + 1]
        breaks = np.flatnonzero(lot[1:] != lot[:-1] + 1) + (start + 1)
        number += breaks.size
        if number > max(1, order.size // _ROWS_A_BLOCK):
            return order
        found.append(breaks)
    starts = np.concatenate(found)
    return order_of_blocks(starts, order[starts].astype(np.int64), order.size)
