"""From the codes of several columns to one order of rows, by counting, in little memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from batchwright.errors import TableError

__all__ = ["compress", "mixed_radix", "stable_order"]

Integers = NDArray[np.int64]

# Rows are counted and sorted so many at a time: what NumPy needs besides is then small, and stays in the cache.
_ROWS_AT_A_TIME = 1 << 20


def mixed_radix(codes: Sequence[NDArray[Any]], sizes: Sequence[int], rows: int) -> tuple[NDArray[Any], int]:
    """Return the codes of several columns as one number a row, and the number of numbers there can be."""
    radix = int(np.prod([1, *sizes], dtype=object))
    if radix > 2**62:
        msg = (
            f"The labels of the key columns must have at most 2**62 combinations; got {sizes} labels (table). "
            "Name fewer columns, or join two of them into one."
        )
        raise TableError(msg)
    # Not uint64 for the largest: NumPy adds that to signed codes as floats.
    key: NDArray[Any] = np.zeros(rows, dtype=np.min_scalar_type(radix) if radix < 2**32 else np.int64)
    for column, size in zip(codes, sizes, strict=True):
        np.multiply(key, size, out=key)
        np.add(key, column, out=key, casting="unsafe")
    return key, radix


def compress(key: NDArray[Any], radix: int) -> tuple[Integers, Integers, NDArray[Any]]:
    """Return the numbers that occur, sorted, how often each does, and for each row the place of its number."""
    if radix > max(4 * key.size, 1024):
        present, inverse, counts = np.unique(key, return_inverse=True, return_counts=True)
        return present.astype(np.int64), counts, inverse.astype(np.min_scalar_type(present.size))
    counts = _counts(key, radix)
    present = np.flatnonzero(counts)
    place = (np.cumsum(counts > 0) - 1).astype(np.min_scalar_type(present.size))
    return present, counts[present], place[key]


def stable_order(key: NDArray[Any], radix: int) -> NDArray[Any] | None:
    """Return the stable sorting order of keys in ``0 .. radix - 1``, or None where they are sorted.

    The order is uint32 below 2**32 rows, int64 from there on.
    """
    if (key[1:] >= key[:-1]).all():
        return None
    # From the lowest 16 bits, which the cast keeps, to the highest; NumPy sorts 16-bit integers in linear time.
    order = _counting_order(key.astype(np.uint16))
    for shift in range(16, (radix - 1).bit_length(), 16):
        digit = (key >> shift).astype(np.uint16)
        order = order[_counting_order(digit[order])]
    return order


def _counting_order(digit: NDArray[np.uint16]) -> NDArray[Any]:
    """Return the stable sorting order of 16-bit digits, by a counting sort of some rows at a time.

    Each lot is sorted by itself, and its runs of one digit go behind those of the lots before.
    """
    order = np.empty(digit.size, dtype=np.uint32 if digit.size < 2**32 else np.int64)
    counts = _counts(digit, 2**16)
    free = np.cumsum(counts) - counts
    for start in range(0, digit.size, _ROWS_AT_A_TIME):
        lot = digit[start : start + _ROWS_AT_A_TIME]
        rows = np.argsort(lot, kind="stable")
        sorted_lot = lot[rows]
        first = np.concatenate([[0], np.flatnonzero(sorted_lot[1:] != sorted_lot[:-1]) + 1])
        lengths = np.diff(first, append=lot.size)
        runs = sorted_lot[first]
        order[np.arange(lot.size) + np.repeat(free[runs] - first, lengths)] = rows + start
        free[runs] += lengths
    return order


def _counts(key: NDArray[Any], radix: int) -> Integers:
    """Return how often each number occurs."""
    counts = np.zeros(radix, dtype=np.int64)
    for start in range(0, key.size, _ROWS_AT_A_TIME):
        counts += np.bincount(key[start : start + _ROWS_AT_A_TIME], minlength=radix)
    return counts
