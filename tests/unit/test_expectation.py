"""`Expectation`: numbers by hand, what refuses to be weighted, and drawers and stages of one's own."""

from typing import Any

import numpy as np
import pytest

from batchwright import (
    BaseDrawer,
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
from batchwright.errors import SettingError, SettingTypeError
from batchwright.walk import settled_in, walk
from own import Keep
from reference import visits_and_chances
from refusals import refused

# Groups of 3 and 1 rows, of which conditions are x, x, y and x.
TABLE: dict[str, Any] = {"experiment": [*"aaab"], "condition": [*"xxyx"]}
EQUAL = ExperimentSelector(weights={"a": 1, "b": 1})
ONLY_A = ExperimentSelector(weights={"a": 1, "b": 0})


def expect(*stages: Any, batch_size: int = 2, drawer: BaseDrawer | None = None) -> Any:
    index = MetadataIndex.from_table(TABLE, by=["experiment", "condition"])
    return Plan(Pipeline([*stages, drawer or Drawer()]), index, batch_size).expectation()


class Parts(Stage):
    """Splits the batch into parts, each given by ends of ranges, which may overlap."""

    def __init__(self, *parts: list[int]) -> None:
        self.parts = parts

    def apply(self, draft: Draft) -> Any:
        """Return the draft with a share of each part."""
        pools = [Pool.of(ends[0::2], ends[1::2], draft.index.size) for ends in self.parts]
        return draft.split(lambda _: [(pool, 1.0) for pool in pools])


class WithReplacement(BaseDrawer):
    """Draws each row by itself."""

    def draw(self, quotas: Any, sizes: Any, uniforms: Any) -> Any:
        """Return the rows."""
        return (uniforms.ravel() * np.repeat(sizes, quotas)).astype(np.int64).reshape(uniforms.shape)

    def inclusion(self, quotas: Any, sizes: Any) -> Any:
        """Return the chance to be drawn."""
        return 1 - (1 - 1 / sizes) ** quotas


def test_numbers_by_hand() -> None:
    """Batches of two are two rows of three, or twice the row that is alone, as often."""
    found = expect(EQUAL)
    assert found.visits.to_rows() == pytest.approx([1 / 3, 1 / 3, 1 / 3, 1])
    assert found.inclusion.to_rows() == pytest.approx([1 / 3, 1 / 3, 1 / 3, 1 / 2])
    assert found.repeats == pytest.approx(1 / 2)
    # (1/3 + 1/3 + 1/3 + 1)^2 / (3/9 + 1) = 4 / (4/3).
    assert found.effective_rows == pytest.approx(3)
    assert found.log_q().to_rows() == pytest.approx(np.log([1 / 6, 1 / 6, 1 / 6, 1 / 2]))
    weights = found.importance_weights()
    assert weights.to_rows() == pytest.approx([1.5, 1.5, 1.5, 0.5])
    # sum(v w) = 2, sum(v w^2) = 2.25 + 0.25.
    assert found.effective_batch_size(weights) == pytest.approx(4 / 2.5)


def test_nothing_repeats_exactly() -> None:
    """Where pools suffice the number of repeats is 0, not nearly so."""
    assert expect(ExperimentSelector(), batch_size=1).repeats == 0


def test_rows_that_no_batch_holds() -> None:
    """They are a pool of rows that the filters keep; their logarithm is minus infinity."""
    found = expect(Keep("condition", "x"), ONLY_A)
    assert found.unreached.size == 1
    assert found.fraction_unreached == pytest.approx(1 / 3)
    assert found.log_q().to_rows() == pytest.approx([np.log(0.5), np.log(0.5), -np.inf, -np.inf])


@pytest.mark.parametrize(
    ("second", "visits", "inclusion"),
    [
        # A row of two shares of three, of which one row each is drawn, is held by 1 - 2/3 * 2/3.
        ([0, 2, 3, 4], [2 / 3, 2 / 3, 1 / 3, 1 / 3], [5 / 9, 5 / 9, 1 / 3, 1 / 3]),
        ([0, 2], [5 / 6, 5 / 6, 1 / 3, 0], [2 / 3, 2 / 3, 1 / 3, 0]),
        ([3, 4], [1 / 3, 1 / 3, 1 / 3, 1], [1 / 3, 1 / 3, 1 / 3, 1]),
    ],
)
def test_shares_that_overlap_hold_a_row_by_either(second: Any, visits: list[float], inclusion: list[float]) -> None:
    """Shares are drawn independently; visits sum, and a row is held unless both miss it."""
    found = expect(Parts([0, 3], second))
    assert found.visits.to_rows() == pytest.approx(visits)
    assert found.inclusion.to_rows() == pytest.approx(inclusion)
    assert found.repeats == pytest.approx(2 - sum(inclusion))


def test_a_drawer_says_what_it_holds() -> None:
    """Visits are the same for every drawer that treats rows alike; what is held is what the drawer says."""
    found = expect(EQUAL, drawer=WithReplacement())
    assert found.visits.to_rows() == pytest.approx([1 / 3, 1 / 3, 1 / 3, 1])
    assert found.inclusion.to_rows() == pytest.approx([5 / 18, 5 / 18, 5 / 18, 1 / 2])


def test_filtered_rows_are_no_target() -> None:
    """Without a target all rows that the filters keep are to count alike; others weigh 0."""
    assert expect(Keep("condition", "x"), EQUAL).importance_weights().to_rows() == pytest.approx(
        [4 / 3, 4 / 3, 0, 2 / 3]
    )


def test_a_target_of_labels() -> None:
    """Labels have their part, and the rows of a label are alike; a label of weight 0 may be out of reach."""
    target = {("a", "x"): 1, ("a", "y"): 3, ("b", "x"): 0}
    weights = expect(ONLY_A).importance_weights(target, by=["experiment", "condition"])
    assert weights.to_rows() == pytest.approx([3 / 8, 3 / 8, 9 / 4, 0])


@pytest.mark.parametrize(
    ("stages", "settings", "error", "message"),
    [
        (
            [ONLY_A],
            {},
            SettingError,
            "Weights can make up only for rows that batches hold; 1 rows of the target stand in none",
        ),
        ([EQUAL], {"by": "experiment"}, SettingError, "target and `by` must be given both or neither; got target=None"),
        ([EQUAL], {"target": {"a": 1, "b": 1}}, SettingError, "target and `by` must be given both or neither; got"),
        ([EQUAL], {"target": {"a": 1}, "by": "experiment"}, SettingError, "target must have an entry for every label"),
        ([EQUAL], {"target": {"c": 1}, "by": "experiment"}, SettingError, "target must name labels that occur in"),
        ([EQUAL], {"target": [1], "by": "experiment"}, SettingTypeError, "target must map labels to numbers; got [1]"),
        (
            [Keep("condition", "x"), EQUAL],
            {"target": {"x": 1, "y": 1}, "by": "condition"},
            SettingError,
            "A target must have weight 0 for labels that the filters leave no rows; 1 of 2 labels have none",
        ),
    ],
)
def test_targets_that_cannot_be(stages: Any, settings: Any, error: type[Exception], message: str) -> None:
    """No weight makes up for rows that never come, and a target names each label."""
    with refused(error, message):
        expect(*stages).importance_weights(**settings)


def test_a_filtered_label_may_be_left_out_of_a_target() -> None:
    """Labels that the filters remove need no entry, and may have one of 0."""
    found = expect(Keep("condition", "x"), EQUAL)
    for target in ({"x": 2}, {"x": 2, "y": 0}):
        assert found.importance_weights(target, by="condition").to_rows() == pytest.approx([4 / 3, 4 / 3, 0, 2 / 3])


def test_an_epoch_sums_its_batches() -> None:
    """A sampler counts visits over an epoch, with a last batch that is smaller."""
    sampler = PipelineSampler(TABLE, [Drawer()], batch_size=3, drop_last=False)
    assert sampler.expected_visits() == pytest.approx(np.ones(4))
    sampler = PipelineSampler(TABLE, [EQUAL, Drawer()], batch_size=2, num_batches=6)
    assert sampler.expected_visits() == pytest.approx([2, 2, 2, 6])


def test_labels_that_are_settled_are_not_gone_through() -> None:
    """Windows over times that never repeat cost nothing where they do not change what is asked for."""
    rows = 4000
    table = {"experiment": np.arange(rows) % 2, "condition": np.arange(rows) % 3, "hours": np.arange(rows)}
    index = MetadataIndex.from_table(table, by=["experiment", "condition"], order_by="hours")
    chain = Pipeline(
        [ExperimentSelector(), LeakMixer(0.5), ConditionBalancer(), TemporalEnricher("hours", 5), Drawer()]
    )
    plan = Plan(chain, index, 16)

    def seen(by: Any) -> int:
        return sum(len(stack) for _, stack in walk(chain, plan._start, 1000, settled_in(chain, by)))

    assert seen("experiment") == 2
    assert seen("condition") == 6
    assert seen(["experiment", "condition"]) == 6
    assert plan.expected_rows("experiment").to_dict() == {0: 8.0, 1: 8.0}
    unbalanced = Plan(Pipeline([*chain.steps[:2], chain.steps[3], Drawer()]), index, 16)
    visits = visits_and_chances(unbalanced)[0]
    expected = [visits[table["condition"] == label].sum() for label in range(3)]
    assert unbalanced.expected_rows("condition").to_numpy() == pytest.approx(expected)


class Balance(Stage):
    """Divides every share by condition, and says so."""

    by = "condition"
    only_divides = True

    def apply(self, draft: Draft) -> Any:
        """Return the draft with all its shares split."""
        return draft.split(lambda share: [(pool, 1.0) for pool in draft.index.groups(share.pool, self.by)], "all")


def test_a_stage_of_ones_own_divides_all_shares_unless_it_has_a_scope() -> None:
    """It is gone through where a share has several labels, and only there."""
    index = MetadataIndex.from_table(TABLE, by=["experiment", "condition"])
    chain = Pipeline([EQUAL, LeakMixer(0.5), Balance(), Drawer()])
    plan = Plan(chain, index, 4)
    # Two rows of a selection of x and y, one each, and two of x alone; the leak of the other likewise.
    assert plan.expected_rows("condition").to_dict() == {"x": 3.0, "y": 1.0}
    assert plan.expected_rows("experiment").to_dict() == {"a": 2.0, "b": 2.0}
    assert [level for _, level in _levels(chain, plan, "experiment")] == [2]
    assert [level for _, level in _levels(chain, plan, "condition")] == [3]


def _levels(chain: Pipeline, plan: Plan, by: str) -> list[tuple[int, int]]:
    """Return how many drafts are yielded, and after how many splits, leaks and selections."""
    return [(len(stack), len(stack.done[0])) for _, stack in walk(chain, plan._start, 99, settled_in(chain, by))]
