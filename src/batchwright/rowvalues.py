"""`RowValues`: a number for each row of a table, kept for ranges of positions that are alike."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import attrs
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from batchwright.columns import as_columns
from batchwright.index import MetadataIndex
from batchwright.ragged import opens

__all__ = ["RowValues"]

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]


@attrs.frozen(eq=False, repr=False)
class RowValues:
    """A number for each row of a table, kept for ranges of positions: O(ranges), until a vector is asked for.

    Parameters
    ----------
    index
        The table.
    bounds
        int64, shape (S + 1,), sorted: range s is the positions ``bounds[s] : bounds[s + 1]``; from 0 to N.
    per_row
        float64, shape (S,): of each row in a range.

    Examples
    --------
    >>> index = MetadataIndex.from_table({"plate": ["b", "a", "b"]}, by="plate")
    >>> values = RowValues(index, np.array([0, 1, 3]), np.array([0.5, 2.0]))
    >>> values
    RowValues(3 rows in 2 ranges, from 0.5 to 2)
    >>> values.by("plate").to_dict(), values.to_rows().tolist()
    ({'a': 0.5, 'b': 4.0}, [2.0, 0.5, 2.0])
    """

    index: MetadataIndex
    bounds: Integers
    per_row: Floats

    @classmethod
    def of_ranges(cls, index: MetadataIndex, starts: Integers, stops: Integers, values: Floats) -> RowValues:
        """Return the sum, at each row, of the values of the ranges that it lies in; none is empty or negative.

        Costs O(R log R) for R ranges in any order. Nothing is subtracted on the way, so small sums are as exact as
        large ones, and a row in no range has exactly 0.
        """
        bounds = np.unique(np.concatenate([[0, index.size], starts, stops]))
        first, behind = np.searchsorted(bounds, starts), np.searchsorted(bounds, stops)
        return cls(index, bounds, _sums(first, behind, values, bounds.size - 1)).merged()

    @classmethod
    def added(cls, parts: Sequence[RowValues]) -> RowValues:
        """Return the sum of values over one index, at least one, none of which is negative."""
        kept = [np.flatnonzero(part.per_row) for part in parts]
        starts = np.concatenate([part.bounds[:-1][at] for part, at in zip(parts, kept, strict=True)])
        stops = np.concatenate([part.bounds[1:][at] for part, at in zip(parts, kept, strict=True)])
        values = np.concatenate([part.per_row[at] for part, at in zip(parts, kept, strict=True)])
        return cls.of_ranges(parts[0].index, starts, stops, values)

    def merged(self) -> RowValues:
        """Return the same values with neighbouring ranges of equal value as one."""
        first = opens(self.per_row)
        bounds = np.append(self.bounds[:-1][first], self.bounds[-1])
        return RowValues(self.index, bounds, self.per_row[first])

    @property
    def rows(self) -> Integers:
        """Rows of each range: int64, shape (S,)."""
        return np.diff(self.bounds)

    def total(self) -> float:
        """Return the sum over all rows."""
        return float(self.rows @ self.per_row)

    def map(self, function: Callable[[Floats], Any]) -> RowValues:
        """Return what a function makes of the values, an array at a time."""
        return attrs.evolve(self, per_row=np.asarray(function(self.per_row), dtype=np.float64))

    def cut(self, bounds: Integers) -> RowValues:
        """Return the same values in finer ranges, which also end at the given positions."""
        finer = np.union1d(self.bounds, bounds)
        return RowValues(self.index, finer, self.per_row[np.searchsorted(self.bounds, finer[:-1], side="right") - 1])

    def by(self, columns: str | Iterable[str]) -> pd.Series[float]:
        """Return the sum over the rows of each label of one key column, or of several; labels are sorted."""
        names = as_columns(columns)
        labels: tuple[Any, ...] = self.index.labels_of(names)
        cut = self.cut(self.index.offsets)
        codes = self.index.codes_at(cut.bounds[:-1], names)
        sums = np.bincount(codes, weights=cut.rows * cut.per_row, minlength=len(labels))
        if len(names) > 1:
            return pd.Series(sums, index=pd.MultiIndex.from_tuples(labels, names=names), dtype="float64")
        # Labels may be tuples, which are no levels.
        return pd.Series(sums, index=pd.Index(labels, name=names[0], tupleize_cols=False), dtype="float64")

    def to_rows(self) -> Floats:
        """Return the value of each row of the table: float64, shape (N,). Costs O(rows)."""
        by_row = np.empty(self.index.size)
        by_row[self.index.rows(np.arange(self.index.size))] = np.repeat(self.per_row, self.rows)
        return by_row

    def __repr__(self) -> str:
        low, high = self.per_row.min(), self.per_row.max()
        return f"RowValues({self.index.size} rows in {self.per_row.size} ranges, from {low:g} to {high:g})"


def _sums(first: Integers, behind: Integers, values: Floats, count: int) -> Floats:
    """Return for each of `count` places the sum of the values of the ranges ``first : behind`` that cover it.

    A segment tree: on each level a range gives its value to at most two blocks of places, which only it covers whole.
    """
    levels, size = [], 1 << (count - 1).bit_length()
    while size:
        left, right = (first & 1) == 1, (behind & 1) == 1
        blocks = np.concatenate([first[left], behind[right] - 1])
        levels.append(np.bincount(blocks, weights=np.concatenate([values[left], values[right]]), minlength=size))
        first, behind = (first + 1) >> 1, behind >> 1
        more = first < behind
        first, behind, values, size = first[more], behind[more], values[more], size >> 1
    sums = np.zeros(1)
    for level in reversed(levels):
        sums = np.repeat(sums, level.size // sums.size) + level
    return sums[:count]
