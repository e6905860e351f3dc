"""Settings of stages: what they become, what they default to, and what is refused."""

from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from batchwright import (
    ChainError,
    ConditionBalancer,
    Draft,
    Drawer,
    ExperimentSelector,
    LeakMixer,
    MetadataIndex,
    Pipeline,
    PipelineSampler,
    SettingError,
    SettingTypeError,
    TemporalEnricher,
)
from batchwright.stages.base import Stage, check_labels
from refusals import refused

TABLE = {"experiment": [*"aab"], "condition": [*"xyx"], "hours": [0.0, 1.0, 2.0], "none": [float("nan")] * 3}


class Custom(Stage):
    """A stage as a user would write it, with two settings."""

    def __init__(self, first: int, second: str) -> None:
        self.first = first
        self.second = second

    def apply(self, draft: Draft) -> Draft:
        """Change nothing."""
        return draft


def test_a_stage_of_one_s_own_is_printed_with_its_settings() -> None:
    """What was set can be read off; a stage that names no column reads none."""
    assert repr(Custom(1, "b")) == "Custom(first=1, second='b')"
    assert Custom(1, "b").key_columns == ()
    assert Custom(1, "b").order_column is None


def test_defaults() -> None:
    """What a stage does unless told otherwise."""
    assert repr(ExperimentSelector()) == "ExperimentSelector(by='experiment', weights=None)"
    assert repr(ConditionBalancer()) == "ConditionBalancer(by='condition', ratio=None, scope='primary')"
    assert repr(TemporalEnricher("hours", 1)) == (
        "TemporalEnricher(by='hours', half_width=1.0, global_fraction=0.3, scope='primary')"
    )


@pytest.mark.parametrize(
    ("by", "kept", "columns"),
    [
        ("donor", "donor", ("donor",)),
        (["donor"], ("donor",), ("donor",)),
        (("donor", "plate"), ("donor", "plate"), ("donor", "plate")),
        ((name for name in ["donor", "plate"]), ("donor", "plate"), ("donor", "plate")),
    ],
    ids=["name", "list", "tuple", "generator"],
)
def test_columns_are_one_name_or_several(by: Any, kept: Any, columns: tuple[str, ...]) -> None:
    """A name stays a name, since its labels are no tuples; several names become a tuple."""
    stage = ExperimentSelector(by)
    assert stage.by == kept
    assert stage.key_columns == columns


@pytest.mark.parametrize("by", [None, 3, "", [], ["a", ""], ["a", 3], [None], {"a": 1}, {"a"}], ids=repr)
@pytest.mark.parametrize("make", [ExperimentSelector, ConditionBalancer, lambda by: TemporalEnricher(by, 1)])
def test_what_names_no_column_is_refused(make: Any, by: Any) -> None:
    """Neither nothing, nor an empty name, nor anything but names in order is a column."""
    with refused(SettingTypeError, f"`by` must name one column or several; got {by!r} (by)"):
        make(by)


def test_equal_settings_have_equal_hashes() -> None:
    """Also with weights, in whatever order they are written."""
    one, other = (
        Pipeline([ExperimentSelector("a", weights), ConditionBalancer("b", weights), Drawer()])
        for weights in ({"x": 1, "y": 2}, {"y": 2, "x": 1})
    )
    assert len({one, other}) == 1


def test_a_window_has_one_column() -> None:
    """Rows are ordered by one column; a list of names, even of one, is refused with its length."""
    with refused(SettingTypeError, "`by` must name one ordered column; got 2 (TemporalEnricher)"):
        TemporalEnricher(["a", "b"], 1)
    assert TemporalEnricher("hours", 1).order_column == "hours"
    assert TemporalEnricher("hours", 1).key_columns == ()


@pytest.mark.parametrize("scope", ["leaks", "", None, "primary "])
@pytest.mark.parametrize("make", [lambda it: ConditionBalancer(scope=it), lambda it: TemporalEnricher("t", 1, 0, it)])
def test_unknown_scopes_are_refused(make: Any, scope: Any) -> None:
    """A scope is one of three words."""
    for known in ("primary", "leak", "all"):
        make(known)
    who = type(make("all")).__name__
    with refused(SettingError, f"scope must be one of ('primary', 'leak', 'all'); got {scope!r} ({who})"):
        make(scope)


@pytest.mark.parametrize(
    "stage", [ConditionBalancer("experiment", scope="leak"), TemporalEnricher("hours", 1, 0, "leak")]
)
def test_without_a_leak_there_is_nothing_to_split(stage: Stage) -> None:
    """A stage for leaked rows needs a leak before it, and names itself."""
    text = f"A stage of scope 'leak' must come after a leak; got none before it ({type(stage).__name__}). "
    with refused(ChainError, text):
        PipelineSampler(TABLE, [stage, Drawer()], 2)


@pytest.mark.parametrize("width", ["90min", timedelta(minutes=90), np.timedelta64(90, "m")], ids=["text", "py", "np"])
def test_a_duration_is_kept_as_numpy_s(width: Any) -> None:
    """Whatever names a duration, it can be added to an array of dates, and makes the same chain."""
    kept = TemporalEnricher("when", width).half_width
    assert isinstance(kept, np.timedelta64)
    assert repr(kept) == repr(np.timedelta64(5_400_000_000_000, "ns"))


@pytest.mark.parametrize(
    ("width", "error", "text"),
    [
        ("soon", SettingTypeError, "half_width must be a number or a duration; got 'soon' (TemporalEnricher). Pass a"),
        (
            "90",
            SettingError,
            "A duration as text must name its unit; got '90' (TemporalEnricher). Pass a number in the",
        ),
        ("1e3", SettingError, "A duration as text must name its unit; got '1e3' (TemporalEnricher). Pass a number in"),
        ("-1s", SettingError, "half_width must be finite and not negative; got '-1s' (TemporalEnricher). Pass a"),
        ("NaT", SettingError, "half_width must be finite and not negative; got 'NaT' (TemporalEnricher). Pass a"),
        (np.timedelta64(300 * 365, "D"), SettingError, "half_width must be at most 292 years, as far as nanoseconds"),
        (None, SettingTypeError, "half_width must be a number; got None of type NoneType (TemporalEnricher). Pass a"),
        (-1, SettingError, "half_width must be finite and not negative; got -1.0 (TemporalEnricher). Pass a"),
    ],
)
def test_half_widths_that_are_none_are_refused(width: Any, error: Any, text: str) -> None:
    """A duration may be 0, but is not negative, missing or a word."""
    TemporalEnricher("when", "0s")
    with refused(error, text):
        TemporalEnricher("when", width)


@pytest.mark.parametrize(
    ("index", "stage", "text"),
    [
        (
            MetadataIndex.from_table(TABLE, order_by="none"),
            TemporalEnricher("none", 1),
            "A window needs values to lie around; 'none' has 0 in 3 rows (TemporalEnricher)",
        ),
        (
            MetadataIndex.from_table(TABLE),
            TemporalEnricher("hours", 1),
            "The index must be ordered by the column of the window, 'hours'; it is ordered by none (Tem...='hours').",
        ),
        (
            MetadataIndex.from_table(TABLE, order_by="none"),
            TemporalEnricher("hours", 1),
            "The index must be ordered by the column of the window, 'hours'; it is ordered by 'none' (Tem...='hours').",
        ),
    ],
    ids=["no-value", "no-order", "other-order"],
)
def test_a_window_needs_an_ordered_index(index: MetadataIndex, stage: Stage, text: str) -> None:
    """The index must be ordered by the very column, and some row must have a value."""
    with refused(SettingError, text):
        PipelineSampler(index, [stage, Drawer()], 2)


INDEX = MetadataIndex.from_table(TABLE, by=["experiment", "condition"])


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (
            {"a": 1, "b": 1, "z": 1, 5: 1},
            "name must name labels that occur in ('experiment',); 2 do not: 5, 'z' (who). There are 2: 'a', 'b'. ",
        ),
        ({"a": 1}, "name must have an entry for every label of ('experiment',); 1 have none: 'b' (who). "),
    ],
    ids=["unknown", "missing"],
)
def test_labels_are_checked_both_ways(given: Any, text: str) -> None:
    """Labels that do not exist are named, and so are labels without an entry."""
    draft = Draft.start(INDEX, 2)
    check_labels({"a": 1.0, "b": 0.0}, draft.index, draft.universe, ("experiment",), "name", "who")
    with refused(SettingError, text):
        check_labels(given, draft.index, draft.universe, ("experiment",), "name", "who")


def test_labels_that_a_filter_removed_may_be_named_or_left_out() -> None:
    """An entry is needed for what may occur, and welcome for what exists."""
    draft = Draft.start(INDEX, 2).filter(INDEX.pool("experiment", "a"))
    check_labels({"a": 1.0}, draft.index, draft.universe, ("experiment",), "name", "who")
    check_labels({"a": 1.0, "b": 1.0}, draft.index, draft.universe, ("experiment",), "name", "who")


@pytest.mark.parametrize(
    ("fraction", "size", "leaked"),
    [(0.29, 100, 29), (0.3, 10, 3), (0.35, 10, 3), (1, 10, 10), (0.1, 9, 0), (1e-9, 10, 0)],
)
def test_a_leak_is_rounded_down_in_decimal(fraction: float, size: int, leaked: int) -> None:
    """The product is that of the number as it is written, and what is left of a row does not leak."""
    draft = Draft.start(INDEX, size).select(INDEX.pool("experiment", "a"))
    made = LeakMixer(fraction).apply(draft)
    assert isinstance(made, Draft)
    assert sum(share.quota for share in made.shares if share.role == "leak") == leaked
