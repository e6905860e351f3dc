"""`MetadataIndex`: the table read once."""

from __future__ import annotations

import os
from collections.abc import Hashable, Iterable
from pathlib import Path
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from batchwright._checks import check_flag, some_of
from batchwright.archive import fingerprint_of, read_parts, write_parts
from batchwright.blocks import Blocks
from batchwright.building import LotBuilder, Parts, build_from_runs
from batchwright.columns import as_columns, column_names, lots_of, read_column
from batchwright.counting import read_counts
from batchwright.errors import SettingError, StorageError, TableError
from batchwright.groups import Cuts, Groups
from batchwright.parquet import Files, ParquetRows, find_files
from batchwright.pool import Pool
from batchwright.pools import Pools
from batchwright.storage import NewFolder
from batchwright.timeline import Timeline

__all__ = ["MetadataIndex"]

Integers = NDArray[np.int64]


@attrs.frozen(eq=False, repr=False)
class MetadataIndex:
    """The key columns of a table, read once: an order of its rows in which every cell is one contiguous run.

    A *cell* is the rows that agree in all key columns. A *position* is a place in that order. Labels are
    sorted, and rows of a cell keep the order of the table (or are sorted by time), so the index does not
    depend on the library or the dtype that the table came in, as long as its labels do not: columns of dates come
    as dates from some libraries and as timestamps from others. Make one with `from_table`, `from_chunks`,
    `from_counts` or `from_parquet`; `save` and `open` keep it in a folder.

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

    columns: tuple[str, ...]
    labels: tuple[tuple[Hashable, ...], ...]
    cells: NDArray[np.int32]
    offsets: Integers
    order: NDArray[Any] | Blocks | None
    timeline: Timeline | None
    fingerprint: str = attrs.field(kw_only=True)
    _folder: Path | None = attrs.field(default=None, kw_only=True)
    _cuts: dict[tuple[str, ...], tuple[tuple[Hashable, ...], Integers]] = attrs.field(init=False, factory=dict)

    @fingerprint.default
    def _make_fingerprint(self) -> str:
        return fingerprint_of(self._parts())

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
            Column of numbers or dates that orders the rows within a cell. Rows without a value come last.

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
            Where to save the index, and to open it from; nothing may be there yet. What is needed on the way, up to 12
            bytes a row, is put by beside it. By default the index stays in memory.

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
        if folder is None:
            return cls._of(_build(chunks, by, order_by))
        with NewFolder(folder) as new:
            write_parts(_build(chunks, by, order_by, new.path), new)
        return cls.open(folder, verify=False)

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
            A file; a folder, of which all ``*.parquet`` files are taken, sorted by name; a pattern such as
            ``"wells/**/*.parquet"``, of which all matches are taken, sorted; or several files in order.
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
        columns = _columns(by)
        named = dict.fromkeys([*columns, *([] if order_by is None else [order_by])])
        return cls.from_chunks(ParquetRows(find_files(paths), list(named), progress), columns, order_by, folder)

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
        lengths = read_counts(counts, count)
        others = [name for name in column_names(counts) if name not in (count, order_by)]
        columns = _columns(others if by is None else by)
        read = [*columns, *([] if order_by is None else [order_by])]
        runs = {name: read_column(counts, name) for name in read}
        whole = {name: column.rows(0, column.size)[lengths > 0] for name, column in runs.items()}
        return cls._of(build_from_runs(columns, order_by, whole, lengths[lengths > 0]))

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
            If this is no saved index, it is of a newer version, or anything is missing or was altered.

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
            write_parts(self._parts(), new)

    @classmethod
    def _of(cls, parts: Parts, **more: Any) -> MetadataIndex:
        return cls(**{field.name: getattr(parts, field.name) for field in attrs.fields(Parts)}, **more)

    def _parts(self) -> Parts:
        return Parts(**{field.name: getattr(self, field.name) for field in attrs.fields(Parts)})

    @property
    def size(self) -> int:
        """Number of rows, N."""
        return int(self.offsets[-1])

    def __repr__(self) -> str:
        order = "" if self.timeline is None else f", order_by={self.timeline.column!r}"
        cells = len(self.offsets) - 1
        return f"MetadataIndex(by={self.columns!r}{order}: {self.size} rows in {cells} cells)"

    def rows(self, positions: NDArray[Any]) -> NDArray[Any]:
        """Return the rows of the table that stand at the given positions, in the same shape."""
        return positions if self.order is None else self.order.take(positions)

    def labels_of(self, by: str | Iterable[str]) -> tuple[Hashable, ...]:
        """Return the sorted labels that occur in one column, or the tuples of labels that occur in several."""
        return self._cut(as_columns(by))[0]

    def pool(self, by: str | Iterable[str], label: Hashable) -> Pool:
        """Return the pool of all rows with the given label.

        Raises
        ------
        SettingError
            If no row has it.
        """
        labels = self.labels_of(by)
        if label not in labels:
            msg = (
                f"A label must occur in the table; {label!r} does not occur in {by!r} (MetadataIndex.pool). "
                f"There are {len(labels)} labels: {some_of(labels)}. Name one of them."
            )
            raise SettingError(msg)
        return self.groups(Pool.full(self.size), by)[labels.index(label)]

    def groups(self, pool: Pool, by: str | Iterable[str]) -> Groups:
        """Cut a pool up by the labels of one column or several; costs O(ranges and cells of the pool)."""
        cuts = self.cut(Pools.of([pool], self.size), by)
        all_labels = self.labels_of(by)
        return Groups(tuple(all_labels[code] for code in cuts.codes.tolist()), cuts.pools)

    def cut(self, pools: Pools, by: str | Iterable[str]) -> Cuts:
        """Cut many pools up by the labels of one column or several; costs O(ranges and cells of the pools)."""
        labels, code_of_cell = self._cut(as_columns(by))
        source, cells, starts, stops = self.pieces(pools.starts, pools.stops)
        group = pools.owners[source] * len(labels) + code_of_cell[cells]
        if (group[1:] < group[:-1]).any():
            order = np.argsort(group, kind="stable")
            group, starts, stops = group[order], starts[order], stops[order]
        opens = np.append(True, group[1:] != group[:-1])[: group.size]
        present = group[opens]
        owner, codes = np.divmod(present, len(labels))
        number = np.cumsum(opens) - 1
        return Cuts(owner, codes, Pools.of_ranges(number, starts, stops, present.size, self.size))

    def pieces(self, starts: Integers, stops: Integers) -> tuple[Integers, Integers, Integers, Integers]:
        """Cut ranges of positions at cell borders.

        Parameters
        ----------
        starts, stops
            int64, shape (R,) each: half-open ranges, none empty, in any order.

        Returns
        -------
        source, cells, starts, stops
            int64, shape (P,) each: the range that a piece comes from, the cell in which it lies, and the piece.
        """
        first = np.searchsorted(self.offsets, starts, side="right") - 1
        behind = np.searchsorted(self.offsets, stops, side="left")
        counts = behind - first
        source = np.repeat(np.arange(counts.size), counts)
        cells = np.arange(source.size) + (first - np.cumsum(counts) + counts)[source]
        low, high = self.offsets[cells], self.offsets[cells + 1]
        return source, cells, np.maximum(low, starts[source]), np.minimum(high, stops[source])

    def describe(self, pool: Pool) -> str:
        """Say in words what the rows of a pool have in common: the labels on which all its cells agree."""
        cells = self.cells[np.unique(self.pieces(pool.starts, pool.stops)[1])]
        common = [
            f"{name}={self.labels[i][cells[0, i]]!r}"
            for i, name in enumerate(self.columns)
            if cells.size and (cells[:, i] == cells[0, i]).all()
        ]
        return " ".join(common) or "all groups"

    def _cut(self, by: tuple[str, ...]) -> tuple[tuple[Hashable, ...], Integers]:
        """Return the labels of a cut by the given columns and the label code of each cell; made once."""
        if by not in self._cuts:
            self._cuts[by] = self._make_cut(by)
        return self._cuts[by]

    def _make_cut(self, by: tuple[str, ...]) -> tuple[tuple[Hashable, ...], Integers]:
        unknown = [name for name in by if name not in self.columns]
        if unknown or not by:
            msg = (
                f"A cut must name key columns of the index; {unknown[0] if unknown else by!r} is none of its "
                f"{len(self.columns)}: {some_of(self.columns)}. Name it in `by` when the index is made."
            )
            raise TableError(msg)
        at = [self.columns.index(name) for name in by]
        present, code_of_cell = np.unique(self.cells[:, at], axis=0, return_inverse=True)
        if len(by) == 1:
            return tuple(self.labels[at[0]][code] for code in present[:, 0]), code_of_cell.reshape(-1)
        labels = tuple(tuple(self.labels[i][code] for i, code in zip(at, row, strict=True)) for row in present)
        return labels, code_of_cell.reshape(-1)

    def __getstate__(self) -> dict[str, Any]:
        if self._folder is not None:
            return {"_folder": self._folder, "fingerprint": self.fingerprint}
        return self._fields() | {"_cuts": {}}

    def __setstate__(self, state: dict[str, Any]) -> None:
        if state["_folder"] is not None:
            state = _open_again(state["_folder"], state["fingerprint"])._fields()
        for name, value in state.items():
            object.__setattr__(self, name, value)

    def _fields(self) -> dict[str, Any]:
        return {field.name: getattr(self, field.name) for field in attrs.fields(type(self))}


def _open_again(folder: Path, fingerprint: str) -> MetadataIndex:
    """Open the folder of an index that was opened in another process; its arrays were verified there, or not."""
    index = MetadataIndex.open(folder, verify=False)
    if index.fingerprint != fingerprint:
        msg = (
            f"A folder must keep the index that was opened; its fingerprint is {index.fingerprint}, and was "
            f"{fingerprint} ({folder}). Save each index in a folder of its own, and begin again."
        )
        raise StorageError(msg)
    return index


def _build(chunks: Iterable[Any], by: str | Iterable[str], order_by: str | None, folder: Path | None = None) -> Parts:
    columns = _columns(by)
    builder = LotBuilder(columns, order_by, folder)
    for chunk in chunks:
        for size, lot in lots_of(chunk, [*columns, *([] if order_by is None else [order_by])]):
            builder.add(size, lot)
    return builder.finish()


def _columns(by: str | Iterable[str]) -> tuple[str, ...]:
    """Return the names of the columns, each once."""
    return tuple(dict.fromkeys(as_columns(by)))
