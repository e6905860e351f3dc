"""`Plan`: what it says of a chain in numbers, and which stages it refuses."""

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
    MetadataIndex,
    Pipeline,
    Plan,
    Stage,
)
from batchwright.errors import ChainError, SettingTypeError
from refusals import refused

# Groups of 4, 1, 2 and 1 rows, which stand in the index sorted by label.
TABLE = {"experiment": [*"dabcacaa"], "condition": [*"xxxyyxyy"]}
INDEX = MetadataIndex.from_table(TABLE, by=["experiment", "condition"])
SELECT, BALANCE = ExperimentSelector(), ConditionBalancer()


def make_plan(*stages: Any, batch_size: int = 4) -> Plan:
    return Plan(Pipeline([*stages, Drawer()]), INDEX, batch_size)


class Steps(Stage):
    """A stage made of a function."""

    def __init__(self, function: Any) -> None:
        self.function = function

    def apply(self, draft: Draft) -> Any:
        """Return what the function makes of the draft."""
        return self.function(draft)


def test_expected_rows_are_a_series_by_label() -> None:
    """One column gives an index of labels that bears its name."""
    expected = pd.Series([2.0, 0.5, 1.0, 0.5], index=pd.Index([*"abcd"], name="experiment"), name="rows")
    pd.testing.assert_series_equal(make_plan(SELECT).expected_rows("experiment"), expected)


def test_expected_rows_by_two_columns_are_a_series_by_both() -> None:
    """Two columns give a level each; pairs that do not occur in the table are not there."""
    rows = make_plan(SELECT, BALANCE).expected_rows(["experiment", "condition"])
    pairs = [("a", "x"), ("a", "y"), ("b", "x"), ("c", "x"), ("c", "y"), ("d", "x")]
    keys = pd.MultiIndex.from_tuples(pairs, names=["experiment", "condition"])
    pd.testing.assert_series_equal(rows, pd.Series([1.0, 1.0, 0.5, 0.5, 0.5, 0.5], index=keys, name="rows"))


def test_labels_that_are_never_drawn_are_expected_at_0() -> None:
    """Every label of the table is there, in floats, also where no batch has it."""
    rows = make_plan(ExperimentSelector(weights={"a": 1, "b": 0, "c": 0, "d": 0})).expected_rows("experiment")
    assert rows.to_dict() == {"a": 4.0, "b": 0.0, "c": 0.0, "d": 0.0}
    assert rows.dtype == np.float64


def test_expected_visits_are_by_row_of_the_table() -> None:
    """Rows are those of the table, whatever the order of the index; a row of a small group comes more often."""
    visits = make_plan(ExperimentSelector(weights={"a": 1, "b": 0, "c": 1, "d": 2})).expected_visits()
    assert visits.tolist() == [2.0, 0.25, 0.0, 0.5, 0.25, 0.5, 0.25, 0.25]
    assert visits.dtype == np.float64


def test_the_universe_is_what_the_filters_leave() -> None:
    """A plan knows which rows its batches can come from at all."""
    kept = INDEX.pool("condition", "y")
    assert make_plan(Steps(lambda draft: draft.filter(kept)), SELECT).universe == kept


def test_an_error_on_a_later_path_names_its_stage() -> None:
    """What an alternative is shows when it is first opened; the stage that offered it is named then, too."""
    nothing = "A stage must return ...; got None (stage 2, Steps(...)). Return"
    chain = make_plan(SELECT, Steps(lambda draft: Choice([1] * 9, lambda k: None if k == 1 else draft)), BALANCE)
    with refused(ChainError, nothing):
        list(chain.leaves())
    with refused(ChainError, nothing):
        make_plan(SELECT, Steps(lambda draft: Choice([1, 1], lambda k: None if k else draft)), BALANCE)


def filter_by_chance(_: Draft) -> Choice:
    """Offer two filters, of which the second only is ever taken."""
    return Choice([0, 1], lambda k: Draft.start(INDEX, 4).filter(INDEX.pool("experiment", "ab"[k])))


@pytest.mark.parametrize(
    ("function", "text"),
    [
        (
            lambda _: Draft.start(INDEX, 3),
            "The quotas of a draft must sum to batch_size=4; got 3 (after stage 2, Steps(",
        ),
        (
            filter_by_chance,
            "A filter must be the same ...; stage 2, Steps(...), ...first of which keeps 1 rows. Select",
        ),
    ],
    ids=["rows-lost", "random-filter"],
)
def test_what_stages_may_not_do_is_refused(function: Any, text: str) -> None:
    """A stage that loses rows or filters by chance is named, with its number."""
    with refused(ChainError, text):
        make_plan(SELECT, Steps(function))


def test_a_plan_is_of_stages_over_an_index() -> None:
    """A table is refused, which has columns and a size as well."""
    assert Plan([SELECT, Drawer()], INDEX, 3).expected_rows("experiment").sum() == pytest.approx(3)
    with refused(SettingTypeError, "A plan is over an index of a table; got 1 DataFrame (Plan). Make one with"):
        Plan([SELECT, Drawer()], pd.DataFrame({"experiment": ["a"]}), 1)  # type: ignore[arg-type]


def test_choices_within_choices_are_not_all_tried() -> None:
    """A sampler over a stage that chooses so many times in a row tries some paths only, of which there are 2 ** 40."""
    made: list[int] = []

    def choose(draft: Draft, depth: int) -> Draft | Choice:
        made.append(depth)
        assert len(made) <= 5 * 2 * 41
        return Choice([1, 1], lambda _: choose(draft, depth - 1)) if depth else draft

    make_plan(Steps(lambda draft: choose(draft, 40)))
    assert made.count(0) > 1


def test_choices_within_choices_are_not_all_looked_at() -> None:
    """Nor by what explains a chain, which goes through fewer where a stage makes one draft after the other."""
    made: list[int] = []

    def choose(draft: Draft, depth: int) -> Draft | Choice:
        made.append(depth)
        return Choice([1, 1], lambda _: choose(draft, depth - 1)) if depth else draft

    plan = make_plan(Steps(lambda draft: choose(draft, 16)))
    made.clear()
    assert "many to go through here" in str(plan.explain())
    # So many are looked at for what is found, and again for the labels of each of two columns, and as many lead there.
    assert len(made) <= 3 * 3 * 4096


def test_a_filter_of_ones_own_leaves_all_to_be_looked_at() -> None:
    """It works on one draft; behind a choice of very many it would work on each of them, one after the other."""
    index = MetadataIndex.from_table({"experiment": np.arange(5000)}, by="experiment")
    own = Steps(lambda draft: draft)
    assert Plan([own, SELECT, Drawer()], index, 1).survey().whole
    assert not Plan([SELECT, own, Drawer()], index, 1).survey().whole


def test_rows_lost_on_a_later_path_are_found_when_the_tree_is_worked_out() -> None:
    """A stage may be right on the first path and wrong on another one; it is named before a batch is drawn."""
    short = Steps(lambda draft: draft if draft.primary.size > 1 else Draft.start(INDEX, 3))
    with refused(ChainError, "The quotas of a draft must sum to batch_size=4; got 3 (after stage 2, Steps("):
        _ = make_plan(SELECT, short, BALANCE).trunk
