"""From the numbers of cells to one order of rows, by a counting sort of some rows at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["fill_order", "first_of_runs", "place_rows", "sort_runs", "stable_argsort"]

Integers = NDArray[np.int64]


def first_of_runs(values: NDArray[Any]) -> Integers:
    """Return the places at which a run of equal values begins; there must be a value."""
    return np.concatenate([[0], np.flatnonzero(values[1:] != values[:-1]) + 1])


def stable_argsort(ids: NDArray[Any]) -> Integers:
    """Return the stable sorting order of integers that are not negative."""
    highest = int(ids.max())
    if highest < 2**16:
        # NumPy sorts 16-bit integers in linear time.
        return np.argsort(ids.astype(np.uint16, copy=False), kind="stable")
    # From the lowest 16 bits, which the cast keeps, to the highest.
    order = np.argsort(ids.astype(np.uint16), kind="stable")
    for shift in range(16, highest.bit_length(), 16):
        order = order[np.argsort((ids >> shift).astype(np.uint16)[order], kind="stable")]
    return order


def sort_runs(ids: Integers, lengths: Integers) -> tuple[Integers, Integers]:
    """Return the first position and the first row of each run of rows, by position, when runs are sorted by cell.

    Parameters
    ----------
    ids, lengths
        int64, shape (K,) each: the cell and the rows, at least one, of each run, in order of the table.
    """
    order = np.argsort(ids, kind="stable")
    rows = np.cumsum(lengths) - lengths
    sizes = lengths[order]
    return np.cumsum(sizes) - sizes, rows[order]


def place_rows(lots: Iterable[NDArray[Any]], counts: Integers) -> Iterator[tuple[NDArray[np.int64], Integers]]:
    """Yield for each lot of rows its rows sorted by cell, counted from 0 over all lots, and the positions they take.

    Each lot is sorted by itself, and its runs of one cell go behind those of the lots before.

    Parameters
    ----------
    lots
        The cell of each row, lot by lot.
    counts
        int64: rows of each cell, over all lots.
    """
    free = np.cumsum(counts) - counts
    start = 0
    for ids in lots:
        rows = stable_argsort(ids)
        sorted_ids = ids[rows]
        first = first_of_runs(sorted_ids)
        lengths = np.diff(first, append=ids.size)
        cells = sorted_ids[first]
        positions = np.repeat(free[cells] - first, lengths)
        positions += np.arange(ids.size)
        free[cells] += lengths
        yield rows + start, positions
        start += ids.size


def fill_order(order: NDArray[Any], lots: Iterable[NDArray[Any]], counts: Integers) -> None:
    """Write the rows sorted by cell into an array, stably; see `place_rows`."""
    for rows, positions in place_rows(lots, counts):
        order[positions] = rows
