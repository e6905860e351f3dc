"""`CellRanges`: the cells of a table, each a contiguous run of positions, and how pools are cut along them."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from functools import cached_property

import attrs
import numpy as np
from numpy.typing import NDArray

from batchwright._checks import some_of
from batchwright.columns import as_columns
from batchwright.errors import SettingError, TableError
from batchwright.groups import Cuts, Groups
from batchwright.pool import Pool
from batchwright.pools import Pools
from batchwright.ragged import bounds_of, opens, places
from batchwright.signposts import SortedValues

__all__ = ["CellRanges"]

Integers = NDArray[np.int64]


@attrs.frozen(eq=False, repr=False)
class CellRanges:
    """The cells of a table in order of position; a cell is the rows that agree in all key columns.

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
    """

    columns: tuple[str, ...]
    labels: tuple[tuple[Hashable, ...], ...]
    cells: NDArray[np.int32]
    offsets: Integers
    _cuts: dict[tuple[str, ...], tuple[tuple[Hashable, ...], Integers]] = attrs.field(init=False, factory=dict)

    @property
    def size(self) -> int:
        """Number of rows, N."""
        return int(self.offsets[-1])

    @cached_property
    def _sorted_offsets(self) -> SortedValues:
        return SortedValues(self.offsets)

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
        first = opens(group)
        present = group[first]
        owner, codes = np.divmod(present, len(labels))
        number = np.cumsum(first) - 1
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
        first = self._sorted_offsets.search(starts, side="right") - 1
        behind = self._sorted_offsets.search(stops)
        counts = behind - first
        source = np.repeat(np.arange(counts.size), counts)
        cells = places(first, bounds_of(counts))
        low, high = self.offsets[cells], self.offsets[cells + 1]
        return source, cells, np.maximum(low, starts[source]), np.minimum(high, stops[source])

    def reach(self, pools: Pools) -> Integers:
        """Return over how many cells each range of some pools reaches: int64, shape (R,)."""
        first = self._sorted_offsets.search(pools.starts, side="right") - 1
        return self._sorted_offsets.search(pools.stops) - first

    def codes_at(self, positions: Integers, by: str | Iterable[str]) -> Integers:
        """Return the number of the label, among all labels of the columns, at each of some positions."""
        return self._cut(as_columns(by))[1][self._sorted_offsets.search(positions, side="right") - 1]

    def agree(self, pools: Pools, by: str | Iterable[str]) -> NDArray[np.bool_]:
        """Tell for each pool, none of which is empty, whether all its rows have one label; costs O(ranges)."""
        codes = self._cut(as_columns(by))[1]
        changes = np.concatenate([[0], np.cumsum(codes[1:] != codes[:-1])])
        first = self._sorted_offsets.search(pools.starts, side="right") - 1
        last = self._sorted_offsets.search(pools.stops) - 1
        opens = pools.bounds[:-1]
        one_run = np.logical_and.reduceat(changes[first] == changes[last], opens)
        same = np.minimum.reduceat(codes[first], opens) == np.maximum.reduceat(codes[first], opens)
        agreed: NDArray[np.bool_] = one_run & same
        return agreed

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
                f"{len(self.columns)}: {some_of(self.columns)}. Name it in `by` of a stage, or where the index is made."
            )
            raise TableError(msg)
        at = [self.columns.index(name) for name in by]
        present, code_of_cell = np.unique(self.cells[:, at], axis=0, return_inverse=True)
        if len(by) == 1:
            return tuple(self.labels[at[0]][code] for code in present[:, 0]), code_of_cell.reshape(-1)
        labels = tuple(tuple(self.labels[i][code] for i, code in zip(at, row, strict=True)) for row in present)
        return labels, code_of_cell.reshape(-1)
