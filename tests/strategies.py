"""Tables that are ugly on purpose, and chains, pools and drafts over them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from hypothesis import strategies as st

from batchwright import ConditionBalancer, Drawer, ExperimentSelector, LeakMixer, Pool, TemporalEnricher

EXPERIMENTS = ["e1", "e2", "e3", "e10"]
CONDITIONS = ["mock", "virus", "drug"]

# Few distinct times, so that they repeat within and across groups; None for a missing one.
TIMES = st.sampled_from([0.0, 0.5, 1.0, 3.0, 8.0, None])

# One row a cell is as common as a few, and now and then a cell dwarfs all others.
COUNTS = st.sampled_from([1, 1, 2, 3, 40])


@st.composite
def tables(draw: st.DrawFn, max_cells: int = 6) -> pd.DataFrame:
    """Return a table of experiment, condition and hours; in odd order, with odd index labels."""
    cell = st.tuples(st.sampled_from(EXPERIMENTS), st.sampled_from(CONDITIONS), TIMES, COUNTS)
    cells = draw(st.lists(cell, min_size=1, max_size=max_cells))
    rows = [(experiment, condition, hours) for experiment, condition, hours, count in cells for _ in range(count)]
    table = pd.DataFrame(rows, columns=["experiment", "condition", "hours"]).astype({"hours": "float64"})
    order = np.random.default_rng(draw(st.integers(0, 99))).permutation(len(table))
    index = draw(st.sampled_from(["range", "same", "text"]))
    labels = {"range": range(len(table)), "same": [7] * len(table), "text": [f"r{i}" for i in range(len(table))]}
    return table.iloc[order].set_axis(pd.Index(list(labels[index])), axis=0)


def weights_for(labels: list[str], *, zeros: bool) -> st.SearchStrategy[dict[str, float] | None]:
    """Return weights that name each label, not all zero, or None."""
    numbers = st.sampled_from([0.0, 0.5, 1.0, 3.0] if zeros else [0.5, 1.0, 3.0])
    given = st.fixed_dictionaries(dict.fromkeys(labels, numbers)).filter(lambda weights: any(weights.values()))
    return st.none() | given


@st.composite
def chains(draw: st.DrawFn, table: pd.DataFrame) -> list[Any]:
    """Return a chain over a table: any of the stages, in any order that is allowed."""
    experiments, conditions = sorted(set(table["experiment"])), sorted(set(table["condition"]))
    selectors: list[Any] = []
    later: list[Any] = []
    if draw(st.booleans()):
        weights = draw(weights_for(experiments, zeros=True))
        selectors.append(ExperimentSelector(by="experiment", weights=weights))
        if draw(st.booleans()):
            later.append(LeakMixer(draw(st.sampled_from([0.0, 0.2, 0.29, 0.5, 1.0]))))
    leaks = bool(later)
    scopes = st.sampled_from(["primary", "leak", "all"] if leaks else ["primary", "all"])
    if draw(st.booleans()):
        ratio = draw(weights_for(conditions, zeros=True))
        later.append(ConditionBalancer(by="condition", ratio=ratio, scope=draw(scopes)))
    if table["hours"].notna().any() and draw(st.booleans()):
        width, fraction = draw(st.sampled_from([0, 0.5, 2])), draw(st.sampled_from([0.0, 0.3, 0.5, 1.0]))
        later.append(TemporalEnricher("hours", width, fraction, draw(scopes)))
    return [*selectors, *draw(st.permutations(later).filter(is_in_order)), Drawer()]


def is_in_order(stages: list[Any]) -> bool:
    """Tell whether a window comes after the balance, and what works on leaked rows only after the leak."""
    kinds = [type(stage) for stage in stages]
    window_last = ConditionBalancer not in kinds[kinds.index(TemporalEnricher) :] if TemporalEnricher in kinds else True
    before_leak = stages[: kinds.index(LeakMixer)] if LeakMixer in kinds else []
    return window_last and all(getattr(stage, "scope", None) != "leak" for stage in before_leak)


@st.composite
def pools(draw: st.DrawFn, total: int) -> Pool:
    """Return a pool out of `total` positions."""
    edges = draw(st.lists(st.integers(0, total), max_size=8).filter(lambda e: len(e) % 2 == 0))
    return Pool.of(sorted(edges)[0::2], sorted(edges)[1::2], total)


def with_chain(max_cells: int = 6) -> Callable[..., Any]:
    """Return a strategy of a table and a chain over it."""
    return tables(max_cells).flatmap(lambda table: st.tuples(st.just(table), chains(table)))
