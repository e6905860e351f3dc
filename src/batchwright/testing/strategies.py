"""Strategies of hypothesis: tables that are ugly on purpose, and pools, drafts, chains and samplers over them.

All of them shrink to few rows, few stages and simple settings.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any, cast

import attrs
import numpy as np
import pandas as pd
from hypothesis import strategies as st

from batchwright.draft import Choice, Draft
from batchwright.index import MetadataIndex
from batchwright.pool import Pool
from batchwright.sampler import PipelineSampler
from batchwright.stages import (
    ConditionBalancer,
    Drawer,
    ExperimentSelector,
    LeakMixer,
    Stage,
    TemporalEnricher,
)
from batchwright.stages.base import Element

__all__ = ["chains", "drafts", "indices", "pools", "samplers", "stages", "tables", "weights"]

# Labels whose order as text is not their order as numbers.
_BY: Mapping[str, Sequence[Hashable]] = {
    "experiment": ("e1", "e2", "e3", "e10"),
    "condition": ("mock", "virus", "drug"),
}

# Few distinct values, so that they repeat within and across groups; None for a missing one.
_VALUES = (0.0, 0.5, 1.0, 3.0, 8.0, None)

# One row a cell is as common as a few, and now and then a cell dwarfs all others.
_COUNTS = (1, 1, 2, 3, 40)

_FRACTIONS = (0.0, 0.2, 0.29, 0.5, 1.0)
_SIZES = (1, 2, 3, 5, 10, 29)


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


@st.composite
def drafts(
    draw: st.DrawFn, index: st.SearchStrategy[MetadataIndex] | None = None, done: Sequence[str] | None = None
) -> Draft:
    """Return a draft as a stage may meet it, after filters, selections, a leak and splits of any kind.

    Parameters
    ----------
    index
        A strategy of indices; by default `indices`.
    done
        The kinds of step that may have been taken, out of ``"filter"``, ``"select"``, ``"leak"`` and ``"split"``; by
        default any.

    Examples
    --------
    >>> from hypothesis import find
    >>> find(drafts(), lambda draft: len(draft.shares) > 1).shares
    (Share(pool=Pool([0:1] of 2), quota=1, role='primary'), Share(pool=Pool([1:2] of 2), quota=1, role='primary'))
    """
    table = draw(indices() if index is None else index)
    draft = Draft.start(table, draw(st.sampled_from(_SIZES)))
    for step in ("filter", "select", "leak", "split"):
        if (done is None or step in done) and draw(st.booleans()):
            draft = _STEPS[step](draw, draft)
    return draft


def _filter(draw: st.DrawFn, draft: Draft) -> Draft:
    kept = draw(_parts_of(draft.universe))
    return draft.filter(kept)


def _select(draw: st.DrawFn, draft: Draft) -> Draft:
    return draft.select(draw(_parts_of(draft.primary)))


def _leak(draw: st.DrawFn, draft: Draft) -> Draft:
    if "select" not in draft.done:
        return draft
    quota = draw(st.integers(0, draft.batch_size))
    return _any_of(draw, draft.leak(draft.universe - draft.primary, quota))


def _split(draw: st.DrawFn, draft: Draft) -> Draft:
    cut = draw(st.integers(0, draft.index.size))
    low, high = Pool.of([0], [cut], draft.index.size), Pool.of([cut], [draft.index.size], draft.index.size)
    weight = draw(st.sampled_from([1.0, 0.3]))
    return _any_of(draw, draft.split(lambda share: [(share.pool & low, weight), (share.pool & high, 1.0)], "all"))


_STEPS = {"filter": _filter, "select": _select, "leak": _leak, "split": _split}


def _parts_of(pool: Pool) -> st.SearchStrategy[Pool]:
    """Return parts of a pool that have rows."""
    return pools(pool.total).map(lambda part: part & pool).filter(bool) | st.just(pool)


def _any_of(draw: st.DrawFn, outcome: Draft | Choice) -> Draft:
    while isinstance(outcome, Choice):
        outcome = outcome.child(draw(st.sampled_from(np.flatnonzero(outcome.weights).tolist())))
    return outcome


@st.composite
def stages(draw: st.DrawFn, /, kind: type[Element], table: pd.DataFrame, **fixed: Any) -> Element:
    """Return a stage, or a drawer, of the library with settings that suit a table.

    Parameters
    ----------
    kind
        A class out of `batchwright.stages`.
    table
        A table as `tables` gives it: its key columns hold text, its ordered column numbers.
    fixed
        Settings that are not drawn.

    Examples
    --------
    >>> from hypothesis import find
    >>> table = pd.DataFrame({"donor": ["a", "b"]})
    >>> find(stages(ExperimentSelector, table), lambda stage: stage.weights is not None)
    ExperimentSelector(by='donor', weights={'a': 1.0, 'b': 1.0})
    """
    settings = _SETTINGS[kind](draw, table, fixed)
    return kind(**{**settings, **fixed})


def _settings_of_selector(draw: st.DrawFn, table: pd.DataFrame, fixed: Mapping[str, Any]) -> dict[str, Any]:
    by = fixed["by"] if "by" in fixed else draw(_columns(table))
    return {"by": by, "weights": draw(st.none() | weights(_labels(table, by)))}


def _settings_of_balancer(draw: st.DrawFn, table: pd.DataFrame, fixed: Mapping[str, Any]) -> dict[str, Any]:
    by = fixed["by"] if "by" in fixed else draw(_columns(table))
    scope = draw(st.sampled_from(["primary", "all", "leak"]))
    return {"by": by, "ratio": draw(st.none() | weights(_labels(table, by))), "scope": scope}


def _settings_of_mixer(draw: st.DrawFn, _: pd.DataFrame, __: Mapping[str, Any]) -> dict[str, Any]:
    return {"fraction": draw(st.sampled_from(_FRACTIONS))}


def _settings_of_enricher(draw: st.DrawFn, table: pd.DataFrame, _: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "by": next(name for name in table if table[name].dtype.kind == "f"),
        "half_width": draw(st.sampled_from([0, 0.5, 2])),
        "global_fraction": draw(st.sampled_from([0.0, 0.3, 0.5, 1.0])),
        "scope": draw(st.sampled_from(["primary", "all", "leak"])),
    }


# Every stage of the library is here; a test holds this against `batchwright.stages`.
_SETTINGS: Mapping[type[Element], Any] = {
    ExperimentSelector: _settings_of_selector,
    LeakMixer: _settings_of_mixer,
    ConditionBalancer: _settings_of_balancer,
    TemporalEnricher: _settings_of_enricher,
    Drawer: lambda *_: {},
}


@st.composite
def chains(draw: st.DrawFn, table: pd.DataFrame) -> list[Element]:
    """Return a chain over a table as `tables` gives it: any of the library's stages, in any order that works.

    Up to two selections, then a leak, up to two balances and a window, the leak among them or behind them.

    Examples
    --------
    >>> from hypothesis import find
    >>> table = pd.DataFrame({"donor": ["a", "b"]})
    >>> find(chains(table), lambda chain: len(chain) > 2)
    [ExperimentSelector(by='donor', weights=None), LeakMixer(fraction=0.0), Drawer()]
    """
    chain: list[Element] = []
    for number in range(draw(st.integers(0, 2))):
        selector: Any = draw(stages(ExperimentSelector, table))
        # A zero in a second selection is refused, since a whole group might be left without any label to select.
        refused = number > 0 and 0.0 in (selector.weights or {}).values()
        chain.append(attrs.evolve(selector, weights=None) if refused else selector)
    leak_at = draw(st.sampled_from([None, 0, 1, 2, 3])) if chain else None
    later: list[type[Stage]] = [ConditionBalancer] * draw(st.integers(0, 2))
    if _has_times(table) and draw(st.booleans()):
        later.append(TemporalEnricher)
    for number, kind in enumerate(later):
        if leak_at == number:
            chain.append(draw(stages(LeakMixer, table)))
        scopes = ["primary", "all", "leak"] if leak_at is not None and leak_at <= number else ["primary", "all"]
        chain.append(draw(stages(kind, table, scope=draw(st.sampled_from(scopes)))))
    if leak_at is not None and leak_at >= len(later):
        chain.append(draw(stages(LeakMixer, table)))
    return [*chain, Drawer()]


@st.composite
def samplers(draw: st.DrawFn, /, table: st.SearchStrategy[pd.DataFrame] | None = None, **fixed: Any) -> PipelineSampler:
    """Return a sampler: a chain over a table, with settings of all kinds.

    Parameters
    ----------
    table
        A strategy of tables; by default `tables`.
    fixed
        Arguments of `PipelineSampler` that are not drawn.

    Examples
    --------
    >>> from hypothesis import find
    >>> sampler = find(samplers(), lambda sampler: len(sampler) > 1)
    >>> list(sampler)
    [[0], [0]]
    """
    rows = draw(tables() if table is None else table)
    settings = {
        "batch_size": draw(st.sampled_from(_SIZES)),
        "num_batches": draw(st.integers(1, 9)),
        "even_batches": draw(st.booleans()),
        "seed": draw(st.integers(0, 2**64 - 1)),
    }
    return PipelineSampler(rows, draw(chains(rows)), **{**settings, **fixed})


def _columns(table: pd.DataFrame) -> st.SearchStrategy[str | list[str]]:
    """Return a key column, or now and then several."""
    keys = [name for name in table if table[name].dtype.kind != "f"]
    one: st.SearchStrategy[str | list[str]] = st.sampled_from(keys)
    several = st.lists(st.sampled_from(keys), min_size=2, unique=True)
    return one if len(keys) < 2 else one | one | cast("Any", several)


def _labels(table: pd.DataFrame, by: str | list[str]) -> list[Hashable]:
    """Return the labels that occur in a column, or the combinations that occur in several."""
    if isinstance(by, str):
        return sorted(set(table[by]), key=str)
    return sorted(set(zip(*(table[name] for name in by), strict=True)), key=str)


def _has_times(table: pd.DataFrame) -> bool:
    return any(table[name].dtype.kind == "f" and table[name].notna().any() for name in table)


def _ordered(table: pd.DataFrame, order_by: str | None) -> str | None:
    return order_by if order_by and table[order_by].notna().any() else None
