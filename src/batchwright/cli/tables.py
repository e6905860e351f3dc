"""Tables in files, of which only the columns that are named are read."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from batchwright._checks import some_of
from batchwright.columns import read_column
from batchwright.counting import read_counts
from batchwright.errors import TableError
from batchwright.index import MetadataIndex
from batchwright.parquet import ParquetRows, find_files
from batchwright.pipeline import Pipeline

__all__ = ["index_of", "is_index", "is_parquet", "read_table"]

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
    if repeat is not None:
        counts = read_counts(read_column(frame, repeat))
        frame = frame.iloc[np.repeat(np.arange(len(frame)), counts)].reset_index(drop=True)
    return frame


def index_of(table: Frame | MetadataIndex, chain: Pipeline, by: Iterable[str] = ()) -> MetadataIndex:
    """Return the index of a table for a chain, and for further key columns; an index is one already."""
    if isinstance(table, MetadataIndex):
        return table
    return MetadataIndex.from_table(table, by=[*chain.key_columns, *by], order_by=chain.order_column)


def is_index(path: str) -> bool:
    """Return whether this is the folder of a saved index."""
    return Path(path, "header.json").exists()


def is_parquet(path: str) -> bool:
    """Return whether this is a Parquet file, a folder of them or a pattern."""
    return not is_index(path) and _reader_of(path) is _read_parquet


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


def _read_csv(path: str, columns: list[str]) -> Frame:
    def read(**more: Any) -> Frame:
        try:
            frame: Frame = pd.read_csv(path, sep="\t" if ".tsv" in Path(path).suffixes else ",", **more)
        # What pandas says of text that is no table is a ValueError, too.
        except (OSError, ValueError) as error:
            raise _unreadable(path, error) from error
        return frame

    return read(usecols=_require(columns, read(nrows=0).columns.tolist(), path), low_memory=False)


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
    ".tsv": _read_csv,
    ".parquet": _read_parquet,
    ".h5ad": _read_h5ad,
}


def _require(columns: list[str], names: list[Any], path: str) -> list[Any]:
    """Return the columns if all are there; without any, the first, which tells the number of rows."""
    missing = [name for name in columns if name not in names]
    if missing:
        msg = (
            f"Every column that is named must stand in the table; {missing[0]!r} is missing. "
            f"{path} has {len(names)} columns: {some_of(names, 20)}. Correct the name."
        )
        raise TableError(msg)
    return columns or names[:1]


def _as_times(times: pd.Series[Any]) -> pd.Series[Any]:
    """Return times; what is text is read as dates."""
    if pd.api.types.is_numeric_dtype(times) or not pd.api.types.is_string_dtype(times):
        return times
    try:
        # Where pandas warns it would read each text by itself, and days for months in some of them.
        with warnings.catch_warnings(action="error", category=UserWarning):
            return pd.to_datetime(times)
    except (ValueError, UserWarning) as error:
        msg = f"Times must be numbers or dates; {times.name!r} holds text that is neither: {error}. Correct the column."
        raise TableError(msg) from error


def _unreadable(path: str, error: Exception) -> TableError:
    msg = f"A table must be readable; 1 is not: {error} ({path}). Name a file of the kind that its name says."
    return TableError(msg)
