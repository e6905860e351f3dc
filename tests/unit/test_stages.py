"""Drafts and stages where a sampler alone would not show it: refusals on later paths, odd chains, small pools."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from batchwright import (
    Choice,
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
    Stage,
    TemporalEnricher,
)
from batchwright.drawing import draw_block
from batchwright.errors import ChainError, SettingError
from batchwright.preflight import short_shares

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


def test_a_split_leaves_no_row_behind() -> None:
    """A split in which a share gets no part is refused."""
    with pytest.raises(ChainError, match=r"4 rows of all groups got none \(Draft.split\)"):
        Draft.start(INDEX, 4).split(lambda _: [])


def test_a_second_selection_takes_positive_weights() -> None:
    """A weight of 0 could leave a group nothing to select, in mid-epoch, so it is refused at once."""
    with pytest.raises(SettingError, match=r"positive weights only; 1 are 0, first 'y' \(ExperimentSelector\)"):
        make_plan(ExperimentSelector(), ExperimentSelector(by="condition", weights={"x": 1, "y": 0}))


class Only(Stage):
    """A filter of one experiment."""

    by = "experiment"

    def __init__(self, label: str) -> None:
        self.label = label

    def apply(self, draft: Draft) -> Draft:
        """Keep the experiment."""
        return draft.filter(draft.index.pool("experiment", self.label))


def test_a_weight_must_be_positive_for_what_a_filter_leaves() -> None:
    """Weights that are positive only for rows that a filter has removed are refused."""
    with pytest.raises(SettingError, match=r"positive for a label that is left; all 3 such weights are 0"):
        make_plan(Only("a"), ExperimentSelector(weights={"a": 0, "b": 1, "c": 0}))


@pytest.mark.parametrize("stage", [ConditionBalancer(scope="leak"), TemporalEnricher("hours", 1, scope="leak")])
def test_scope_leak_needs_a_leak(stage: Stage) -> None:
    """A stage that is to work on leaked rows only is refused where none leak in before it."""
    with pytest.raises(ChainError, match=rf"got none before it \({type(stage).__name__}\)"):
        make_plan(ExperimentSelector(), stage, LeakMixer(0.5))
    assert make_plan(ExperimentSelector(), LeakMixer(0.5), stage)


class Offers(Stage):
    """A choice among whatever a function of the draft and a number makes."""

    def __init__(self, child: Any, count: int = 2) -> None:
        self.child = child
        self.count = count

    def apply(self, draft: Draft) -> Choice:
        """Offer so many alternatives."""
        return Choice([1] * self.count, lambda k: self.child(draft, k))


def test_a_filter_is_the_same_for_every_batch() -> None:
    """A random filter would make the length of an epoch, and what later stages find, a matter of chance."""
    with pytest.raises(ChainError, match=r"stage 1, Offers\(.*\), chooses among filters"):
        make_plan(Offers(lambda draft, k: draft.filter(INDEX.pool("experiment", "ab"[k]))))


def test_a_choice_offers_drafts() -> None:
    """An alternative that is no draft is refused, and the stage named."""
    with pytest.raises(ChainError, match=r"got None \(stage 1, Offers"):
        make_plan(Offers(lambda draft, k: None))  # noqa: ARG005 - the signature is given.


def test_rows_lost_on_a_later_path_are_noticed() -> None:
    """The size of a draft is checked on every path: of a few when a plan is made, of all others when they are taken."""
    text = r"sum to batch_size=4; got 3 \(after stage 1"
    with pytest.raises(ChainError, match=text):
        make_plan(Offers(lambda draft, k: Draft.start(draft.index, draft.batch_size - k)))
    plan = make_plan(Offers(lambda draft, k: Draft.start(draft.index, draft.batch_size - (k == 1)), 9))
    with pytest.raises(ChainError, match=text):
        list(plan.leaves())


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
