"""Exact numbers of a plan: over any table and chain those of the enumeration, and those of 100,000 drawn batches."""

from typing import Any

import attrs
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from batchwright import (
    ConditionBalancer,
    Drawer,
    ExperimentSelector,
    LeakMixer,
    MetadataIndex,
    Pipeline,
    PipelineSampler,
    Plan,
    Pools,
    PreflightError,
    TemporalEnricher,
    tally,
)
from batchwright.drawing import draw_block
from batchwright.testing.strategies import chains, indices, pools, tables
from reference import visits_and_chances

BATCHES = 100_000
A_BLOCK = 5_000

rng = np.random.default_rng(0)
TABLE = pd.DataFrame(
    {
        "experiment": rng.choice(["a", "b", "c"], 90, p=[0.6, 0.3, 0.1]),
        "condition": rng.choice(["x", "y", "z"], 90, p=[0.7, 0.2, 0.1]),
        "hours": rng.integers(0, 5, 90) / 2,
    }
)
SELECT, LEAK = ExperimentSelector(weights={"a": 1, "b": 2, "c": 2}), LeakMixer(0.34)
WINDOW = TemporalEnricher("hours", 0.5, 0.4)
CHAINS: dict[str, list[Any]] = {
    "draw": [],
    "select": [SELECT],
    "leak": [SELECT, LEAK],
    "balance": [ConditionBalancer(ratio={"x": 1, "y": 2, "z": 0.5})],
    "window": [WINDOW],
    "select by two": [ExperimentSelector(by=["experiment", "condition"])],
    "select twice": [ExperimentSelector(), ExperimentSelector(by="condition")],
    "select, leak, balance": [SELECT, LEAK, ConditionBalancer(scope="all")],
    "select, balance, leak, window": [SELECT, ConditionBalancer(), LEAK, attrs.evolve(WINDOW, scope="all")],
    "all": [SELECT, LEAK, ConditionBalancer(), WINDOW],
}


def make_plan(stages: list[Any], batch_size: int, table: pd.DataFrame = TABLE) -> Plan:
    pipeline = Pipeline([*stages, Drawer()])
    index = MetadataIndex.from_table(table, ["experiment", "condition"], pipeline.order_column)
    return Plan(pipeline, index, batch_size)


@st.composite
def plans(draw: st.DrawFn) -> tuple[Plan, pd.DataFrame]:
    """Return a plan over a small table of all kinds, and that table."""
    table = draw(tables(max_cells=3))
    return make_plan(draw(chains(table))[:-1], draw(st.sampled_from([1, 3, 5])), table), table


@given(plans())
def test_rows_are_those_of_the_enumeration(drawn: tuple[Plan, pd.DataFrame]) -> None:
    """Visits and inclusion of each row are sums over all leaves, taken one after the other; never held is exactly 0."""
    plan, _ = drawn
    visits, chances = visits_and_chances(plan)
    expectation = plan.expectation()
    assert expectation.visits.to_rows() == pytest.approx(visits, rel=1e-9, abs=0)
    assert expectation.inclusion.to_rows() == pytest.approx(chances, rel=1e-9, abs=0)
    assert plan.expected_visits().tolist() == expectation.visits.to_rows().tolist()
    surveyed = plan.survey().expectation
    assert surveyed is not None
    assert surveyed.inclusion.to_rows() == pytest.approx(chances, rel=1e-9, abs=0)
    kept = plan.universe.size
    assert expectation.unreached.size == (visits == 0).sum() - (len(visits) - kept)
    assert expectation.fraction_unreached == expectation.unreached.size / kept
    assert expectation.repeats == pytest.approx(plan.batch_size - chances.sum(), abs=1e-9)
    assert expectation.effective_rows == pytest.approx(visits.sum() ** 2 / (visits**2).sum())


@settings(max_examples=60)
@given(plans(), st.sampled_from(["experiment", "condition", ["experiment", "condition"], ["condition", "experiment"]]))
def test_labels_are_those_of_the_enumeration(drawn: tuple[Plan, pd.DataFrame], by: Any) -> None:
    """Expected rows by label are the visits of their rows, though not all stages are gone through for them."""
    plan, table = drawn
    keys = [table[name].to_numpy() for name in ([by] if isinstance(by, str) else by)]
    expected = pd.Series(visits_and_chances(plan)[0]).groupby(keys).sum()
    for found in (plan.expected_rows(by), plan.expectation().visits.by(by)):
        assert found.to_dict() == pytest.approx(expected.to_dict(), rel=1e-9, abs=1e-12)
        assert list(found.index) == list(expected.index)


@settings(max_examples=60)
@given(plans())
def test_leaves_in_small_lots_are_the_same(drawn: tuple[Plan, pd.DataFrame]) -> None:
    """However few drafts are worked out at a time, the sums come out the same."""
    plan, _ = drawn
    plan.breadth = 1 << 20
    assert plan.most_drafts == 1
    visits, chances = visits_and_chances(plan)
    with pytest.MonkeyPatch.context() as patch:
        # Sums are added up after every other lot.
        patch.setattr(tally, "_PUT_BY", 0)
        expectation = plan.expectation()
    assert expectation.visits.to_rows() == pytest.approx(visits, rel=1e-9, abs=0)
    assert expectation.inclusion.to_rows() == pytest.approx(chances, rel=1e-9, abs=0)


@pytest.mark.parametrize("name", CHAINS)
def test_drawn_batches_agree(name: str) -> None:
    """Of 100,000 batches visits, inclusion, repeats and rows by label lie within 4 standard errors of what is exact."""
    plan = make_plan(CHAINS[name], batch_size=13)
    expectation, rows = plan.expectation(), plan.expected_rows("condition")
    codes = rows.index.get_indexer(TABLE["condition"])
    # For each batch: how often it holds each row, whether it does, how many are others, how many of each label.
    sums, squares = np.zeros(2 * len(TABLE) + 1 + len(rows)), 0.0
    for start in range(0, BATCHES, A_BLOCK):
        batches = draw_block(plan, 3, 0, range(start, start + A_BLOCK)).astype(np.int64)
        held = _counts(batches, len(TABLE))
        facts = np.column_stack([held, held > 0, 13 - (held > 0).sum(axis=1), _counts(codes[batches], len(rows))])
        sums, squares = sums + facts.sum(axis=0), squares + (facts**2).sum(axis=0)
    mean = sums / BATCHES
    exact = np.concatenate(
        [expectation.visits.to_rows(), expectation.inclusion.to_rows(), [expectation.repeats], rows.to_numpy()]
    )
    # Batches are independent, so the mean of a fact has the standard error sqrt(variance / BATCHES), with the variance
    # as it was found. Rounding in sums of probabilities adds far less than 1e-6. Of some 180 facts a right plan has one
    # beyond 4 standard errors with probability 180 * 6e-5 = 1 %, over seeds; this one is fixed.
    error = np.sqrt(np.maximum(squares / BATCHES - mean**2, 0) / BATCHES)
    assert (np.abs(mean - exact) <= 4 * error + 1e-6).all()
    # The bound has teeth: that is at most a tenth of any chance that is not small, and 0 is told from 1 in 10,000.
    assert (4 * error <= 0.1 * exact + 1e-3).all()


def _counts(values: Any, count: int) -> Any:
    """Return how often each number stands in each line: shape (lines, count)."""
    lines = np.arange(len(values))[:, None] * count
    return np.bincount((lines + values).ravel(), minlength=len(values) * count).reshape(len(values), count)


@settings(max_examples=60)
@given(plans(), st.randoms(use_true_random=False), st.booleans())
def test_weights_leave_no_bias(drawn: tuple[Plan, pd.DataFrame], chance: Any, by_label: bool) -> None:
    """Summed over all leaves, the weighted mean loss of a batch is the mean over all rows, or over the target."""
    plan, table = drawn
    visits, _ = visits_and_chances(plan)
    labels = sorted(set(table["condition"]))
    target = {label: chance.choice([0, 1, 2.5]) for label in labels} | {labels[0]: 1}
    wanted = np.ones(len(table)) if not by_label else table["condition"].map(target).to_numpy(dtype=float)
    if by_label:
        wanted = wanted / table.groupby("condition")["condition"].transform("size").to_numpy()
    wanted = wanted / wanted.sum()
    expectation = plan.expectation()
    aim: dict[str, Any] = {"target": target, "by": "condition"} if by_label else {}
    missed = ((visits == 0) & (wanted > 0)).sum()
    if missed:
        with pytest.raises(ValueError, match=f"; {missed} rows of the target stand in none"):
            expectation.importance_weights(**aim)
        return
    weights = expectation.importance_weights(**aim)
    # A batch holds row i visits[i] times on average, and each slot is one of batch_size.
    assert visits * weights.to_rows() / plan.batch_size == pytest.approx(wanted, rel=1e-9, abs=1e-15)
    found = expectation.effective_batch_size(weights)
    values = weights.to_rows()
    assert found == pytest.approx((visits @ values) ** 2 / (visits @ values**2))
    assert found <= plan.batch_size * (1 + 1e-9)


@settings(max_examples=60)
@given(tables(), st.data(), st.integers(1, 12))
def test_a_strict_sampler_has_nothing_that_is_reported(table: pd.DataFrame, data: st.DataObject, size: int) -> None:
    """A sampler is refused with `strict` if and only if its plan has an error or a warning; none repeats rows then."""
    stages = data.draw(chains(table))
    sampler = PipelineSampler(table, stages, size, num_batches=1)
    grave = [finding for finding in sampler.plan.findings() if finding.severity != "note"]
    if grave:
        with pytest.raises(PreflightError, match=f"got {len(grave)} "):
            PipelineSampler(table, stages, size, num_batches=1, strict=True)
    else:
        PipelineSampler(table, stages, size, num_batches=1, strict=True)
        assert sampler.plan.expectation().repeats == pytest.approx(0, abs=1e-9)
        assert not sampler.plan.expectation().unreached


@given(st.data(), st.sampled_from(["experiment", "condition", ["condition", "experiment"]]))
def test_pools_of_one_label_are_told(data: st.DataObject, by: Any) -> None:
    """Whether all rows of a pool have one label is worked out for many pools at once, whatever ranges they have."""
    index = data.draw(indices({"experiment": ["a", "b", "c"], "condition": ["x", "y"]}))
    some = data.draw(st.lists(pools(index.size).filter(bool), min_size=1, max_size=5))
    expected = [len(index.groups(pool, by)) == 1 for pool in some]
    assert index.agree(Pools.of(some, index.size), by).tolist() == expected
