"""The columns of a report: the label of each row of a table, or its time."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from batchwright.columns import lots_of
from batchwright.errors import TableError
from batchwright.index import MetadataIndex
from batchwright.labelcodes import LabelEncoder
from batchwright.times import TimeReader

__all__ = ["LabelColumn", "count_rows", "read_labels", "read_times"]


@attrs.frozen(eq=False)
class LabelColumn:
    """The labels of one column, and which of them each row has.

    Parameters
    ----------
    name
        The column.
    labels
        The labels that occur, sorted.
    codes
        Unsigned integers, shape (N,): the number of the label of each row.
    """

    name: str
    labels: tuple[Hashable, ...]
    codes: NDArray[Any]

    @property
    def sizes(self) -> NDArray[np.int64]:
        """Rows of each label: int64, shape (number of labels,)."""
        return np.bincount(self.codes, minlength=len(self.labels))


def count_rows(table: Any) -> int:
    """Return the number of rows of any table, or of an index."""
    if isinstance(table, MetadataIndex):
        return table.size
    return sum(size for size, _ in lots_of(table, ()))


def read_labels(table: Any, name: str) -> LabelColumn:
    """Read a column of labels, with the rules of a key column.

    Raises
    ------
    TableError
        If the column is missing, has missing values or cannot be sorted, or if an index was not made by it.
    """
    if isinstance(table, MetadataIndex):
        return _labels_of_index(table, name)
    encoder = LabelEncoder(name)
    codes = np.concatenate([encoder.encode(lot[name]) for _, lot in lots_of(table, [name])])
    labels, rank = encoder.sort(np.flatnonzero(np.bincount(codes)))
    return LabelColumn(name, labels, rank.astype(_type_for(labels))[codes])


def read_times(table: Any, name: str) -> NDArray[Any]:
    """Read an ordered column: int64, float64 or datetime64, shape (N,); missing values are NaN or NaT."""
    if isinstance(table, MetadataIndex):
        return _times_of_index(table, name)
    reader = TimeReader(name)
    lots = [reader.read(lot[name]) for _, lot in lots_of(table, [name])]
    # Only the last lot tells the type of them all.
    return np.concatenate([lot.astype(reader.dtype, copy=False) for lot in lots])


def _labels_of_index(index: MetadataIndex, name: str) -> LabelColumn:
    labels, every = index.labels_of(name), np.arange(index.size)
    codes = np.empty(index.size, dtype=_type_for(labels))
    codes[index.rows(every)] = index.codes_at(every, name)
    return LabelColumn(name, labels, codes)


def _times_of_index(index: MetadataIndex, name: str) -> NDArray[Any]:
    timeline = index.timeline
    if timeline is None or timeline.column != name:
        found = "no column" if timeline is None else repr(timeline.column)
        msg = (
            f"An index must be ordered by the column that is reported; {name!r} is not what orders its {index.size} "
            f"rows, {found} does (audit). Pass the table, or make the index with order_by={name!r}."
        )
        raise TableError(msg)
    times: NDArray[Any] = np.empty(index.size, dtype=timeline.times.dtype)
    times[index.rows(np.arange(index.size))] = timeline.times_of_positions()
    return times


def _type_for(labels: tuple[Hashable, ...]) -> np.dtype[Any]:
    return np.min_scalar_type(len(labels))
