"""Law 12: drawn frequencies agree with the exact probabilities of the plan, by seeds that are fixed."""

from collections import Counter
from typing import Any

import numpy as np
import pandas as pd
import pytest

from batchwright import (
    ConditionBalancer,
    Drawer,
    ExperimentSelector,
    LeakMixer,
    MetadataIndex,
    Pipeline,
    Plan,
    TemporalEnricher,
)
from batchwright.drawing import draw_block
from batchwright.testing.statistics import chi_square_limit
from reference import distribution

# A right sampler fails one of these tests with at most this probability over the choice of the seed.
FALSE_ALARM = 1e-6
DRAWS = 20_000

TABLE = pd.DataFrame(
    {
        "experiment": ["a"] * 6 + ["b"] * 4 + ["c"] * 3,
        "condition": ["x", "y", "x", "y", "y", "y", "x", "y", "x", "y", "x", "x", "y"],
        "hours": [0, 0, 1, 1, 2, 2, 0, 1, 2, 3, 0, 0, 1],
    }
)

CHAINS: dict[str, list[Any]] = {
    "draw": [Drawer()],
    "select": [ExperimentSelector(weights={"a": 1, "b": 2, "c": 0.5}), Drawer()],
    "leak": [ExperimentSelector(), LeakMixer(0.34), Drawer()],
    "balance": [ConditionBalancer(ratio={"x": 1, "y": 2}), Drawer()],
    "window": [TemporalEnricher("hours", 1, 0.4), Drawer()],
    "select, leak, balance": [ExperimentSelector(), LeakMixer(0.34), ConditionBalancer(scope="all"), Drawer()],
}


def make_plan(stages: list[Any], batch_size: int = 3) -> Plan:
    pipeline = Pipeline(stages)
    return Plan(pipeline, MetadataIndex.from_table(TABLE, pipeline.key_columns, pipeline.order_column), batch_size)


@pytest.mark.parametrize("name", CHAINS)
def test_batches_come_as_often_as_enumeration_says(name: str) -> None:
    """Every possible batch of a small table comes as often as the full enumeration of paths and draws predicts."""
    plan = make_plan(CHAINS[name])
    expected = distribution(plan)
    found = Counter(tuple(sorted(batch)) for batch in draw_block(plan, 0, 0, range(DRAWS)).tolist())
    assert set(found) <= set(expected)
    # Batches of fewer than ten expected draws are pooled, so that the statistic is close to chi-square.
    rare = {batch for batch, chance in expected.items() if chance * DRAWS < 10}
    cells = [(found[batch], chance * DRAWS) for batch, chance in expected.items() if batch not in rare]
    if rare:
        cells.append((sum(found[batch] for batch in rare), DRAWS * sum(expected[batch] for batch in rare)))
    statistic = sum((count - mean) ** 2 / mean for count, mean in cells)
    assert statistic < chi_square_limit(len(cells) - 1, FALSE_ALARM)


@pytest.mark.parametrize("name", CHAINS)
def test_expected_visits_are_those_of_the_enumeration(name: str) -> None:
    """What the plan says of each row, in O(leaves), is what the enumeration of all batches says."""
    plan = make_plan(CHAINS[name])
    visits = np.zeros(len(TABLE))
    for batch, chance in distribution(plan).items():
        np.add.at(visits, list(batch), chance)
    assert plan.expected_visits() == pytest.approx(visits, abs=1e-9)
    assert plan.expected_visits().sum() == pytest.approx(3)


def test_expected_rows_sum_the_visits_by_label() -> None:
    """Expected rows by one column, or by several, are the expected visits of their rows."""
    plan = make_plan(CHAINS["select, leak, balance"], batch_size=20)
    visits = pd.Series(plan.expected_visits())
    for by in (["experiment"], ["condition"], ["experiment", "condition"]):
        expected = visits.groupby([TABLE[name] for name in by]).sum()
        found = plan.expected_rows(by)
        assert list(found.index) == list(expected.index)
        assert found.to_numpy() == pytest.approx(expected.to_numpy(), abs=1e-6)


def test_rows_of_a_large_table_come_as_often_as_expected() -> None:
    """Over a table too large to enumerate, with all stages on, each row comes as often as the plan says."""
    rng = np.random.default_rng(0)
    table = {
        "experiment": rng.choice(["a", "b", "c"], 300, p=[0.6, 0.3, 0.1]),
        "condition": rng.choice(["x", "y"], 300, p=[0.8, 0.2]),
        "hours": rng.integers(0, 5, 300),
    }
    pipeline = Pipeline(
        [ExperimentSelector(), LeakMixer(0.2), ConditionBalancer(), TemporalEnricher("hours", 1), Drawer()]
    )
    plan = Plan(pipeline, MetadataIndex.from_table(table, pipeline.key_columns, pipeline.order_column), 16)
    found = np.bincount(draw_block(plan, 1, 0, range(DRAWS)).ravel(), minlength=300)
    # Batches are independent and hold a row 0 to `most` times, on average `mean`, so the variance of a batch is at
    # most most * mean, and by Bernstein a count of all draws strays from draws * mean by t with probability
    # 2 exp(-t^2 / (2 draws most mean + 2 most t / 3)). With that equal to FALSE_ALARM over 300 rows, t solves
    # t^2 = level (2 draws most mean + 2 most t / 3), a quadratic equation.
    most = max(-(-share.quota // share.pool.size) for _, draft in plan.leaves() for share in draft.shares)
    mean = plan.expected_visits()
    level = np.log(2 * 300 / FALSE_ALARM)
    linear = level * most / 3
    limit = linear + np.sqrt(linear**2 + 2 * level * DRAWS * most * mean)
    assert (np.abs(found - DRAWS * mean) < limit).all()
    # The bound has teeth: a row that never came, or came twice as often, would be far outside.
    assert (limit < DRAWS * mean / 2).all()
