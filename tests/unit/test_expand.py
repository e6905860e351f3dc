"""`Stage.expand`: of many drafts at once the stages make just what `apply` makes of each, and refuse the same."""

from typing import Any

import attrs
import numpy as np
import pytest

from batchwright import (
    ConditionBalancer,
    Draft,
    DraftStack,
    Drawer,
    ExperimentSelector,
    Finding,
    LeakMixer,
    MetadataIndex,
    Pipeline,
    PipelineSampler,
    Plan,
    Share,
    Stage,
    TemporalEnricher,
)
from batchwright.errors import ChainError
from batchwright.options import Expansion, Options

# Four experiments of many labels and hours, of which every experiment lacks some; long enough that an unstable sort
# does not keep the order of what is alike.
ROWS = np.arange(600)
TABLE = {
    "experiment": [f"e{row % 4}" for row in ROWS],
    "condition": [f"c{row * row % 97:02}" for row in ROWS],
    "hours": [float(row % 23) if row % 5 else None for row in ROWS],
}
INDEX = MetadataIndex.from_table(TABLE, ["experiment", "condition"], "hours")
EXPERIMENTS = Draft.start(INDEX, 1).groups("experiment")
LABELS = INDEX.labels_of("condition")


def drafts(batch_size: int, *, leak: bool, split: bool) -> list[Draft]:
    """Return a draft for each experiment, with rows from elsewhere and split in two if asked for."""
    made = [Draft.start(INDEX, batch_size).select(pool) for pool in EXPERIMENTS]
    if leak:
        made = [any_of(draft.leak(draft.universe - draft.primary, 3)) for draft in made]
    if split:
        half = INDEX.pool("condition", LABELS[0]) | INDEX.pool("condition", LABELS[-1])
        made = [any_of(draft.split(lambda share: [(share.pool - half, 3), (share.pool & half, 1)])) for draft in made]
    return made


def any_of(outcome: Any) -> Draft:
    """Return the draft, or the last one of a choice."""
    return outcome if isinstance(outcome, Draft) else any_of(outcome.child(len(outcome.weights) - 1))


def paths(outcome: Any) -> list[tuple[float, Draft]]:
    """Return what can become of a draft, with probabilities, in order."""
    if isinstance(outcome, Draft):
        return [(1.0, outcome)]
    return [(outcome.weights[k], outcome.child(k)) for k in np.flatnonzero(outcome.weights).tolist()]


def paths_at_once(stage: Stage, several: list[Draft]) -> list[list[tuple[float, Draft]]]:
    """Return the same for each of several drafts, worked out at once."""
    expanded = stage.expand(DraftStack.of(several))
    if not isinstance(expanded, Options):
        return [[(1.0, expanded[k])] for k in range(len(several))]
    numbers_of, numbers, low = expanded.every()
    stack = expanded.take(numbers_of, numbers)
    assert isinstance(stack, DraftStack)
    found: list[list[tuple[float, Draft]]] = [[] for _ in several]
    for k, draft in enumerate(numbers_of.tolist()):
        high = low[k + 1] if k + 1 < low.size and numbers_of[k + 1] == draft else 1.0
        found[draft].append((high - low[k], stack[k]))
    return found


STAGES = [
    ExperimentSelector("condition"),
    ExperimentSelector("condition", {label: 1 + k % 3 for k, label in enumerate(LABELS)}),
    LeakMixer(0.3),
    LeakMixer(0),
    ConditionBalancer(),
    ConditionBalancer(scope="all"),
    ConditionBalancer(ratio={label: k % 4 for k, label in enumerate(LABELS)}),
    ConditionBalancer(ratio={label: k % 2 for k, label in enumerate(LABELS)}, scope="leak"),
    TemporalEnricher("hours", 2),
    TemporalEnricher("hours", 2, 0.5, "all"),
    TemporalEnricher("hours", 0, 0.25, "leak"),
]
KINDS = [(leak, split) for leak in (False, True) for split in (False, True)]


def attempt(function: Any) -> Any:
    """Return what a function returns, or the message with which it refuses."""
    try:
        return function()
    except ChainError as error:
        return str(error)


@pytest.mark.parametrize(("leak", "split"), KINDS)
@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: repr(stage)[:40])
def test_many_drafts_at_once_become_what_each_becomes(stage: Stage, leak: bool, split: bool) -> None:
    """Drafts, in order, with their shares, probabilities and record; and where one is refused, so are all."""
    several = drafts(41, leak=leak, split=split)
    expected = attempt(lambda: [paths(stage.apply(draft)) for draft in several])
    found = attempt(lambda: paths_at_once(stage, several))
    if isinstance(expected, str):
        assert found == expected
        return
    assert [[draft for _, draft in each] for each in found] == [[draft for _, draft in each] for each in expected]
    for ours, theirs in zip(found, expected, strict=True):
        assert [chance for chance, _ in ours] == pytest.approx([chance for chance, _ in theirs], abs=1e-9)


@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: repr(stage)[:40])
def test_what_comes_too_late_is_refused_at_once_as_one_by_one(stage: Stage) -> None:
    """After a window, and without a selection, a stage refuses many drafts with the message for one."""
    windows = TemporalEnricher("hours", 2, 0.0)
    for several in (
        [any_of(windows.apply(draft)) for draft in drafts(40, leak=False, split=False)],
        [Draft.start(INDEX, 40)] * 2,
    ):
        expected = attempt(lambda several=several: [paths(stage.apply(draft)) for draft in several])
        found = attempt(lambda several=several: paths_at_once(stage, several))
        assert isinstance(expected, str) == isinstance(found, str)
        if isinstance(expected, str):
            assert found == expected


def test_a_stage_that_changes_apply_is_drawn_by_it() -> None:
    """What a subclass inherits of `expand` belongs to another `apply`; what it brings of its own does not."""

    class Rarest(ExperimentSelector):
        def apply(self, draft: Draft) -> Draft:
            groups = draft.groups(self.by)
            return draft.select(groups[int(groups.sizes.argmin())])

    class Named(Rarest):
        def findings(self, _: DraftStack) -> list[Finding]:
            return []

    class Undone(Rarest):
        def expand(self, stack: DraftStack) -> Expansion:
            return ExperimentSelector.expand(self, stack)

    class OfAnyClass:
        apply = Rarest.apply

    class Mixed(OfAnyClass, ExperimentSelector):
        expand = Undone.expand

    table = {"group": ["a"] * 90 + ["b"] * 2}
    for kind, rows in ((Rarest, {90, 91}), (Named, {90, 91}), (Undone, set(range(92))), (Mixed, set(range(92)))):
        sampler = PipelineSampler(table, [kind("group"), Drawer()], 2, num_batches=1000)
        assert {row for batch in sampler for row in batch} == rows


def test_a_stage_that_changes_apply_says_for_itself_that_it_only_divides() -> None:
    """It may take another part of a batch from each label, as one that takes all rows from a single label does."""

    class OnlyTheFirst(ConditionBalancer):
        def apply(self, draft: Draft) -> Draft:
            return attrs.evolve(draft, shares=(Share(draft.shares[0].pool, draft.batch_size),))

    class Same(ConditionBalancer):
        only_divides = True

        def apply(self, draft: Draft) -> Any:
            return super().apply(draft)

    class First:
        apply = OnlyTheFirst.apply

    class Mixed(First, ConditionBalancer):
        pass

    index = MetadataIndex.from_table({"condition": ["x"] * 6 + ["y"] * 2}, by="condition")
    first = {"x": 4, "y": 0}
    for kind, expected in ((OnlyTheFirst, first), (Mixed, first), (Same, {"x": 2, "y": 2})):
        plan = Plan(Pipeline([ConditionBalancer(), kind(), Drawer()]), index, 4)
        assert plan.expected_rows("condition").to_dict() == expected

    class Named(ConditionBalancer):
        """Change nothing of either."""

    assert [kind.only_divides for kind in (OnlyTheFirst, Mixed, Same, Named)] == [False, False, True, True]
