"""Labels and cells as numbers: in order of first appearance while rows come in, in canonical order at the end."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import attrs
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from batchwright.errors import TableError

__all__ = ["CellEncoder", "Cells", "LabelEncoder"]

Integers = NDArray[np.int64]

_KINDS = {"b": "truth values", "i": "integers", "u": "integers", "f": "floats", "M": "dates", "m": "durations"}


class _Codebook:
    """A number for each value, in order of first appearance."""

    def __init__(self) -> None:
        self.codes: dict[Hashable, int] = {}

    def encode(self, values: Iterable[Hashable]) -> Integers:
        codes = self.codes
        return np.array([codes.setdefault(value, len(codes)) for value in values], dtype=np.int64)


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


class LabelEncoder:
    """Turns the values of one key column into codes, some rows at a time.

    Codes count the labels as they come, so that rows which were encoded need not be looked at again; `sort` says at the
    end which place each label has among the sorted ones.

    Parameters
    ----------
    name
        The column, for messages.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._book = _Codebook()
        self._rows = self._missing = 0
        self._kinds: dict[str, None] = {}
        self._categories: Any = None
        self._code_of_category: NDArray[Any] | None = None

    @property
    def size(self) -> int:
        """Number of labels so far, at least 1."""
        return max(1, len(self._book.codes))

    def encode(self, series: pd.Series[Any]) -> NDArray[Any]:
        """Return the code of each row, in integers as small as may be."""
        try:
            codes = self._encode(series)
        except TypeError as error:
            raise self._unusable(error) from error
        self._rows += codes.size
        return codes

    def sort(self, used: Integers) -> tuple[tuple[Hashable, ...], Integers]:
        """Return the used labels as plain Python objects, sorted, and the place of each code among them.

        Raises
        ------
        TableError
            If a row had no value, if the values were of several kinds, or do not sort.
        """
        self._check()
        values = list(self._book.codes)
        labels = [values[code] for code in used.tolist()]
        try:
            places = pd.factorize(pd.Series(labels).infer_objects(), sort=True)[0]
        except TypeError as error:
            raise self._unusable(error) from error
        rank = np.zeros(self.size, dtype=np.int64)
        rank[used] = places
        return tuple(labels[i] for i in np.argsort(places).tolist()), rank

    def _encode(self, series: pd.Series[Any]) -> NDArray[Any]:
        if isinstance(series.dtype, pd.CategoricalDtype):
            found, code_of = series.cat.codes.to_numpy(), self._of_categories(series.cat.categories)
        else:
            found, values = pd.factorize(series)
            code_of = self._of(values)
        missing = int(np.count_nonzero(found < 0))
        self._missing += missing
        if code_of is None:
            # As wide as all codes so far, of which a lot may hold the lower ones only.
            return np.maximum(found, 0).astype(_small(self.size))
        return code_of[found]

    def _of(self, values: Any) -> NDArray[Any]:
        """Return the code of each value, and one more at the end for what is missing, which will be refused."""
        if len(values):
            self._kinds.setdefault(_KINDS.get(getattr(values.dtype, "kind", "O"), "objects"))
        codes = self._book.encode(values.tolist())
        return np.append(codes, 0).astype(_small(self.size))

    def _of_categories(self, categories: Any) -> NDArray[Any] | None:
        """Return the code of each category; None where it is the number of the category."""
        # All lots of a table share their categories, used or not, so they are looked up once.
        if categories is not self._categories:
            self._categories = categories
            codes = self._of(categories)
            same = np.array_equal(codes[:-1], np.arange(len(categories)))
            self._code_of_category = None if same else codes
        return self._code_of_category

    def _check(self) -> None:
        if self._missing:
            msg = (
                f"A key column must have a value in every row; {self.name!r} has {self._missing} missing of "
                f"{self._rows}. Drop those rows, or give them a label of their own, such as fillna('unknown')."
            )
            raise TableError(msg)
        if len(self._kinds) > 1:
            msg = (
                f"A key column must hold one kind of value in all chunks; {self.name!r} holds {len(self._kinds)}: "
                f"{', '.join(self._kinds)}. Convert it to one type first."
            )
            raise TableError(msg)

    def _unusable(self, error: TypeError) -> TableError:
        msg = (
            f"A key column must hold values that can be hashed and sorted; {self.name!r} cannot: {error}. "
            "Convert it to text."
        )
        return TableError(msg)


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
    key: NDArray[Any] = np.empty(left.size, dtype=_small(radix + 1))
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
    return pairs.encode(left.astype(np.int64), right.astype(np.int64)).astype(_small(max(1, len(pairs))))


def _small(number: int) -> np.dtype[Any]:
    """Return the smallest type of the integers below a number; not uint64, which NumPy joins with others as floats."""
    return np.min_scalar_type(number - 1) if number <= 2**32 else np.dtype(np.int64)
