"""Counts of groups, read from any table: nothing there costs more for a group of many rows."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from batchwright.columns import Column, column_names, read_columns
from batchwright.errors import TableError

__all__ = ["columns_beside", "read_counts", "read_runs"]

_WAY_OUT = "Pass the result of COUNT(*), one row a group in the order of the table."


def read_counts(column: Column) -> NDArray[np.int64]:
    """Return a column of counts as int64.

    Raises
    ------
    TableError
        If a count is missing, no integer or negative, or all are 0.
    """
    name, series = column.name, column.rows(0, column.size)
    missing = int(series.isna().sum())
    if missing:
        msg = f"A count must be there for every group; {name!r} has {missing} missing of {len(series)}. {_WAY_OUT}"
        raise TableError(msg)
    if not pd.api.types.is_integer_dtype(series.dtype) and len(series):
        msg = f"Counts must be integers; {name!r} holds {series.dtype}. Cast them to BIGINT, or to int64 in a frame."
        raise TableError(msg)
    least, total = min(series, default=0), sum(series.tolist())
    if least < 0 or not 0 < total < 2**50:
        found = f"a count of {least}" if least < 0 else f"{total} rows in all"
        msg = f"Counts must not be negative, and make 1 to 2**50 rows; {name!r} has {found}. {_WAY_OUT}"
        raise TableError(msg)
    return series.to_numpy(dtype=np.int64)


def columns_beside(table: Any, count: str, order_by: str | None) -> list[Any]:
    """Return the names of all columns but those of the counts and of the times.

    Raises
    ------
    TableError
        If there is none, of counts without times.
    """
    names = [name for name in column_names(table) if name not in (count, order_by)]
    if not names and order_by is None:
        msg = (
            "Counts must stand beside the columns of their groups; there are 0 (counts). Call reset_index() where the "
            "groups are the index of a frame, or pass by=[] of a table without groups."
        )
        raise TableError(msg)
    return names


def read_runs(table: Any, names: Iterable[str], count: str) -> tuple[dict[str, pd.Series[Any]], NDArray[np.int64]]:
    """Return the values of some columns in the groups that have rows, and how many each has.

    Raises
    ------
    TableError
        As of `read_counts`, or if a column is missing or of another length.
    """
    names = list(names)
    columns = read_columns(table, [*names, count])
    lengths = read_counts(columns[count])
    return {name: columns[name].rows(0, lengths.size)[lengths > 0] for name in names}, lengths[lengths > 0]
