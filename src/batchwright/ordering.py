"""From the codes of several columns to one order of rows, in linear time."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from batchwright.errors import TableError

__all__ = ["compress", "mixed_radix", "stable_order"]

Integers = NDArray[np.int64]


def mixed_radix(codes: list[NDArray[Any]], sizes: list[int], rows: int) -> tuple[NDArray[Any], int]:
    """Return the codes of several columns as one number a row, and the number of numbers there can be."""
    radix = int(np.prod([1, *sizes], dtype=object))
    if radix > 2**62:
        msg = (
            f"The labels of the key columns must have at most 2**62 combinations; got {sizes} labels (table). "
            "Name fewer columns, or join two of them into one."
        )
        raise TableError(msg)
    key: NDArray[Any] = np.zeros(rows, dtype=np.int32 if radix < 2**31 else np.int64)
    for column, size in zip(codes, sizes, strict=True):
        np.multiply(key, size, out=key)
        np.add(key, column, out=key, casting="unsafe")
    return key, radix


def compress(key: NDArray[Any], radix: int) -> tuple[Integers, Integers]:
    """Return the numbers that occur, sorted, and for each row the place of its number among them."""
    if radix > max(4 * key.size, 1024):
        present, inverse = np.unique(key, return_inverse=True)
        return present.astype(np.int64), inverse.astype(np.int64)
    counts = np.bincount(key, minlength=radix)
    present = np.flatnonzero(counts)
    place = np.cumsum(counts > 0) - 1
    return present, place[key]


def stable_order(key: Integers, radix: int) -> NDArray[Any] | None:
    """Return the stable sorting order of keys in ``0 .. radix - 1``, or None where they are sorted."""
    if (key[1:] >= key[:-1]).all():
        return None
    # NumPy's stable sort of 16-bit integers is a radix sort, O(N): one pass for every 16 bits of the key.
    order = np.argsort((key & 0xFFFF).astype(np.uint16), kind="stable")
    shift = 16
    while radix - 1 >> shift:
        digit = ((key >> shift) & 0xFFFF).astype(np.uint16)
        order = order[np.argsort(digit[order], kind="stable")]
        shift += 16
    return order.astype(np.uint32) if key.size < 2**32 else order
