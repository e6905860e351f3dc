"""Sums over the leaves of a chain: how often each row comes, and how probably it comes at all."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from batchwright.rowvalues import RowValues
from batchwright.stack import DraftStack
from batchwright.stages.base import BaseDrawer
from batchwright.walk import Leaves

__all__ = ["expected_rows", "visits_and_inclusion"]

Floats = NDArray[np.float64]

# The ranges of some leaves are put by until there are more than this, and more than in the sum so far.
_PUT_BY = 1 << 20


def visits_and_inclusion(leaves: Iterable[Leaves], drawer: BaseDrawer) -> tuple[RowValues, RowValues]:
    """Return how often each row stands in a batch on average, and the probability that it does at all."""

    def of_lot(chances: Floats, stack: DraftStack) -> list[RowValues]:
        visits = _visits_of(chances, stack)
        return [visits, _inclusion_of(chances, stack, drawer, visits)]

    visits, inclusion = _summed(of_lot(*lot) for lot in leaves)
    return visits, inclusion


def expected_rows(leaves: Iterable[Leaves], by: str | list[str]) -> pd.Series[float]:
    """Return the expected rows of a batch by label, of leaves or of drafts that are as good as finished."""
    (visits,) = _summed([_visits_of(*lot)] for lot in leaves)
    return visits.by(by).rename("rows")


def _visits_of(chances: Floats, stack: DraftStack) -> RowValues:
    """Return how often each row comes in drafts of the given probabilities."""
    return _spread(stack, chances[stack.owners] * (stack.quotas / stack.pools.sizes))


def _inclusion_of(chances: Floats, stack: DraftStack, drawer: BaseDrawer, visits: RowValues) -> RowValues:
    """Return the probability of each row to be held, in drafts of the given probabilities; `visits` are theirs."""
    held = drawer.inclusion(stack.quotas, stack.pools.sizes)
    alone = ~_overlaps(stack)
    if alone.all() and np.array_equal(held, stack.quotas / stack.pools.sizes):
        return visits
    apart = _spread(stack, np.where(alone[stack.owners], chances[stack.owners] * held, 0.0))
    return RowValues.added([apart, *(_mixed(stack, held, k, chances[k]) for k in np.flatnonzero(~alone).tolist())])


def _spread(stack: DraftStack, values: Floats) -> RowValues:
    """Return a value of each share as a value of its rows."""
    pools = stack.pools
    return RowValues.of_ranges(stack.index, pools.starts, pools.stops, values[pools.owners])


def _overlaps(stack: DraftStack) -> NDArray[np.bool_]:
    """Tell of each draft whether some row is in several of its shares, which a stage of one's own may do."""
    draft = stack.owners[stack.pools.owners]
    order = np.lexsort([stack.pools.starts, draft])
    draft, starts, stops = draft[order], stack.pools.starts[order], stack.pools.stops[order]
    # Sorted ranges are disjoint if and only if neighbours are.
    clash = (starts[1:] < stops[:-1]) & (draft[1:] == draft[:-1])
    return np.bincount(draft[1:][clash], minlength=len(stack)) > 0


def _mixed(stack: DraftStack, held: Floats, k: int, chance: float) -> RowValues:
    """Return the probability of each row to be held by any share of one draft; shares are drawn independently."""
    shares = range(stack.bounds[k], stack.bounds[k + 1])
    pools = [stack.pools[s] for s in shares]
    bounds = np.unique(np.concatenate([[0, stack.index.size], *(pool.edges for pool in pools)]))
    found = np.zeros(bounds.size - 1)
    for s, pool in zip(shares, pools, strict=True):
        inside = (np.searchsorted(pool.edges, bounds[:-1], side="right") & 1) == 1
        found[inside] += (1 - found[inside]) * held[s]
    return RowValues(stack.index, bounds, chance * found)


def _summed(lots: Iterable[list[RowValues]]) -> list[RowValues]:
    """Return the sums of several values over many lots, in memory that grows with the sums alone."""
    waiting: list[list[RowValues]] = []
    for lot in lots:
        waiting.append(lot)
        # The first is the sum so far; it is gone through again only after as much as it holds has come.
        if sum(part[0].per_row.size for part in waiting[1:]) > max(_PUT_BY, waiting[0][0].per_row.size):
            waiting = [_added(waiting)]
    return _added(waiting)


def _added(lots: list[list[RowValues]]) -> list[RowValues]:
    return [RowValues.added(column) for column in zip(*lots, strict=True)]
