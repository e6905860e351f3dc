"""Strategies of stages, chains and samplers."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any, cast

import attrs
import pandas as pd
from hypothesis import strategies as st

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
from batchwright.testing.strategies._tables import SIZES, tables, weights

__all__ = ["chains", "samplers", "stages"]

_FRACTIONS = (0.0, 0.2, 0.29, 0.5, 1.0)


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
        "batch_size": draw(st.sampled_from(SIZES)),
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
