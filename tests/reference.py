"""Slow, obvious models that the library is compared with: plain Python, sets and enumeration."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from itertools import combinations, product
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from batchwright import Draft, Plan, Share
from batchwright.rounding import Rounding


def rows_of(draft: Draft, share: Share) -> set[int]:
    """Return the rows of the table that a share draws from."""
    return set(draft.index.rows(share.pool.positions()).tolist())


def labels(table: pd.DataFrame, column: str, rows: Iterable[int]) -> list[Any]:
    """Return the values of a column in some rows, by position."""
    return table[column].to_numpy()[list(rows)].tolist()


def is_even(rows: list[int], pool: set[int]) -> bool:
    """Tell whether rows are an even draw from a pool: each row floor(q/n) or ceil(q/n) times."""
    counts = Counter(rows)
    quota, size = len(rows), len(pool)
    return set(counts) <= pool and all(quota // size <= counts[row] <= math.ceil(quota / size) for row in pool)


def could_come_from(draft: Draft, batch: list[int]) -> bool:
    """Tell whether a batch is a possible draw of a draft: share after share, an even draw from each."""
    start = 0
    for share in draft.shares:
        if not is_even(batch[start : start + share.quota], rows_of(draft, share)):
            return False
        start += share.quota
    return start == len(batch)


def draws(pool: set[int], quota: int) -> list[list[int]]:
    """Return every even draw from a pool, all alike in probability: all rows so often, and a subset once more."""
    often, more = divmod(quota, len(pool))
    return [sorted(pool) * often + list(subset) for subset in combinations(sorted(pool), more)]


def distribution(plan: Plan) -> dict[tuple[int, ...], float]:
    """Return the probability of every possible batch, as sorted rows, by enumerating paths and draws."""
    chances: Counter[tuple[int, ...]] = Counter()
    for probability, draft in plan.leaves():
        sets = [draws(rows_of(draft, share), share.quota) for share in draft.shares]
        for drawn in product(*sets):
            batch = tuple(sorted(row for part in drawn for row in part))
            chances[batch] += probability / math.prod(len(alternatives) for alternatives in sets)
    return dict(chances)


def visits_and_chances(plan: Plan) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return for each row how often it comes in a batch, and the chance that it comes at all, leaf after leaf."""
    visits, chances = np.zeros(plan.index.size), np.zeros(plan.index.size)
    for probability, draft in plan.leaves():
        missed = np.ones(plan.index.size)
        for share in draft.shares:
            rows = sorted(rows_of(draft, share))
            visits[rows] += probability * share.quota / len(rows)
            missed[rows] *= 1 - min(1, share.quota / len(rows))
        chances += probability * (1 - missed)
    return visits, chances


def all_quotas(rounding: Rounding) -> NDArray[np.int64]:
    """Return the quotas of all outcomes, one a row."""
    return np.stack([rounding.quotas(outcome) for outcome in range(rounding.probabilities.size)])
