"""Drafts and stages where a sampler alone would not show it: refusals on later paths, odd chains, small pools."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from batchwright import (
    ConditionBalancer,
    Draft,
    Drawer,
    ExperimentSelector,
    LeakMixer,
    MetadataIndex,
    Pipeline,
    PipelineSampler,
    Plan,
    Pool,
    TemporalEnricher,
)
from batchwright.drawing import draw_block
from batchwright.errors import SettingError
from batchwright.preflight import short_shares
from refusals import refused

TABLE = {
    "experiment": ["a", "a", "a", "b", "b", "c", "c", "c"],
    "condition": ["x", "y", "x", "x", "y", "x", "y", "y"],
    "hours": [0.7, 0.8, 0.9, 0.7, 0.8, 0.9, 5.0, 6.0],
}
INDEX = MetadataIndex.from_table(TABLE, by=["experiment", "condition"], order_by="hours")


def make_plan(*stages: Any, batch_size: int = 4, index: MetadataIndex = INDEX) -> Plan:
    return Plan(Pipeline([*stages, Drawer()]), index, batch_size)


def values(column: str, pool: Pool) -> list[Any]:
    return sorted(TABLE[column][row] for row in INDEX.rows(pool.positions()))


def test_a_selection_narrows_what_was_selected() -> None:
    """A second selection keeps what is in both; the universe stays."""
    draft = Draft.start(INDEX, 4).select(INDEX.pool("experiment", "a")).select(INDEX.pool("condition", "x"))
    assert values("experiment", draft.primary) == ["a", "a"]
    assert draft.universe == Pool.full(8)


def test_a_filter_narrows_the_universe() -> None:
    """A second filter keeps what is in both, for the universe and the selection."""
    draft = Draft.start(INDEX, 4).filter(INDEX.pool("experiment", "a")).filter(INDEX.pool("condition", "x"))
    assert draft.universe == draft.primary == INDEX.pool("experiment", "a") & INDEX.pool("condition", "x")


def test_ends_of_a_window_are_included_in_decimal() -> None:
    """0.7 and 0.9 lie within 0.1 of 0.8, though in binary one of them does not."""
    plan = make_plan(TemporalEnricher("hours", 0.1, 0.0))
    inside = {tuple(sorted({*values("hours", draft.shares[0].pool)})) for _, draft in plan.leaves()}
    assert inside == {(0.7, 0.8), (0.7, 0.8, 0.9), (0.8, 0.9), (5.0,), (6.0,)}


def test_large_whole_numbers_stay_apart() -> None:
    """Nanoseconds since 1970 are told apart, though floats of that size are not."""
    index = MetadataIndex.from_table({"ns": np.int64(2**60) + np.array([0, 1, 2, 1])}, order_by="ns")
    assert index.timeline is not None
    assert index.timeline.times.tolist() == [2**60, 2**60 + 1, 2**60 + 2]


def test_focal_times_have_rows_to_draw() -> None:
    """The times of a condition that gets no rows are never focal."""
    plan = make_plan(ConditionBalancer(ratio={"x": 1, "y": 0}), TemporalEnricher("hours", 0, 0.0))
    times = [{*values("hours", share.pool)} for _, draft in plan.leaves() for share in draft.shares]
    assert sorted(times, key=min) == [{0.7}, {0.9}]


def test_pools_of_many_ranges_in_one_block() -> None:
    """Groups that are scattered over the index are drawn purely, several of them in one block."""
    codes = np.arange(600)
    table = {"plate": codes // 2 % 30, "drug": codes % 5}
    index = MetadataIndex.from_table(table, by=["plate", "drug"])
    plan = make_plan(ExperimentSelector(by="drug"), LeakMixer(0.5), index=index)
    blocks = table["drug"][draw_block(plan, 0, 0, range(200))]
    assert {tuple(row[:2]) for row in blocks} == {(drug, drug) for drug in range(5)}
    assert all(drug not in row[2:] for drug, row in zip(blocks[:, 0], blocks, strict=True))


@pytest.mark.parametrize(("batch_size", "named"), [(2, None), (3, "experiment='b' (2 rows for 3)")])
def test_pools_are_small_from_one_row_short(batch_size: int, named: str | None) -> None:
    """A pool that holds just what is drawn is no finding; one row less is."""
    plan = make_plan(ExperimentSelector(), batch_size=batch_size)
    report = short_shares(plan.trunk, plan.most_drafts)
    assert report is None if named is None else named in str(report)


def test_small_groups_are_found_among_very_many() -> None:
    """The smallest of a thousand groups is named, also where all have the same weight."""
    groups = np.repeat(np.arange(1000), [3 if group == 777 else 20 for group in range(1000)])
    index = MetadataIndex.from_table({"experiment": groups}, by="experiment")
    plan = make_plan(ExperimentSelector(weights=dict.fromkeys(range(1000), 1)), index=index)
    report = short_shares(plan.trunk, plan.most_drafts)
    assert "experiment=777 (3 rows for 4)" in str(report)


CHAIN = [ExperimentSelector(), ConditionBalancer(), TemporalEnricher("hours", 1), Drawer()]
OTHERS = {
    "stages": {"stages": [CHAIN[0], CHAIN[1], Drawer()]},
    "a setting": {"stages": [ExperimentSelector(weights={"a": 1, "b": 1, "c": 2}), *CHAIN[1:]]},
    "batch size": {"batch_size": 3},
    "number of batches": {"num_batches": 8},
    "order of rows": {"table": {name: column[::-1] for name, column in TABLE.items()}},
    "labels": {"table": {**TABLE, "condition": ["x"] * 8}},
    "times": {"table": {**TABLE, "hours": [hours + 1 for hours in TABLE["hours"]]}},
    "group sizes": {"table": {**TABLE, "experiment": [*"aaabbbcc"]}},
}


@pytest.mark.parametrize("name", OTHERS)
def test_a_state_of_something_else_is_refused(name: str) -> None:
    """Another table, chain or length of epoch is another plan, whose positions mean nothing here."""
    settings: dict[str, Any] = {"table": TABLE, "stages": CHAIN, "batch_size": 2, "num_batches": 9}
    state = PipelineSampler(**settings).state_dict()
    which = "table" if "table" in OTHERS[name] else "chain"
    with pytest.raises(ValueError, match=rf"{which}='"):
        PipelineSampler(**{**settings, **OTHERS[name]}).load_state_dict(state)


def test_the_order_in_which_weights_are_written_does_not_matter() -> None:
    """The same weights in another order are the same chain."""
    assert repr(ExperimentSelector(weights={"a": 1, "b": 2})) == repr(ExperimentSelector(weights={"b": 2, "a": 1}))


def test_weights_may_be_a_series() -> None:
    """As counts by label are, of one column or of several."""
    frame = pd.DataFrame({"a": [*"xxy"], "b": [1, 2, 2]})
    assert ExperimentSelector("a", frame["a"].value_counts()) == ExperimentSelector("a", {"x": 2, "y": 1})
    pairs = {("x", 1): 1, ("x", 2): 1, ("y", 2): 1}
    assert ConditionBalancer(["a", "b"], ratio=frame.value_counts()) == ConditionBalancer(["a", "b"], ratio=pairs)
    with refused(SettingError, "weights must name each label once; 1 stand again: 'x' (ExperimentSelector). Sum"):
        ExperimentSelector("a", frame.set_index("a")["b"])
