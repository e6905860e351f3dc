"""What an index is made of, worked out from lots of rows or from counts of groups."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from batchwright.blocks import Blocks, condense, order_of_blocks, row_dtype
from batchwright.cells import CellRanges
from batchwright.columns import columns_to_read, lots_of
from batchwright.encoding import CellEncoder, Cells
from batchwright.errors import TableError
from batchwright.ordering import fill_order, first_of_runs, sort_runs
from batchwright.spill import Spill, new_array
from batchwright.timeline import Timeline
from batchwright.timelines import timeline_of
from batchwright.times import TimeReader, rank_times
from batchwright.timesort import TimeSorter

__all__ = ["Parts", "build_from_chunks", "build_from_runs"]

Integers = NDArray[np.int64]

# Runs that are this long on average are put by as such: their 16 bytes are then nothing beside their rows.
_ROWS_A_RUN = 1024


@attrs.frozen(eq=False, repr=False)
class Parts(CellRanges):
    """What is worked out of a table: its cells, and which row stands at each position.

    Parameters
    ----------
    order
        The row at each position, as `order_of_blocks` gives it.
    timeline
        The order within cells, or None.
    """

    order: NDArray[Any] | Blocks | None
    timeline: Timeline | None


def build_from_runs(
    columns: tuple[str, ...], order_by: str | None, runs: Mapping[str, pd.Series[Any]], lengths: Integers
) -> Parts:
    """Build from runs of rows that agree in all columns, in order of the table.

    Parameters
    ----------
    columns, order_by
        The key columns, and the ordered one.
    runs
        The values of these columns, one a run.
    lengths
        int64, shape (K,): rows of each run, at least one.
    """
    encoder = CellEncoder(columns)
    ids = encoder.encode(lengths.size, runs)
    counts = np.zeros(int(ids.max()) + 1, dtype=np.int64)
    np.add.at(counts, ids, lengths)
    cells = encoder.finish(counts)
    keys, size, timeline = cells.rank[ids], int(lengths.sum()), None
    if order_by is None:
        starts, rows = sort_runs(keys, lengths)
    else:
        times = TimeReader(order_by).read(runs[order_by])
        distinct, ranks = rank_times(times)
        keys = keys * (distinct.size + 1) + ranks
        starts, rows = sort_runs(keys, lengths)
        _, first, counts = np.unique(keys, return_index=True, return_counts=True)
        begins = np.append(starts[np.cumsum(counts) - counts], size)
        timeline = timeline_of(order_by, cells.offsets, times[first], begins)
    return Parts(columns, cells.labels, cells.codes, cells.offsets, order_of_blocks(starts, rows, size), timeline)


def build_from_chunks(
    columns: tuple[str, ...], order_by: str | None, chunks: Iterable[Any], folder: Path | None = None
) -> Parts:
    """Build from tables that hold the rows, one after the other.

    Parameters
    ----------
    columns, order_by
        The key columns, and the ordered one.
    chunks
        The tables; they are looked at once.
    folder
        Where to put by what grows with the rows, and to leave the order, mapped to ``order.npy``, and other files that
        are not needed any more. By default all is in memory.

    Raises
    ------
    TableError
        If there are no rows, or a column cannot be used.
    """
    is_table = isinstance(chunks, Mapping) or hasattr(chunks, "to_dict") or hasattr(chunks, "to_pydict")
    if is_table or not isinstance(chunks, Iterable):
        msg = f"Chunks must be several tables; got 1, a {type(chunks).__name__} (chunks). Pass a list of tables."
        raise TableError(msg)
    builder = _LotBuilder(columns, order_by, folder)
    for chunk in chunks:
        for size, lot in lots_of(chunk, columns_to_read(columns, order_by)):
            builder.add(size, lot)
    return builder.finish()


class _LotBuilder:
    """Builds from rows, some at a time; they are looked at once, and put by as numbers of cells in small integers.

    The parameters are those of `build_from_chunks`, but for `chunks`.
    """

    def __init__(self, columns: tuple[str, ...], order_by: str | None, folder: Path | None) -> None:
        self._columns, self._folder = columns, folder
        self._encoder = CellEncoder(columns)
        self._sorter = None if order_by is None else TimeSorter(order_by, folder)
        self._ids = Spill(folder and folder / "ids.spill")
        self._counts = np.zeros(0, dtype=np.int64)
        # Runs of one cell are put by instead, as long as all lots have few of them.
        self._runs: list[tuple[Integers, Integers]] | None = [] if order_by is None else None
        self._size = 0

    def add(self, size: int, lot: Mapping[str, pd.Series[Any]]) -> None:
        """Take in the rows of a lot, at least one."""
        ids = self._encoder.encode(size, lot)
        counts = np.bincount(ids, minlength=self._counts.size)
        counts[: self._counts.size] += self._counts
        self._counts = counts
        if self._sorter is not None:
            self._sorter.add(ids, lot[self._sorter.column])
        self._put_by(ids)
        self._size += size

    def finish(self) -> Parts:
        """Return the parts of the index of all rows so far."""
        if not self._size:
            first = f"column {self._columns[0]!r}" if self._columns else "it"
            msg = f"A table must have rows; {first} has 0. Pass a table with at least one row."
            raise TableError(msg)
        cells = self._encoder.finish(self._counts)
        order, timeline = self._in_order(cells) if self._runs is None else (_order_of_runs(self._runs, cells), None)
        return Parts(self._columns, cells.labels, cells.codes, cells.offsets, order, timeline)

    def _put_by(self, ids: NDArray[Any]) -> None:
        changes = np.count_nonzero(ids[1:] != ids[:-1])
        if self._runs is not None and changes < max(1, ids.size // _ROWS_A_RUN):
            first = first_of_runs(ids)
            self._runs.append((ids[first].astype(np.int64), np.diff(first, append=ids.size)))
            return
        if self._runs is not None:
            for numbers, lengths in self._runs:
                self._ids.append(np.repeat(numbers.astype(np.min_scalar_type(numbers.max())), lengths))
            self._runs = None
        self._ids.append(ids)

    def _in_order(self, cells: Cells) -> tuple[NDArray[Any] | Blocks | None, Timeline | None]:
        order = new_array(self._folder, "order", row_dtype(self._size), self._size)
        timeline = None
        if self._sorter is None:
            fill_order(order, cells.places(self._ids.drain()), np.diff(cells.offsets))
        else:
            timeline = self._sorter.sort(order, self._ids.drain(), cells)
        return condense(order), timeline


def _order_of_runs(runs: list[tuple[Integers, Integers]], cells: Cells) -> NDArray[Any] | Blocks | None:
    ids, lengths = (np.concatenate(parts) for parts in zip(*runs, strict=True))
    return order_of_blocks(*sort_runs(cells.rank[ids], lengths), int(lengths.sum()))
