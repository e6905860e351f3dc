"""Arithmetic of ragged arrays: rows of unequal length, one behind the other in a flat array.

Row ``k`` stands at ``bounds[k] : bounds[k + 1]``. What is worked out of a row depends on that row only, bit for
bit, so it does not matter which others stand beside it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["bounds_of", "bounds_of_owners", "gather", "lengths", "opens", "owners", "pad", "places", "totals"]

Integers = NDArray[np.int64]


def bounds_of(counts: ArrayLike) -> Integers:
    """Return the bounds of rows of the given lengths: int64, shape (rows + 1,)."""
    entries = np.asarray(counts)
    bounds = np.empty(entries.size + 1, dtype=np.int64)
    bounds[0] = 0
    entries.cumsum(out=bounds[1:])
    return bounds


def bounds_of_owners(owner: Integers, rows: int) -> Integers:
    """Return the bounds of so many rows, of whose entries each names its row, sorted."""
    return bounds_of(np.bincount(owner, minlength=rows))


def lengths(bounds: Integers) -> Integers:
    """Return how many entries each row has."""
    return bounds[1:] - bounds[:-1]


def owners(bounds: Integers) -> Integers:
    """Return for each entry the number of the row that it stands in."""
    return np.arange(bounds.size - 1).repeat(lengths(bounds))


def gather(bounds: Integers, rows: Integers) -> tuple[Integers, Integers]:
    """Return where the entries of some rows stand, row after row, and the bounds of the rows so gathered."""
    starts = bounds[rows]
    gathered = bounds_of(bounds[rows + 1] - starts)
    return places(starts, gathered), gathered


def places(starts: Integers, bounds: Integers) -> Integers:
    """Return as many places from each start on as the row of it has entries, row after row."""
    at = np.arange(bounds[-1])
    at += (starts - bounds[:-1]).repeat(lengths(bounds))
    return at


def opens(values: NDArray[Any]) -> NDArray[np.bool_]:
    """Tell which values differ from the one before them, as the first does."""
    return np.append(True, values[1:] != values[:-1])[: values.size]


def totals(values: Integers, bounds: Integers) -> Integers:
    """Return the sum of each row of integers; an empty row has 0."""
    sums = bounds_of(values)
    return sums[bounds[1:]] - sums[bounds[:-1]]


def pad(values: NDArray[Any], bounds: Integers) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Return the rows as one array, shape (rows, longest), filled up with zeros, and where its entries are."""
    counts = lengths(bounds)
    filled = np.arange(counts.max(initial=0)) < counts[:, None]
    padded = np.zeros(filled.shape, dtype=values.dtype)
    padded[filled] = values
    return padded, filled
