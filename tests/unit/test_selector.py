"""`ExperimentSelector`: which groups are offered, with which weights, and which weights are refused."""

from typing import Any

import pytest

from batchwright import Draft, ExperimentSelector, MetadataIndex, SettingError
from refusals import refused

TABLE = {"experiment": [*"aaabbc"], "condition": [*"xxyxyy"]}
INDEX = MetadataIndex.from_table(TABLE, by=["experiment", "condition"])
START = Draft.start(INDEX, 4)
A, B, C = (INDEX.pool("experiment", label) for label in "abc")


@pytest.mark.parametrize(
    ("draft", "weights", "chances", "rows"),
    [
        pytest.param(START, None, [3 / 6, 2 / 6, 1 / 6], [3, 2, 1], id="by-rows"),
        pytest.param(START, {"a": 1, "b": 0, "c": 4}, [0.2, 0.0, 0.8], [3, 2, 1], id="by-weights"),
        pytest.param(START.filter(B | C), {"a": 2, "b": 1, "c": 1}, [0.5, 0.5], [2, 1], id="of-what-is-left"),
    ],
)
def test_groups_are_offered_in_order(draft: Draft, weights: Any, chances: list[float], rows: list[int]) -> None:
    """Every group of the primary rows is an alternative, with its probability and its number of rows."""
    choice = ExperimentSelector(weights=weights).apply(draft)
    assert choice.weights.tolist() == chances
    offered = [choice.child(k) for k in range(len(rows))]
    assert [child.primary.size for child in offered if isinstance(child, Draft)] == rows


@pytest.mark.parametrize(
    ("draft", "weights", "text"),
    [
        (
            START.select(A | B),
            {"a": 0, "b": 1, "c": 0},
            "A second selection must have positive weights only; 2 are 0, first 'a' (ExperimentSelector). Filter",
        ),
        (
            START.filter(A | B),
            {"a": 0, "b": 0, "c": 1},
            "weights must be positive for a label that is left; all 3 such weights are 0 (ExperimentSelector). Raise",
        ),
        (START, {"a": 1, "b": 1}, "weights must have an entry ... of ('experiment',); 1 have none: 'c' (ExperimentSel"),
    ],
    ids=["second-selection", "all-filtered", "left-out"],
)
def test_weights_that_select_nothing_are_refused(draft: Draft, weights: Any, text: str) -> None:
    """Weights must leave something to select, whatever was filtered or selected before."""
    ExperimentSelector(weights={"a": 0, "b": 1, "c": 0}).check(draft if "select" not in draft.done else START)
    ExperimentSelector(weights={"a": 1, "b": 1, "c": 1}).check(draft)
    with refused(SettingError, text):
        ExperimentSelector(weights=weights).check(draft)
