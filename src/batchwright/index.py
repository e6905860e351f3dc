"""`MetadataIndex`: the table read once."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import attrs
from numpy.typing import NDArray

from batchwright._checks import check_flag
from batchwright.archive import fingerprint_of, read_again, read_parts, require_text, write_parts
from batchwright.building import Parts, build_from_chunks, build_from_runs
from batchwright.columns import columns_to_read, key_and_order
from batchwright.counting import columns_beside, read_runs
from batchwright.parquet import Files, ParquetRows, find_files
from batchwright.storage import NewFolder

__all__ = ["MetadataIndex"]


@attrs.frozen(eq=False, repr=False)
class MetadataIndex(Parts):
    """The key columns of a table, read once: an order of its rows in which every cell is one contiguous run.

    A *cell* is the rows that agree in all key columns. A *position* is a place in that order. Labels are
    sorted, and rows of a cell keep the order of the table (or are sorted by time), so the index does not
    depend on the library or the dtype that the table came in, as long as its values do not: columns of dates come
    as dates from some libraries and as timestamps from others, and whole numbers as floats where some are missing.
    Make one with `from_table`, `from_chunks`, `from_counts` or `from_parquet`; `save` and `open` keep it in a folder.

    Parameters
    ----------
    columns
        Names of the key columns.
    labels
        The sorted labels of each key column.
    cells
        int32, shape (M, number of columns): the label codes of each cell, sorted.
    offsets
        int64, shape (M + 1,): first position of each cell, and N at the end.
    order
        The row at each position: uint32 (int64 from 2**32 rows on), shape (N,). `Blocks` where the table stands
        in few, long runs, and None where it is in order, so that nothing is kept per row.
    timeline
        The order within cells; None unless a column was given for it.
    fingerprint
        Sixteen hexadecimal digits that tell tables apart. By default they are worked out.
    folder
        The folder to which the arrays are mapped, of an index that was opened.

    Examples
    --------
    >>> index = MetadataIndex.from_table({"plate": ["b", "a", "b", "c"]}, by="plate")
    >>> index.size, index.labels_of("plate")
    (4, ('a', 'b', 'c'))
    >>> index.rows(index.pool("plate", "b").positions())
    array([0, 2], dtype=uint32)
    """

    fingerprint: str = attrs.field(kw_only=True)
    _folder: Path | None = attrs.field(default=None, kw_only=True)

    @fingerprint.default
    def _make_fingerprint(self) -> str:
        return fingerprint_of(self)

    @classmethod
    def from_table(cls, table: Any, by: str | Iterable[str] = (), order_by: str | None = None) -> MetadataIndex:
        """Read the named columns of a table.

        Parameters
        ----------
        table
            A pandas, polars or pyarrow table, or a dict of arrays. Only the named columns are touched.
        by
            Key columns, of any type whose values sort. No value may be missing.
        order_by
            Column of finite numbers or of dates that orders the rows within a cell. Rows without a value come last.

        Raises
        ------
        TableError
            If a column is missing or cannot be used, or the table has no rows.
        """
        return cls.from_chunks([table], by, order_by)

    @classmethod
    def from_chunks(
        cls,
        chunks: Iterable[Any],
        by: str | Iterable[str] = (),
        order_by: str | None = None,
        folder: str | os.PathLike[str] | None = None,
    ) -> MetadataIndex:
        """Build from a table that comes in chunks, of which one at a time is held.

        The index equals that of the whole table. With a folder it is built on disk, for tables whose order of rows
        does not fit in memory: that takes O(cells) besides a chunk, and where rows are ordered O(rows of the largest
        cell) and O(times of all cells).

        Parameters
        ----------
        chunks
            Tables of any kind that `from_table` takes, such as a generator of frames; they are looked at once.
        by, order_by
            As of `from_table`.
        folder
            Where to save the index, and to open it from; nothing may be there yet. What is needed on the way is put by
            beside it: up to 4 bytes a row, and up to 16 more with `order_by`. By default the index stays in memory.

        Raises
        ------
        TableError
            If a column is missing or cannot be used, chunks differ in kind, or there are no rows.
        StorageError
            If the folder is there already, or a label is of a type that cannot be saved.

        Examples
        --------
        >>> chunks = ({"plate": plates} for plates in (["b", "a"], ["b", "c"]))
        >>> index = MetadataIndex.from_chunks(chunks, by="plate")
        >>> index.order.tolist()
        [1, 0, 2, 3]
        """
        columns, order = key_and_order(by, order_by)
        if folder is None:
            return cls._of(build_from_chunks(columns, order, chunks))
        require_text(columns_to_read(columns, order))
        with NewFolder(folder) as new:
            write_parts(build_from_chunks(columns, order, chunks, new.path), new)
        return cls.open(new.target, verify=False)

    @classmethod
    def from_parquet(
        cls,
        paths: Files,
        by: str | Iterable[str] = (),
        order_by: str | None = None,
        folder: str | os.PathLike[str] | None = None,
        progress: bool = False,
    ) -> MetadataIndex:
        """Build from Parquet files, of whose named columns some rows at a time are held; it takes pyarrow.

        Rows count over all files, from 0, in the order of the files.

        Parameters
        ----------
        paths
            A file; a folder, of which all ``*.parquet`` files are taken that are not hidden, sorted by name; a pattern
            such as ``"wells/**/*.parquet"``, of which all matches are taken, sorted; or several files in order.
        by, order_by
            As of `from_table`.
        folder
            As of `from_chunks`.
        progress
            Whether to show a bar, which takes tqdm.

        Raises
        ------
        TableError
            If there is no file, one cannot be read or lacks a column, or pyarrow is missing; else as of `from_chunks`.
        StorageError
            As of `from_chunks`.

        Examples
        --------
        >>> from tempfile import TemporaryDirectory
        >>> import pandas as pd
        >>> with TemporaryDirectory() as folder:
        ...     pd.DataFrame({"plate": ["b", "a"]}).to_parquet(f"{folder}/1.parquet")
        ...     pd.DataFrame({"plate": ["b", "c"]}).to_parquet(f"{folder}/2.parquet")
        ...     MetadataIndex.from_parquet(folder, by="plate").order.tolist()
        [1, 0, 2, 3]
        """
        columns, order = key_and_order(by, order_by)
        rows = ParquetRows(find_files(paths), columns_to_read(columns, order), progress)
        return cls.from_chunks(rows, columns, order, folder)

    @classmethod
    def from_counts(
        cls, counts: Any, by: str | Iterable[str] | None = None, order_by: str | None = None, count: str = "count"
    ) -> MetadataIndex:
        """Build from the counts of the groups of a table, which is not looked at.

        Where a table stands grouped, as one that is sorted or was written plate by plate, this is all that there is
        to know of it. It costs O(groups) in time and memory, however many rows there are.

        Parameters
        ----------
        counts
            A table with a row for each group, in the order in which the groups stand in the table, such as the result
            of ``SELECT plate, COUNT(*) AS count FROM wells GROUP BY plate ORDER BY plate``. A group may come
            several times.
        by
            Key columns. By default all columns but the count and the ordered one.
        order_by
            Column of numbers or dates that orders the rows within a cell. All rows of a group must agree in it.
        count
            The column that holds the number of rows: integers, not negative. Groups of 0 rows are left out.

        Raises
        ------
        TableError
            If a column is missing or cannot be used, or the counts make no rows.

        Examples
        --------
        >>> counts = {"source": ["s2", "s1", "s2"], "count": [3, 4, 1]}
        >>> index = MetadataIndex.from_counts(counts)
        >>> index
        MetadataIndex(by=('source',): 8 rows in 2 cells)
        >>> index.rows(index.pool("source", "s2").positions()).tolist()
        [0, 1, 2, 7]
        """
        columns, order = key_and_order(columns_beside(counts, count, order_by) if by is None else by, order_by)
        runs, lengths = read_runs(counts, columns_to_read(columns, order), count)
        return cls._of(build_from_runs(columns, order, runs, lengths))

    @classmethod
    def open(cls, folder: str | os.PathLike[str], verify: bool = True) -> MetadataIndex:
        """Open a saved index: its arrays stay on disk and are mapped, so that all processes share their pages.

        A copy for another process names the folder, which is opened there; it must be found under the same path.

        Parameters
        ----------
        folder
            A folder that was saved.
        verify
            Whether to read all of it once and to compare checksums. Without it, what is checked costs no more than the
            header: version, sizes, types and shapes.

        Raises
        ------
        StorageError
            If this is no saved index, it is of another version, or anything is missing or was altered.

        Examples
        --------
        >>> from tempfile import TemporaryDirectory
        >>> index = MetadataIndex.from_table({"plate": ["b", "a", "b"]}, by="plate")
        >>> with TemporaryDirectory() as folder:
        ...     index.save(f"{folder}/plates")
        ...     MetadataIndex.open(f"{folder}/plates").fingerprint == index.fingerprint
        True
        """
        path = Path(folder).absolute()
        parts, fingerprint = read_parts(path, verify=check_flag(verify, "verify", "MetadataIndex.open"))
        return cls._of(parts, fingerprint=fingerprint, folder=path)

    def save(self, folder: str | os.PathLike[str]) -> None:
        """Save the index in a folder of its own, which appears as a whole or not at all; `open` opens it.

        Parameters
        ----------
        folder
            Where to save it; nothing may be there yet.

        Raises
        ------
        StorageError
            If something is there, or a label is neither text, an integer, a truth value, a float, a date nor a
            Timestamp.

        Examples
        --------
        >>> from pathlib import Path
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     MetadataIndex.from_table({"plate": ["b", "a"]}, by="plate").save(f"{folder}/plates")
        ...     sorted(path.name for path in Path(folder, "plates").iterdir())
        ['cells.npy', 'header.json', 'offsets.npy', 'order.npy']
        """
        with NewFolder(folder) as new:
            write_parts(self, new)

    @classmethod
    def _of(cls, parts: Parts, **more: Any) -> MetadataIndex:
        return cls(**{field.name: getattr(parts, field.name) for field in attrs.fields(Parts) if field.init}, **more)

    def __repr__(self) -> str:
        order = "" if self.timeline is None else f", order_by={self.timeline.column!r}"
        cells = len(self.offsets) - 1
        return f"MetadataIndex(by={self.columns!r}{order}: {self.size} rows in {cells} cells)"

    def rows(self, positions: NDArray[Any]) -> NDArray[Any]:
        """Return the rows of the table that stand at the given positions, in the same shape."""
        return positions if self.order is None else self.order.take(positions)

    def __getstate__(self) -> dict[str, Any]:
        if self._folder is not None:
            return {"_folder": self._folder, "fingerprint": self.fingerprint}
        return self._fields() | {"_cuts": {}}

    def __setstate__(self, state: dict[str, Any]) -> None:
        folder, fingerprint = state["_folder"], state["fingerprint"]
        if folder is not None:
            state = self._of(read_again(folder, fingerprint), fingerprint=fingerprint, folder=folder)._fields()
        for name, value in state.items():
            object.__setattr__(self, name, value)

    def _fields(self) -> dict[str, Any]:
        return {field.name: getattr(self, field.name) for field in attrs.fields(type(self))}
