"""`Labels`: the label of every row of a table."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from batchwright.columns import as_columns
from batchwright.index import MetadataIndex

__all__ = ["Labels"]


class Labels:
    """The labels of all rows, by any of some columns or by several together.

    Parameters
    ----------
    table
        Any table that `MetadataIndex` reads.
    columns
        The columns that will be asked for.

    Examples
    --------
    >>> labels = Labels({"donor": ["a", "b", "b"]}, ["donor"])
    >>> labels.names("donor"), labels.codes("donor").tolist(), labels.codes(()).tolist()
    (('a', 'b'), [0, 1, 1], [0, 0, 0])
    """

    def __init__(self, table: Any, columns: Iterable[str]) -> None:
        self._index = MetadataIndex.from_table(table, by=list(columns))
        self._codes: dict[tuple[str, ...], NDArray[np.int64]] = {}
        self.rows = self._index.size

    def names(self, by: str | tuple[str, ...]) -> tuple[Hashable, ...]:
        """Return the distinct labels of a column, sorted; of several columns, a tuple each."""
        return self._index.labels_of(by)

    def codes(self, by: str | tuple[str, ...]) -> NDArray[np.int64]:
        """Return the number of each row's label among `names`, or 0 for no column: int64, shape (rows,)."""
        columns = as_columns(by)
        if columns not in self._codes:
            codes, every = np.zeros(self.rows, dtype=np.int64), np.arange(self.rows)
            if columns:
                codes[self._index.rows(every)] = self._index.codes_at(every, columns)
            self._codes[columns] = codes
        return self._codes[columns]
