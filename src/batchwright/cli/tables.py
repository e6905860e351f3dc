"""Tables in files, of which only the columns that are named are kept."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from batchwright._checks import some_of
from batchwright.columns import read_column
from batchwright.counting import read_counts
from batchwright.errors import SettingError, TableError
from batchwright.index import MetadataIndex
from batchwright.parquet import ParquetRows, find_files
from batchwright.pipeline import Pipeline

__all__ = ["index_of", "is_index", "is_parquet", "read_table", "require_batch"]

Frame = pd.DataFrame


def read_table(
    path: str, chain: Pipeline, more: Iterable[str] = (), repeat: str | None = None
) -> Frame | MetadataIndex:
    """Return what a chain needs of a table in a file: a frame, or an index that was saved.

    Parameters
    ----------
    path
        A ``*.csv`` or ``*.tsv`` file, which may be compressed; a ``*.parquet`` file, a folder of them or a pattern; a
        ``*.h5ad`` file, whose ``obs`` is read; or the folder of an index.
    chain
        Its key columns are read, and its ordered column, which is taken for dates where it is text.
    more
        Further columns, of a frame.
    repeat
        A column of integers that says how often each row stands in the table.

    Raises
    ------
    TableError
        If the file cannot be read or lacks a column, or is an index, whose rows cannot be repeated.
    StorageError
        If the index cannot be opened.
    """
    if is_index(path):
        if repeat is not None:
            msg = (
                f"Rows of a table are repeated, not those of an index; got {repeat!r} ({path}). Name the table instead."
            )
            raise TableError(msg)
        return MetadataIndex.open(path)
    ordered = [] if chain.order_column is None else [chain.order_column]
    needed = [*chain.key_columns, *ordered, *more, *([] if repeat is None else [repeat])]
    frame = _reader_of(path)(path, list(dict.fromkeys(needed)))
    for name in ordered:
        frame[name] = _as_times(frame[name])
    return frame if repeat is None else _repeated(frame, repeat, path)


def require_batch(table: Frame | MetadataIndex, batch_size: int) -> None:
    """Raise if a table has too few rows for one batch: the command line has no other way out than a smaller one."""
    rows = table.size if isinstance(table, MetadataIndex) else len(table)
    # That a table has no rows is said by its index.
    if 0 < rows < batch_size:
        msg = f"A batch must fit in its table; {rows} rows make none of {batch_size} (--batch-size). Lower it."
        raise SettingError(msg)


def index_of(table: Frame | MetadataIndex, chain: Pipeline, by: Iterable[str] = ()) -> MetadataIndex:
    """Return the index of a table for a chain, and for further key columns; an index is one already."""
    if isinstance(table, MetadataIndex):
        return table
    return MetadataIndex.from_table(table, by=[*chain.key_columns, *by], order_by=chain.order_column)


def is_index(path: str) -> bool:
    """Return whether this is the folder of a saved index."""
    return Path(path, "header.json").exists()


def is_parquet(path: str) -> bool:
    """Return whether this, which is no index, is a Parquet file, a folder of them or a pattern."""
    return _reader_of(path) is _read_parquet


def _reader_of(path: str) -> Callable[[str, list[str]], Frame]:
    if Path(path).is_dir():
        return _read_parquet
    for suffix in Path(path).suffixes[::-1]:
        if suffix in _READERS:
            return _READERS[suffix]
    msg = (
        f"A table must be a file of a known kind, or a saved index; got {path!r}, none of {', '.join(_READERS)} "
        "(table). Name such a file or folder."
    )
    raise TableError(msg)


def _read_csv(path: str, columns: list[str], sep: str = ",") -> Frame:
    def read(**more: Any) -> Frame:
        try:
            frame: Frame = pd.read_csv(path, sep=sep, **more)
        # Of text that is no table pandas raises one kind, and of a damaged file each decompressor another.
        except Exception as error:
            raise _unreadable(path, error) from error
        return frame

    # Pandas renames a column that stands there a second time, and names one that has no name.
    header = read(header=None, nrows=1, dtype=str, na_filter=False).iloc[0]
    needed = _require(columns, [own or given for own, given in zip(header, read(nrows=0), strict=True)], path)
    # By a list of all columns, pandas would take row names that have no field in the header for the first one.
    return read(usecols=needed.__contains__, low_memory=False).reset_index(drop=True)


def _read_parquet(path: str, columns: list[str]) -> Frame:
    lots = list(ParquetRows(find_files(path), columns, progress=False))
    if not lots:
        msg = f"A table must have rows; it has 0 ({path}). Name another file."
        raise TableError(msg)
    frame: Frame = import_module("pyarrow").concat_tables(lots).to_pandas(date_as_object=False)
    return frame


def _read_h5ad(path: str, columns: list[str]) -> Frame:
    try:
        read_elem, h5py = import_module("anndata.io").read_elem, import_module("h5py")
    except ModuleNotFoundError as error:
        msg = "AnnData files are read by anndata; 0 versions are there (table). Install batchwright[anndata] first."
        raise TableError(msg) from error
    try:
        # Of the file only the table of observations is read.
        with h5py.File(path, "r") as file:
            frame: Frame = read_elem(file["obs"])
    except (OSError, KeyError) as error:
        raise _unreadable(path, error) from error
    return frame[_require(columns, frame.columns.tolist(), path)].reset_index(drop=True)


_READERS: dict[str, Callable[[str, list[str]], Frame]] = {
    ".csv": _read_csv,
    ".tsv": partial(_read_csv, sep="\t"),
    ".parquet": _read_parquet,
    ".h5ad": _read_h5ad,
}


def _require(columns: list[str], names: list[Any], path: str) -> list[Any]:
    """Return the columns if each is there once; without any, the first, which tells the number of rows."""
    wrong = [name for name in columns if names.count(name) != 1]
    if wrong:
        found = f"stands there {names.count(wrong[0])} times" if wrong[0] in names else "is missing"
        msg = (
            f"Every column that is named must stand once in the table; {wrong[0]!r} {found}. "
            f"{path} has {len(names)} columns: {some_of(names, 20)}. Correct the name or the table."
        )
        raise TableError(msg)
    return columns or names[:1]


def _repeated(frame: Frame, column: str, path: str) -> Frame:
    counts = read_counts(read_column(frame, column))
    try:
        return frame.iloc[np.repeat(np.arange(len(frame)), counts)].reset_index(drop=True)
    except MemoryError as error:
        msg = (
            f"Repeated rows must fit in memory; {column!r} makes {counts.sum()} of them ({path}). "
            "Correct the counts, or save an index that is made by MetadataIndex.from_counts, and name its folder."
        )
        raise TableError(msg) from error


_OFFSET = r":\d.*(?:Z|[+-]\d\d:?\d\d)$"


def _as_times(times: pd.Series[Any]) -> pd.Series[Any]:
    """Return times; what is text is read as dates."""
    if pd.api.types.is_numeric_dtype(times) or not pd.api.types.is_string_dtype(times):
        return times
    try:
        # Where pandas warns it would read each text by itself, and days for months in some of them.
        with warnings.catch_warnings(action="error", category=UserWarning):
            # Offsets may differ, as they do where clocks are changed.
            return pd.to_datetime(times, utc=bool(times.dropna().str.contains(_OFFSET).all()))
    except (ValueError, UserWarning) as error:
        msg = f"Times must be numbers or dates; {times.name!r} holds text that is neither: {error}. Correct the column."
        raise TableError(msg) from error


def _unreadable(path: str, error: Exception) -> TableError:
    msg = f"A table must be readable; 1 is not: {error} ({path}). Name a file of the kind that its name says."
    return TableError(msg)
