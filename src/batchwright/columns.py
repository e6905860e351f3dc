"""The columns of any table, as pandas Series of some rows at a time."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import attrs
import numpy as np
import pandas as pd

from batchwright._checks import UNFIT, some_of
from batchwright.errors import SettingTypeError, TableError

__all__ = [
    "Column",
    "as_columns",
    "column_names",
    "columns_to_read",
    "key_and_order",
    "lots_of",
    "no_columns",
    "read_column",
    "read_columns",
]

# What a lot needs besides stays in the cache, and is little beside a table that is worth the care.
_ROWS_A_LOT = 1 << 18
# What stands for rows that are not there yet, and how to get them.
_QUERIES = {
    "LazyFrame": ("polars LazyFrame", "table.select(...).collect() with the columns that the chain names"),
    "DuckDBPyRelation": ("DuckDB relation", "table.df()"),
    "RecordBatchReader": ("pyarrow RecordBatchReader", "table.read_all()"),
}
# What is taken for a table, and how to make one of it.
_WAYS_OUT = {
    "Series": "Pass a frame: series.to_frame().",
    "MetadataIndex": "It is an index already: pass it where one is taken, as by PipelineSampler.",
    "ndarray": "Pass a dict of arrays, or pandas.DataFrame(array).",
    "list": "Make a frame of records or labels; pass several tables to MetadataIndex.from_chunks.",
    "generator": "Pass several tables to MetadataIndex.from_chunks.",
    "str": "Read the file first, or pass it to MetadataIndex.from_parquet.",
    "PosixPath": "Read the file first, or pass it to MetadataIndex.from_parquet.",
    "WindowsPath": "Read the file first, or pass it to MetadataIndex.from_parquet.",
}


def as_columns(by: Any) -> tuple[str, ...]:
    """Return `by`, one column name or several, as a tuple of names.

    Raises
    ------
    SettingTypeError
        If it is neither, or a set.
    """
    # Sets have no order that all processes share, and labels stand in that of their columns.
    listed = isinstance(by, Iterable) and not isinstance(by, str | Mapping | set | frozenset)
    names = list(by) if listed else [by]
    if not all(isinstance(column, Hashable) for column in names) or not (listed or isinstance(by, str)):
        raise no_columns(by)
    # A subclass, such as NumPy's, is another name in what is printed and saved.
    return tuple(str.__str__(column) if isinstance(column, str) else column for column in names)


def no_columns(by: Any) -> SettingTypeError:
    """Return what is to be raised of a `by` that names no columns."""
    return SettingTypeError(f"`by` must name one column or several; got {by!r} (by). Pass a name or a list of names.")


def key_and_order(by: str | Iterable[str], order_by: str | None) -> tuple[tuple[str, ...], str | None]:
    """Return the names of the key columns, each once, and of the ordered one.

    Raises
    ------
    SettingTypeError
        If `by` is no name or list of names, or `order_by` no single name.
    """
    if not isinstance(order_by, Hashable):
        msg = f"`order_by` must name one column; got {order_by!r} (order_by). Pass a single name."
        raise SettingTypeError(msg)
    return tuple(dict.fromkeys(as_columns(by))), None if order_by is None else as_columns([order_by])[0]


def columns_to_read(columns: tuple[str, ...], order_by: str | None) -> list[str]:
    """Return the names of the key columns and of the ordered one, each once."""
    return list(dict.fromkeys([*columns, *([] if order_by is None else [order_by])]))


def column_names(table: Any) -> list[Any]:
    """Return the names of the columns of a frame or of a dict of arrays."""
    kind = type(table).__name__
    if kind in _QUERIES and type(table).__module__.startswith(("polars", "duckdb", "_duckdb", "pyarrow")):
        what, way_out = _QUERIES[kind]
        msg = f"A table must be in memory; got a {what}, whose rows are 0 so far (table). Pass {way_out}."
        raise TableError(msg)
    if isinstance(table, Mapping):
        return list(table.keys())
    if kind not in _WAYS_OUT and not isinstance(table, type):
        if callable(getattr(table, "keys", None)) and not hasattr(table, "columns"):
            return list(table.keys())
        if hasattr(table, "column_names"):
            return list(table.column_names)
        if hasattr(table, "columns"):
            return list(table.columns)
    way_out = _WAYS_OUT.get(kind, "Pass the metadata table itself, not the dataset or a sampler.")
    msg = f"A table must be a pandas, polars or pyarrow table, or a dict of arrays; got 1 {kind} (table). {way_out}"
    raise TableError(msg)


@attrs.frozen(eq=False)
class Column:
    """One column of a table, of which some rows at a time are read."""

    name: str
    values: Any
    size: int

    def rows(self, start: int, stop: int) -> pd.Series[Any]:
        """Return the values of some rows; those of polars and pyarrow are converted here, not as a whole.

        Raises
        ------
        TableError
            If pandas has no such values.
        """
        module = type(self.values).__module__
        try:
            if module.startswith("polars"):
                return _from_polars(self.values[start:stop])
            if module.startswith("pyarrow"):
                return _from_pyarrow(self.values.slice(start, stop - start))
        except UNFIT as error:
            msg = f"A column must be of a type that pandas has; {self.name!r} is not: {error}. Convert it first."
            raise TableError(msg) from error
        series: pd.Series[Any] = self.values.iloc[start:stop]
        return series


def _from_polars(values: Any) -> pd.Series[Any]:
    if values.dtype.is_integer() and values.null_count():
        # Not as floats, which cannot tell large integers apart.
        whole, missing = values.fill_null(0).to_numpy(), values.is_null().to_numpy()
        return pd.Series(pd.arrays.IntegerArray(whole, missing))
    series = pd.Series(values.to_numpy())
    zone = getattr(values.dtype, "time_zone", None)
    return series if zone is None else series.dt.tz_localize("UTC").dt.tz_convert(zone)


def _from_pyarrow(values: Any) -> pd.Series[Any]:
    kind = str(values.type)
    if values.null_count and kind.lstrip("u").startswith("int"):
        return pd.Series(values, dtype=pd.ArrowDtype(values.type))
    if kind.startswith("dictionary<values=timestamp"):
        # Pandas would lose the zone.
        return _from_pyarrow(values.cast(values.type.value_type))
    try:
        return pd.Series(values.to_pandas(date_as_object=False))
    except ValueError:
        # Pandas makes no category of a dictionary that has an entry twice, or a missing one.
        if not kind.startswith("dictionary"):
            raise
        return _from_pyarrow(values.cast(values.type.value_type))


def read_column(table: Any, name: str) -> Column:
    """Return one column; no other one is touched.

    Raises
    ------
    TableError
        If the column is missing, stands twice or has more than one dimension.
    """
    names = column_names(table)
    if names.count(name) != 1:
        found = "is missing" if name not in names else f"stands there {names.count(name)} times"
        msg = (
            f"Every column that is named must stand once in the table; {name!r} {found}. "
            f"The table has {len(names)} columns: {some_of(names, 20)}. Rename or add the column."
        )
        raise TableError(msg)
    values = table[name]
    if not type(values).__module__.startswith(("polars", "pyarrow")):
        values = _as_series(values, name)
    return Column(name, values, len(values))


def read_columns(table: Any, names: Iterable[str]) -> dict[str, Column]:
    """Return several columns.

    Raises
    ------
    TableError
        As of `read_column`, or if they differ in length.
    """
    columns = {name: read_column(table, name) for name in names}
    lengths = {column.size for column in columns.values()}
    if len(lengths) > 1:
        msg = f"All columns must be equally long; got lengths {sorted(lengths)} (table). Cut them to one length."
        raise TableError(msg)
    return columns


def _as_series(values: Any, name: str) -> pd.Series[Any]:
    if not isinstance(values, pd.Series):
        if np.ndim(np.asanyarray(values, dtype=None if hasattr(values, "dtype") else object)) != 1:
            msg = f"A column must have one dimension; {name!r} has {np.ndim(values)}. Pass one value a row."
            raise TableError(msg)
        # pandas reads lists better than NumPy does, which would make text of [1, "b"] and of a missing value.
        values = pd.Series(values, copy=False) if isinstance(values, np.ndarray) else pd.Series(values)
    # All rows decide what objects are: some of them alone may look like numbers.
    series: pd.Series[Any] = values.infer_objects() if values.dtype == object else values
    dtype: Any = series.dtype
    swapped = isinstance(dtype, np.dtype) and not dtype.isnative
    return series.astype(dtype.newbyteorder("=")) if swapped else series


def lots_of(table: Any, names: Sequence[str]) -> Iterator[tuple[int, dict[str, pd.Series[Any]]]]:
    """Yield some rows of the named columns at a time: their number, and a Series of each column.

    Without a name the first column is looked at for its length. A table without rows yields nothing.

    Raises
    ------
    TableError
        If a column cannot be read, or columns differ in length.
    """
    columns = read_columns(table, names)
    size = next((column.size for column in columns.values()), None)
    size = _length(table) if size is None else size
    for start in range(0, size, _ROWS_A_LOT):
        stop = min(start + _ROWS_A_LOT, size)
        yield stop - start, {name: column.rows(start, stop) for name, column in columns.items()}


def _length(table: Any) -> int:
    names = column_names(table)
    if not names:
        msg = "A table must have rows; it has 0 columns (table). Pass a table with at least one column and one row."
        raise TableError(msg)
    return read_column(table, names[0]).size
