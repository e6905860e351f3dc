"""Cells as numbers: in order of first appearance while rows come in, in canonical order at the end."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import attrs
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from batchwright.labelcodes import LabelEncoder, small_type

__all__ = ["CellEncoder", "Cells"]

Integers = NDArray[np.int64]


class _Pairs:
    """A number for each pair of numbers below 2**31, in order of first appearance."""

    def __init__(self) -> None:
        self._keys = np.empty(0, dtype=np.int64)

    def __len__(self) -> int:
        return self._keys.size

    def encode(self, left: Integers, right: Integers) -> Integers:
        codes, self._keys = pd.factorize(np.concatenate([self._keys, left << 31 | right]))
        return codes[codes.size - left.size :]

    def take(self, numbers: Integers) -> tuple[Integers, Integers]:
        return self._keys[numbers] >> 31, self._keys[numbers] & (2**31 - 1)


@attrs.frozen(eq=False)
class Cells:
    """The cells of a table in canonical order.

    Parameters
    ----------
    labels
        The sorted labels of each column.
    codes
        int32, shape (M, number of columns): the label codes of each cell, sorted.
    offsets
        int64, shape (M + 1,): rows of all cells before each one.
    rank
        int64: the place of each cell by its number, by which cells were counted as they came.
    """

    labels: tuple[tuple[Hashable, ...], ...]
    codes: NDArray[np.int32]
    offsets: Integers
    rank: Integers

    def places(self, lots: Iterable[NDArray[Any]]) -> Iterator[NDArray[Any]]:
        """Yield the places of the cells of some rows by their numbers, in integers as small as may be."""
        rank = self.rank.astype(np.min_scalar_type(len(self.codes)))
        return (rank[ids] for ids in lots)


class CellEncoder:
    """Turns rows into numbers of cells, some rows at a time; cells are numbered as they come.

    Columns are joined one by one: each pair of what was joined so far and a code is numbered, so there is no bound to
    the combinations there could be, only to those that occur.

    Parameters
    ----------
    columns
        The key columns.
    """

    def __init__(self, columns: Sequence[str]) -> None:
        self._encoders = [LabelEncoder(name) for name in columns]
        self._pairs = [_Pairs() for _ in self._encoders[1:]]

    def encode(self, size: int, lot: Mapping[str, pd.Series[Any]]) -> NDArray[Any]:
        """Return the number of the cell of each row of a lot, in integers as small as may be."""
        if not self._encoders:
            return np.zeros(size, dtype=np.uint8)
        first = self._encoders[0]
        ids, number = first.encode(lot[first.name]), first.size
        for encoder, pairs in zip(self._encoders[1:], self._pairs, strict=True):
            codes = encoder.encode(lot[encoder.name])
            ids = _join(ids, codes, number, encoder.size, pairs)
            number = len(pairs)
        return ids

    def finish(self, counts: Integers) -> Cells:
        """Return the cells that have rows, sorted by label.

        Parameters
        ----------
        counts
            int64: rows of each cell, in order of their numbers; there may be more entries than cells.
        """
        used = np.flatnonzero(counts)
        codes = self._codes_of(used)
        labels = []
        for encoder, column in zip(self._encoders, codes, strict=True):
            sorted_labels, rank = encoder.sort(np.unique(column))
            labels.append(sorted_labels)
            column[:] = rank[column]
        order = np.lexsort(codes[::-1]) if len(codes) else np.zeros(1, dtype=np.int64)
        rank = np.zeros(counts.size, dtype=np.int64)
        rank[used[order]] = np.arange(used.size)
        offsets = np.concatenate([[0], np.cumsum(counts[used[order]])])
        return Cells(tuple(labels), np.ascontiguousarray(codes[:, order].T, dtype=np.int32), offsets, rank)

    def _codes_of(self, ids: Integers) -> Integers:
        """Return the label codes of some cells, shape (number of columns, cells)."""
        codes = np.empty((len(self._encoders), ids.size), dtype=np.int64)
        for i in range(len(self._pairs), 0, -1):
            ids, codes[i] = self._pairs[i - 1].take(ids)
        codes[:1] = ids
        return codes


def _join(left: NDArray[Any], right: NDArray[Any], lefts: int, rights: int, pairs: _Pairs) -> NDArray[Any]:
    """Return the number of each pair; there are at most `lefts` x `rights` of them."""
    radix = lefts * rights
    # Wide enough for the radix itself, which may be the number of labels of one column.
    key: NDArray[Any] = np.empty(left.size, dtype=small_type(radix + 1))
    np.multiply(left, rights, out=key, dtype=key.dtype, casting="unsafe")
    np.add(key, right, out=key, dtype=key.dtype, casting="unsafe")
    if radix > max(4 * key.size, 1024):
        present, place = np.unique(key, return_inverse=True)
        return np.asarray(_numbers(present, rights, pairs)[place])
    present = np.flatnonzero(np.bincount(key, minlength=radix))
    numbers = _numbers(present, rights, pairs)
    table = np.zeros(radix, dtype=numbers.dtype)
    table[present] = numbers
    return np.asarray(table[key])


def _numbers(keys: NDArray[Any], rights: int, pairs: _Pairs) -> NDArray[Any]:
    left, right = np.divmod(keys, rights)
    return pairs.encode(left.astype(np.int64), right.astype(np.int64)).astype(small_type(max(1, len(pairs))))
