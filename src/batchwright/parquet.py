"""The key columns of Parquet files, some rows at a time."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from glob import escape, glob
from importlib import import_module
from pathlib import Path
from typing import Any

import attrs

from batchwright._checks import check_flag, import_extra, some_of
from batchwright.errors import SettingTypeError, TableError

__all__ = ["Files", "ParquetRows", "find_files"]

Files = str | os.PathLike[str] | Iterable[str | os.PathLike[str]]

# What pyarrow hands out at a time; it is little beside what it holds of a column while it reads.
_ROWS_A_BATCH = 1 << 18


def find_files(paths: Files) -> list[str]:
    """Return the files that are meant, in the order in which their rows count.

    Parameters
    ----------
    paths
        A file; a folder, of which all ``*.parquet`` files are taken that are not hidden, sorted by name; a pattern, of
        which all matches are taken, sorted; or several files in order.

    Raises
    ------
    TableError
        If there is none.
    """
    if isinstance(paths, set | frozenset):
        msg = f"Files must have an order, in which their rows count; got {paths!r} (from_parquet). Pass a list."
        raise SettingTypeError(msg)
    if not isinstance(paths, (str, os.PathLike)):
        found = [os.fspath(path) for path in paths]
    elif not os.fspath(paths):
        found = []
    elif Path(paths).is_file():
        found = [os.fspath(paths)]
    else:
        path = os.fspath(paths)
        pattern = str(Path(escape(path), "*.parquet")) if Path(path).is_dir() else path
        # A pattern may match a file in several ways.
        found = sorted(set(glob(pattern, recursive=True)))  # noqa: PTH207 - Path.glob refuses absolute ones.
    if not found:
        msg = (
            f"Parquet files must be there; {paths!r} names 0 (from_parquet). Name a file, a folder that "
            "holds some, or a pattern such as 'wells/**/*.parquet'."
        )
        raise TableError(msg)
    return found


@attrs.frozen(eq=False)
class ParquetRows:
    """The rows of some columns of Parquet files, as tables of some rows each; files are opened one at a time.

    Parameters
    ----------
    files
        The files in order.
    columns
        The columns to read. Without one the first column tells the number of rows.
    progress
        Whether to show a bar.

    Raises
    ------
    TableError
        If a file cannot be read, or lacks a column; all files are looked at before the first row.
    SettingError
        If there shall be a bar and tqdm is missing.
    """

    files: Sequence[str]
    columns: Sequence[str]
    progress: bool

    def __iter__(self) -> Iterator[Any]:
        bar = self._bar(sum(self._rows_of(file) for file in self.files))
        pyarrow = import_module("pyarrow")
        for file in self.files:
            with _open(file) as rows:
                for batch in _batches(rows, file, list(self.columns) or rows.schema_arrow.names[:1]):
                    yield pyarrow.Table.from_batches([batch])
                    if bar is not None:
                        bar.update(batch.num_rows)
        if bar is not None:
            bar.close()

    def _rows_of(self, file: str) -> int:
        with _open(file) as rows:
            names = rows.schema_arrow.names
            missing = [name for name in self.columns if names.count(name) != 1]
            if missing:
                msg = (
                    f"Every file must have each column that is named, once; {missing[0]!r} stands "
                    f"{names.count(missing[0])} times in {file!r}, whose {len(names)} columns are "
                    f"{some_of(names, 20)}. Name other columns or files."
                )
                raise TableError(msg)
            return int(rows.metadata.num_rows)

    def _bar(self, total: int) -> Any:
        if not check_flag(self.progress, "progress", "from_parquet"):
            return None
        tqdm = import_extra("tqdm", "Progress is shown by tqdm", "from_parquet", "progress")
        return tqdm.tqdm(total=total, unit=" rows", unit_scale=True)


def _open(file: str) -> Any:
    parquet = import_extra("pyarrow.parquet", "Parquet is read by pyarrow", "from_parquet", "parquet", TableError)
    with _reading(file):
        return parquet.ParquetFile(file)


def _batches(rows: Any, file: str, columns: list[str]) -> Iterator[Any]:
    with _reading(file):
        yield from rows.iter_batches(_ROWS_A_BATCH, columns=columns)


@contextmanager
def _reading(file: str) -> Iterator[None]:
    try:
        yield
    # pyarrow says ArrowInvalid, a ValueError, of what is no Parquet file, and OSError of one that is damaged.
    except (OSError, ValueError) as error:
        msg = f"A Parquet file must be readable; 1 is not: {error} ({file!r}). Name Parquet files only."
        raise TableError(msg) from error
