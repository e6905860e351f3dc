"""One column of any table, as canonical integer codes: the same whatever library or dtype it comes from."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from batchwright._checks import some_of
from batchwright.errors import TableError

__all__ = ["as_columns", "column_names", "encode_labels", "encode_order", "read_column"]


def as_columns(by: str | Iterable[str]) -> tuple[str, ...]:
    """Return `by`, one column name or several, as a tuple of names."""
    return (by,) if isinstance(by, str) else tuple(by)


def column_names(table: Any) -> list[Any]:
    """Return the names of the columns of a frame or of a dict of arrays."""
    if hasattr(table, "keys") and not hasattr(table, "columns"):
        return list(table.keys())
    if hasattr(table, "column_names"):
        return list(table.column_names)
    if hasattr(table, "columns"):
        return list(table.columns)
    msg = (
        f"A table must be a pandas, polars or pyarrow table, or a dict of arrays; got {type(table).__name__} "
        "(table). Pass the metadata table itself, not the dataset or a sampler."
    )
    raise TableError(msg)


def read_column(table: Any, name: str) -> pd.Series[Any]:
    """Return one column as a pandas Series with a plain range index; no other column is touched.

    Raises
    ------
    TableError
        If the column is missing, stands twice, has more than one dimension or no rows.
    """
    names = column_names(table)
    if names.count(name) != 1:
        found = "is missing" if name not in names else f"stands there {names.count(name)} times"
        msg = (
            f"Every column that a stage names must stand once in the table; {name!r} {found}. "
            f"The table has {len(names)} columns: {some_of(names, 20)}. Rename or add the column."
        )
        raise TableError(msg)
    series = _as_series(table[name], name)
    if series.empty:
        msg = f"A table must have rows; column {name!r} has 0. Pass a table with at least one row."
        raise TableError(msg)
    return series


def _as_series(values: Any, name: str) -> pd.Series[Any]:
    if isinstance(values, pd.Series):
        return values.reset_index(drop=True)
    if type(values).__module__.startswith("polars"):
        read = pd.Series(values.to_numpy())
        zone = getattr(values.dtype, "time_zone", None)
        return read if zone is None else read.dt.tz_localize("UTC").dt.tz_convert(zone)
    if type(values).__module__.startswith("pyarrow"):
        return pd.Series(values.to_pandas(date_as_object=False))
    if np.ndim(np.asanyarray(values, dtype=None if hasattr(values, "dtype") else object)) != 1:
        msg = f"A column must have one dimension; {name!r} has {np.ndim(values)}. Pass one value a row."
        raise TableError(msg)
    # From here pandas reads lists better than NumPy does, which would make text of [1, "b"] and of a missing value.
    return pd.Series(values)


def encode_labels(table: Any, name: str) -> tuple[NDArray[Any], tuple[Hashable, ...]]:
    """Return the codes of a key column and its labels.

    Returns
    -------
    codes
        Signed integers of at most 32 bits, shape (N,), each an index into the labels.
    labels
        The distinct values as plain Python objects, sorted; unused categories are left out.

    Raises
    ------
    TableError
        If the column has missing values.
    """
    series = read_column(table, name)
    try:
        codes, labels = _factorize(series)
    except TypeError as error:
        msg = (
            f"A key column must hold values that can be hashed and sorted; {name!r} cannot: {error}. "
            "Convert it to text."
        )
        raise TableError(msg) from error
    missing = int(np.count_nonzero(codes < 0))
    if missing:
        msg = (
            f"A key column must have a value in every row; {name!r} has {missing} missing of {len(codes)}. "
            f"Drop those rows, or give them a label of their own, such as fillna('unknown')."
        )
        raise TableError(msg)
    return codes, tuple(labels.tolist())


def _factorize(series: pd.Series[Any]) -> tuple[NDArray[Any], pd.Index[Any]]:
    if not isinstance(series.dtype, pd.CategoricalDtype):
        found, labels = pd.factorize(series.infer_objects(), sort=True)
        return found.astype(np.int32), pd.Index(labels)
    # The codes of a category are ready, but in the order of its declaration and with unused entries.
    codes: NDArray[Any] = series.cat.codes.to_numpy()
    counts = np.bincount(codes + 1, minlength=len(series.cat.categories) + 1)[1:]
    used = pd.Index(series.cat.categories[counts > 0])
    rank = np.full(len(counts) + 1, -1, dtype=np.int32)
    order = np.argsort(pd.factorize(used, sort=True)[0])
    rank[np.flatnonzero(counts)[order]] = np.arange(len(used), dtype=np.int32)
    # A missing value has code -1 and so takes the last entry, which stays -1.
    return rank[codes], used[order]


def encode_order(table: Any, name: str) -> tuple[NDArray[np.int64], NDArray[Any]]:
    """Return the rank of each row in an ordered column and the sorted distinct values.

    Returns
    -------
    ranks
        int64, shape (N,), each an index into the values; a missing value has the rank ``len(values)``.
    values
        float64, int64 or datetime64, shape (T,), sorted, unique.

    Raises
    ------
    TableError
        If the column holds neither numbers nor dates.
    """
    series = read_column(table, name)
    if pd.api.types.is_datetime64_any_dtype(series.dtype):
        naive = series if series.dt.tz is None else series.dt.tz_convert(None)
        try:
            ready = naive.dt.as_unit("ns")
        except pd.errors.OutOfBoundsDatetime as error:
            msg = (
                f"Dates must lie between the years 1677 and 2262; {name!r} reaches beyond: {error}. "
                "Convert it to numbers."
            )
            raise TableError(msg) from error
    elif pd.api.types.is_signed_integer_dtype(series.dtype) and not series.hasnans:
        # Not as floats, which cannot tell nanoseconds since 1970 apart.
        ready = series.astype("int64")
    elif pd.api.types.is_numeric_dtype(series.dtype) and not pd.api.types.is_bool_dtype(series.dtype):
        ready = series.astype("float64")
    else:
        msg = (
            f"An ordered column must hold numbers or dates; {name!r} holds {series.dtype}. "
            "Convert it first, for instance with pandas.to_numeric or pandas.to_datetime."
        )
        raise TableError(msg)
    ranks, values = pd.factorize(ready, sort=True)
    distinct = np.asarray(values)
    return np.where(ranks < 0, distinct.size, ranks).astype(np.int64), distinct
