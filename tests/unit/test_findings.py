"""Preflight: each finding is there where it is due, with its severity and the label it names, and not elsewhere."""

import logging
from typing import Any

import numpy as np
import pytest

from batchwright import (
    Choice,
    ConditionBalancer,
    Draft,
    DraftStack,
    Drawer,
    ExperimentSelector,
    Finding,
    FlexibleBatchSampler,
    LeakMixer,
    MetadataIndex,
    Pipeline,
    PipelineSampler,
    Plan,
    PreflightError,
    Stage,
    TemporalEnricher,
)
from batchwright.errors import SettingTypeError
from refusals import refused

# Groups a and b have both conditions at 0 and 1 hours, c has only x, at 9 hours; d has no hours.
TABLE: dict[str, Any] = {
    "experiment": [*"aaaaaaaabbbbbbbbccccdddd"],
    "condition": [*"xxxxyyyyxxxxyyyyxxxxxxyy"],
    "hours": [0, 0, 1, 1] * 4 + [9] * 4 + [None] * 4,
}
SELECT, BALANCE = ExperimentSelector(), ConditionBalancer()


class OnlyLarge(Stage):
    """Selects among experiments of eight rows."""

    by = "experiment"

    def apply(self, draft: Draft) -> Choice:
        large = [group for group in draft.groups(self.by) if group.size == 8]
        return Choice([1] * len(large), lambda k: draft.select(large[k]))


def findings(*stages: Any, batch_size: int = 2, keep: str = "abcd", **columns: Any) -> list[Finding]:
    """Return all findings of a chain over the rows of some experiments."""
    rows = [k for k, experiment in enumerate(TABLE["experiment"]) if experiment in keep]
    table = {name: [values[k] for k in rows] for name, values in {**TABLE, **columns}.items()}
    index = MetadataIndex.from_table(table, by=["experiment", "condition"], order_by="hours")
    found = list(Plan(Pipeline([*stages, Drawer()]), index, batch_size).findings())
    assert all(finding.way_out.endswith(".") for finding in found)
    return found


def found(*stages: Any, **settings: Any) -> list[tuple[str, str]]:
    """Return severity and message of all of them."""
    return [(finding.severity, finding.message) for finding in findings(*stages, **settings)]


def test_a_chain_that_holds_has_no_findings() -> None:
    """Every stage does what it is asked, in every batch."""
    window = TemporalEnricher("hours", 0.5)
    assert found(SELECT, LeakMixer(0.5), BALANCE, window, batch_size=4, keep="ab") == []


CASES: dict[str, tuple[dict[str, Any], str, str, str]] = {
    "small pool": (
        {"stages": [SELECT], "batch_size": 5},
        "warning",
        "2 do not, in 4 compositions looked at",
        "Lower batch_size, or filter these groups out.",
    ),
    "unreached": (
        {"stages": [OnlyLarge(), ConditionBalancer(ratio={"x": 1, "y": 0})]},
        "warning",
        "16 of 24 stand in none; all rows of experiment: 'c', 'd'; of condition: 'y'",
        "Filter them out if they should stay away, or see which stage passes them over.",
    ),
    "unreached as asked": (
        {"stages": [ConditionBalancer(ratio={"x": 1, "y": 0})]},
        "note",
        "10 of 24 stand in none; all rows of condition: 'y'",
        "Raise their weight or ratio from 0 if batches should hold them.",
    ),
    "unreached group": (
        {"stages": [ExperimentSelector(weights={**dict.fromkeys("abc", 1), "d": 0})]},
        "note",
        "4 of 24 stand in none; all rows of experiment: 'd'",
        "Raise their weight or ratio from 0 if batches should hold them.",
    ),
    "small pool of a window": (
        {"stages": [SELECT, TemporalEnricher("hours", 0.5, 0)], "batch_size": 6, "keep": "ab"},
        "warning",
        "4 do not, in 4 compositions looked at",
        "Where a window cuts them, raise half_width or global_fraction. Lower batch_size, or filter these groups out.",
    ),
    "weight 0": (
        {"stages": [ExperimentSelector(weights={**dict.fromkeys("abc", 1), "d": 0}), LeakMixer(0.5)]},
        "note",
        "1 of 4 groups have weight 0 and are never selected: 'd'.",
        "Filter them out if their rows should not leak in either.",
    ),
    "starved": (
        {"stages": [ExperimentSelector(weights={"a": 8, "b": 0.5, "c": 4, "d": 4})]},
        "warning",
        "the weights of 1 of 4 groups are less than a 10th of that: 'b'.",
        "Raise them, or leave the weights out.",
    ),
    "no leak": (
        {"stages": [SELECT, LeakMixer(0.5)], "keep": "a"},
        "error",
        "1 of 1 selections leave none outside",
        "Leave the stage out, or select by a column with more labels.",
    ),
    "leak of 0": (
        {"stages": [SELECT, LeakMixer(0.3)]},
        "error",
        "0.3 of 2 rows are 0 whole ones.",
        "Raise the fraction or batch_size, or leave the stage out.",
    ),
    "missing label": (
        {"stages": [SELECT, BALANCE], "batch_size": 1},
        "warning",
        "1 are missing in some of 4: 'y' in 1, first in experiment='c' condition='x'.",
        "Filter these groups or these labels out if that is not meant.",
    ),
    "missing label by a ratio": (
        {"stages": [SELECT, ConditionBalancer(ratio={"x": 2, "y": 0.5})], "batch_size": 1},
        "warning",
        "1 are missing in some of 4: 'y' in 1, first in experiment='c' condition='x'.",
        "Filter these groups or these labels out if that is not meant.",
    ),
    "one label": (
        {"stages": [SELECT, BALANCE], "keep": "c"},
        "error",
        "all 1 have a single label to draw from.",
        "Leave the stage out, or balance by another column.",
    ),
    "empty window": (
        {"stages": [BALANCE, TemporalEnricher("hours", 0)], "keep": "abc"},
        "warning",
        "1 of 6 looked at have none in theirs, most often condition='y'. Their rows all come from outside.",
        "Raise half_width, or filter these groups out.",
    ),
    "all in windows": (
        {"stages": [SELECT, TemporalEnricher("hours", 1)], "keep": "ab"},
        "error",
        "all 4 shares looked at lie inside theirs.",
        "Lower half_width, or leave the stage out.",
    ),
    "all in windows but for a leak": (
        {"stages": [SELECT, LeakMixer(0.5), TemporalEnricher("hours", 1)], "keep": "ab"},
        "error",
        "all 4 shares looked at lie inside theirs.",
        "Lower half_width, or leave the stage out.",
    ),
    "no times": (
        {"stages": [SELECT, TemporalEnricher("hours", 0)]},
        "warning",
        "1 of 4 drafts have none, first experiment='d'.",
        "Filter these groups out, or leave the stage out.",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_what_is_found(name: str) -> None:
    """Each case has the finding that it is made for, with a way out."""
    settings, severity, message, way_out = CASES[name]
    others = {name: value for name, value in settings.items() if name != "stages"}
    due = [finding for finding in findings(*settings["stages"], **others) if message in finding.message]
    assert [(finding.severity, finding.way_out) for finding in due] == [(severity, way_out)]


def test_a_leak_from_nowhere_in_some_selections() -> None:
    """A warning, since others have one."""
    stages = [ExperimentSelector(by="condition"), LeakMixer(0.5)]
    assert all("leak" not in message for _, message in found(*stages))

    class OrAll(Stage):
        """Selects a group, or everything."""

        def apply(self, draft: Any) -> Any:
            """Return the choice."""
            groups = draft.groups("experiment")
            return Choice([1, 1], lambda k: draft.select(groups[0] if k else draft.universe))

    assert (
        "warning",
        "A leak should have rows to come from; 1 of 2 selections leave none outside, first all groups.",
    ) in (found(OrAll(), LeakMixer(0.5)))


def test_errors_come_first() -> None:
    """Findings are sorted by severity."""
    severities = [severity for severity, _ in found(SELECT, LeakMixer(0.1), BALANCE, batch_size=9)]
    assert severities == ["error", "warning", "warning"]


def test_stages_of_ones_own_tell_what_they_find() -> None:
    """A stage may have findings on the drafts that come to it."""

    class Counts(Stage):
        """Finds how many drafts there are."""

        def apply(self, draft: Any) -> Any:
            """Return it as it is."""
            return draft

        def findings(self, stack: DraftStack) -> list[Finding]:
            """Return their number."""
            return [Finding("note", f"{len(stack)} drafts.", "Go on.")]

    assert found(SELECT, Counts()) == [("note", "4 drafts.")]


def test_what_is_not_looked_at_is_said() -> None:
    """Of a tree with more situations than can be gone through some are, and a note says so."""
    table = {"experiment": np.arange(140_000)}
    plan = Plan(Pipeline([SELECT, Drawer()]), MetadataIndex.from_table(table, by="experiment"), 1)
    assert [finding.message for finding in plan.findings()] == [
        "A preflight looks at up to 131072 compositions of a batch; here are more, and 4096 of small groups were."
    ]
    assert "140000, 4096 seen" in str(plan.explain())
    assert plan.explain().to_dict()["repeats"] is None


def test_an_epoch_of_one_smaller_batch_is_looked_at_as_it_is(caplog: pytest.LogCaptureFixture) -> None:
    """Where no batch has the size that was asked for, pools need not hold as many rows."""
    table = {"group": ["a", "b"] * 12}
    sampler = PipelineSampler(table, [Drawer()], 100, drop_last=False, strict=True)
    assert [sorted(batch) for batch in sampler] == [list(range(24))]
    assert not caplog.records
    with pytest.raises(PreflightError, match="24 rows for 100"):
        PipelineSampler(table, [Drawer()], 100, num_batches=1, strict=True)
    small = [ExperimentSelector("group"), Drawer()]
    with pytest.raises(PreflightError, match="12 rows for 24"):
        PipelineSampler(table, small, 100, drop_last=False, strict=True)


def test_strict_refuses_what_is_else_logged(caplog: pytest.LogCaptureFixture) -> None:
    """Errors and warnings are listed in one error; notes are none; without `strict` one warning is logged."""
    stages = [SELECT, LeakMixer(0.1), Drawer()]
    strict = "A strict sampler must have no errors and no warnings; got 2"
    with refused(PreflightError, f"{strict} (PipelineSampler). Mend"):
        PipelineSampler(TABLE, stages, 5, strict=True)
    with pytest.raises(PreflightError, match=r"(?s)\n- error: A leak should.*\n- warning: A pool should"):
        PipelineSampler(TABLE, stages, 5, strict=True)
    assert not caplog.records
    with caplog.at_level(logging.WARNING):
        PipelineSampler(TABLE, stages, 5)
    assert [record.getMessage()[:50] for record in caplog.records] == [
        "PipelineSampler: A pool should hold the rows that "
    ]
    with refused(PreflightError, f"{strict} (FlexibleBatchSampler). Mend"):
        FlexibleBatchSampler(TABLE, batch_size=5, strict=True)
    noted = ExperimentSelector(weights={**dict.fromkeys("abc", 1), "d": 0})
    assert len(PipelineSampler(TABLE, [noted, LeakMixer(0.5), Drawer()], 2, strict=True)) == 12
    with refused(SettingTypeError, "strict must be True or False; got 'yes' (PipelineSampler). Pass"):
        PipelineSampler(TABLE, stages, 5, strict="yes")  # type: ignore[arg-type]


def test_pools_that_end_alike_are_told_apart() -> None:
    """All but one of six groups are as many pools, four of which begin and end with the same rows."""
    plan = PipelineSampler({"experiment": [*"abcdef"]}, [SELECT, LeakMixer(0.9), Drawer()], 20, num_batches=1).plan
    (short,) = plan.findings()
    assert "12 do not, in 6 compositions looked at" in short.message


def test_labels_that_are_missing_are_named_one_by_one() -> None:
    """Those that most shares lack come first."""
    conditions = [*"xxxyyyzz" * 2, *"xxxx", *"xxyy"]
    message = "2 are missing in some of 4: 'z' in 2, 'y' in 1, first in experiment='c' condition='x'."
    assert any(message in text for _, text in found(SELECT, BALANCE, batch_size=3, condition=conditions))
