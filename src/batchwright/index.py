"""`MetadataIndex`: the table read once."""

from __future__ import annotations

import zlib
from collections.abc import Hashable, Iterable, Sequence
from hashlib import blake2b
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from batchwright._checks import some_of
from batchwright.columns import as_columns, column_names, encode_labels, encode_order, read_column
from batchwright.errors import SettingError, TableError
from batchwright.groups import Groups, Pieces
from batchwright.ordering import compress, mixed_radix, stable_order
from batchwright.pool import Pool
from batchwright.timeline import Timeline

__all__ = ["MetadataIndex"]

Integers = NDArray[np.int64]

_ONE_CELL = np.zeros((1, 0), dtype=np.int32)


@attrs.frozen(eq=False, repr=False)
class MetadataIndex:
    """The key columns of a table, read once: an order of its rows in which every cell is one contiguous run.

    A *cell* is the rows that agree in all key columns. A *position* is a place in that order. Labels are
    sorted, and rows of a cell keep the order of the table (or are sorted by time), so the index does not
    depend on the library or the dtype that the table came in. Make one with `from_table`.

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
        The row at each position: uint32 (int64 from 2**32 rows on), shape (N,); None where the table is
        already in order, so that nothing is kept per row.
    timeline
        The order within cells; None unless a column was given for it.

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
    order: NDArray[Any] | None
    timeline: Timeline | None
    fingerprint: str = attrs.field(init=False)
    _cuts: dict[tuple[str, ...], tuple[tuple[Hashable, ...], Integers]] = attrs.field(init=False, factory=dict)

    @fingerprint.default
    def _make_fingerprint(self) -> str:
        digest = blake2b(repr((self.columns, self.labels)).encode(), digest_size=8)
        parts = [self.cells, self.offsets]
        parts += [] if self.order is None else [self.order]
        parts += [] if self.timeline is None else [self.timeline.times, self.timeline.keys, self.timeline.starts]
        for part in parts:
            digest.update(zlib.crc32(np.ascontiguousarray(part).view(np.uint8).data).to_bytes(4, "little"))
        return digest.hexdigest()

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
        columns = tuple(dict.fromkeys(as_columns(by)))
        encoded = [encode_labels(table, name) for name in columns]
        ranks, times = (None, None) if order_by is None else encode_order(table, order_by)
        read = [codes for codes, _ in encoded]
        rows = _count_rows(table, read if ranks is None else [*read, ranks])
        sizes = [len(labels) for _, labels in encoded]
        present, counts, run_of_row = compress(*mixed_radix(read, sizes, rows))
        radix = present.size
        if ranks is not None and times is not None:
            # Rows of one cell and one time are a run; without an ordered column a cell is one run.
            radix *= times.size + 1
            run_of_row = run_of_row * np.int64(times.size + 1) + ranks
        order = stable_order(run_of_row, radix)
        timeline = None
        if order_by is not None and times is not None:
            timeline = Timeline.of(order_by, times, run_of_row if order is None else run_of_row[order])
        return cls(
            columns=columns,
            labels=tuple(labels for _, labels in encoded),
            cells=np.stack(np.unravel_index(present, sizes), axis=1).astype(np.int32) if columns else _ONE_CELL,
            offsets=np.concatenate([[0], np.cumsum(counts)]),
            order=order,
            timeline=timeline,
        )

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
        all_labels, code_of_cell = self._cut(as_columns(by))
        pieces = self.pieces(pool)
        codes = code_of_cell[pieces.cells]
        order = np.argsort(codes, kind="stable")
        pieces = Pieces(pieces.cells[order], pieces.starts[order], pieces.stops[order])
        present, first = np.unique(codes[order], return_index=True)
        sizes = np.add.reduceat(pieces.stops - pieces.starts, first) if first.size else np.empty(0, dtype=np.int64)
        bounds = np.append(first, codes.size)
        return Groups(tuple(all_labels[code] for code in present), sizes, pieces, bounds, self.size)

    def pieces(self, pool: Pool) -> Pieces:
        """Return the ranges of a pool, cut at cell borders."""
        first = np.searchsorted(self.offsets, pool.starts, side="right") - 1
        behind = np.searchsorted(self.offsets, pool.stops, side="left")
        counts = behind - first
        before = np.cumsum(counts) - counts
        cells = np.arange(counts.sum()) + np.repeat(first - before, counts)
        starts = np.maximum(self.offsets[cells], np.repeat(pool.starts, counts))
        stops = np.minimum(self.offsets[cells + 1], np.repeat(pool.stops, counts))
        return Pieces(cells, starts, stops)

    def describe(self, pool: Pool) -> str:
        """Say in words what the rows of a pool have in common: the labels on which all its cells agree."""
        cells = self.cells[np.unique(self.pieces(pool).cells)]
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
        return {field.name: getattr(self, field.name) for field in attrs.fields(type(self))} | {"_cuts": {}}

    def __setstate__(self, state: dict[str, Any]) -> None:
        for name, value in state.items():
            object.__setattr__(self, name, value)


def _count_rows(table: Any, read: Sequence[NDArray[Any]]) -> int:
    """Return the number of rows, by the columns that were read, or by the first one where none was."""
    if not read:
        names = column_names(table)
        if not names:
            msg = "A table must have rows; it has 0 columns (table). Pass a table with at least one column and one row."
            raise TableError(msg)
        return len(read_column(table, names[0]))
    lengths = {column.size for column in read}
    if len(lengths) > 1:
        msg = f"All columns must be equally long; got lengths {sorted(lengths)} (table). Cut them to one length."
        raise TableError(msg)
    return lengths.pop()
