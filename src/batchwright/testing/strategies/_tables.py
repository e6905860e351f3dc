"""Strategies of tables, and of what is read from them: pools, weights, indices."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from hypothesis import strategies as st

from batchwright.index import MetadataIndex
from batchwright.pool import Pool

__all__ = ["SIZES", "indices", "pools", "tables", "weights"]

# Labels whose order as text is not their order as numbers.
_BY: Mapping[str, Sequence[Hashable]] = {
    "experiment": ("e1", "e2", "e3", "e10"),
    "condition": ("mock", "virus", "drug"),
}

# Few distinct values, so that they repeat within and across groups; None for a missing one.
_VALUES = (0.0, 0.5, 1.0, 3.0, 8.0, None)

# One row a cell is as common as a few, and now and then a cell dwarfs all others.
_COUNTS = (1, 1, 2, 3, 40)

# Batch sizes: below, about and above the number of rows.
SIZES = (1, 2, 3, 5, 10, 29)


@st.composite
def tables(
    draw: st.DrawFn,
    by: Mapping[str, Sequence[Hashable]] | None = None,
    order_by: str | None = "hours",
    max_cells: int = 6,
) -> pd.DataFrame:
    """Return a table, in odd order, with odd index labels, and with cells of very unequal sizes.

    Parameters
    ----------
    by
        The key columns and the labels that may occur in each. By default ``experiment`` and ``condition``.
    order_by
        A column of numbers, some of them missing; None for no such column.
    max_cells
        Number of runs of equal rows; each has 1, 2, 3 or 40 rows.

    Examples
    --------
    >>> from hypothesis import find
    >>> find(tables(), lambda table: len(table) > 1)
      experiment condition  hours
    0         e1      mock    0.0
    1         e1      mock    0.0
    """
    columns = _BY if by is None else by
    values = st.sampled_from(_VALUES if order_by else (None,))
    cell = st.tuples(st.sampled_from(_COUNTS), values, *(st.sampled_from(labels) for labels in columns.values()))
    cells = draw(st.lists(cell, min_size=1, max_size=max_cells))
    rows = [(*labels, value) for count, value, *labels in cells for _ in range(count)]
    table = pd.DataFrame(rows, columns=[*columns, order_by or "none"])
    table = table.astype({order_by: "float64"}) if order_by else table.drop(columns="none")
    return _disorder(draw, table)


def _disorder(draw: st.DrawFn, table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows in some order, under index labels of some kind."""
    shuffle = draw(st.integers(0, 99))
    order = np.random.default_rng(shuffle).permutation(len(table)) if shuffle else np.arange(len(table))
    kind = draw(st.sampled_from(["range", "same", "text"]))
    labels = {"range": range(len(table)), "same": [7] * len(table), "text": [f"r{i}" for i in range(len(table))]}
    return table.iloc[order].set_axis(pd.Index(list(labels[kind])), axis=0)


@st.composite
def pools(draw: st.DrawFn, total: int) -> Pool:
    """Return a pool out of `total` positions: up to four ranges, perhaps none.

    Examples
    --------
    >>> from hypothesis import find
    >>> find(pools(10), lambda pool: pool.size > 2)
    Pool([0:3] of 10)
    """
    ranges = draw(st.lists(st.tuples(st.integers(0, total), st.integers(0, total)), max_size=4))
    return Pool.of([min(ends) for ends in ranges], [max(ends) for ends in ranges], total)


def weights(labels: Sequence[Hashable], *, zeros: bool = True) -> st.SearchStrategy[dict[Hashable, float]]:
    """Return a weight for each label, not all zero."""
    numbers = st.sampled_from([1.0, 0.5, 3.0, 0.0] if zeros else [1.0, 0.5, 3.0])
    given = st.fixed_dictionaries(dict.fromkeys(labels, numbers))
    return given.filter(lambda drawn: any(drawn.values()))


@st.composite
def indices(draw: st.DrawFn, by: Mapping[str, Sequence[Hashable]] | None = None, order_by: str | None = "hours") -> Any:
    """Return the index of a table; arguments as of `tables`."""
    table = draw(tables(by, order_by))
    return MetadataIndex.from_table(table, by=list(_BY if by is None else by), order_by=_ordered(table, order_by))


def _ordered(table: pd.DataFrame, order_by: str | None) -> str | None:
    return order_by if order_by and table[order_by].notna().any() else None
