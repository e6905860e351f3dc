"""Every refusal comes where the mistake is made: with the rule, the number, who it is about and the way out."""

import math
import re
from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from batchwright.draft import Draft
from batchwright.errors import ChainError, SettingError, SettingTypeError, StateError, TableError
from batchwright.index import MetadataIndex
from batchwright.sampler import PipelineSampler
from batchwright.stages import ConditionBalancer, Drawer, ExperimentSelector, LeakMixer, Stage, TemporalEnricher
from refusals import TEXT, refused


class OnlyX(Stage):
    """A filter, as a user would write it."""

    by = "condition"

    def apply(self, draft: Draft) -> Draft:
        """Keep one condition."""
        return draft.filter(draft.index.pool("condition", "x"))


HOURS = list(range(6)) * 2
DATES = np.array(HOURS, dtype="datetime64[h]")
TABLE = {"experiment": ["a"] * 6 + ["b"] * 6, "condition": ["x", "y"] * 6, "hours": HOURS, "when": DATES}
FILTER, SELECT, LEAK, SPLIT = OnlyX(), ExperimentSelector(), LeakMixer(0.25), ConditionBalancer()
WINDOW, DATED, DRAW = TemporalEnricher("hours", 1), TemporalEnricher("when", "1h"), Drawer()
BELOW_0, ABOVE_1, LARGEST = math.nextafter(0, -1), math.nextafter(1, 2), np.finfo(float).max
APART = "num_replicas and rank must be given together; got"
ORDER = "The order of a chain is filters, ...; got a"


def sampler(*stages: Any, table: Any = TABLE, batch_size: Any = 4, **settings: Any) -> PipelineSampler:
    """Return a sampler of the given stages and a drawer; unless told otherwise its epoch has three steps."""
    return PipelineSampler(table, [*stages, DRAW], batch_size, **settings)


NUMBERS = [
    pytest.param(LeakMixer, "fraction must {} (LeakMixer)", id="fraction"),
    pytest.param(lambda it: TemporalEnricher("t", 1, it), "global_fraction must {} (TemporalEnricher)", id="global"),
    pytest.param(lambda it: TemporalEnricher("t", it), "half_width must {} (TemporalEnricher)", id="half_width"),
    pytest.param(lambda it: ExperimentSelector("e", {1: it, 2: 1}), "weights[1] must {} (Experiment...)", id="weights"),
    pytest.param(lambda it: ConditionBalancer("c", {1: it, 2: 1}), "ratio[1] must {} (ConditionBalancer)", id="ratio"),
]


@pytest.mark.parametrize(("build", "text"), NUMBERS)
@pytest.mark.parametrize(
    ("value", "error", "rule"),
    [
        pytest.param(BELOW_0, SettingError, "be finite and not negative; got -5e-324", id="below-0"),
        pytest.param(math.nan, SettingError, "be finite and not negative; got nan", id="nan"),
        pytest.param(math.inf, SettingError, "be finite and not negative; got inf", id="inf"),
        pytest.param(10**400, SettingError, "...", id="beyond-floats"),
        pytest.param(True, SettingTypeError, "be a number; got True of type bool", id="bool"),
    ],
)
def test_numbers_are_finite_and_not_negative(build: Any, text: str, value: Any, error: Any, rule: str) -> None:
    """A number may be 0; the float below it, what is not finite and what is no number are refused."""
    build(0)
    with refused(error, text.format(rule)):
        build(value)


WEIGHTS = [
    pytest.param(lambda it: ExperimentSelector("experiment", it), "weights must {} (ExperimentSelector)", id="weights"),
    pytest.param(lambda it: ConditionBalancer("experiment", it), "ratio must {} (ConditionBalancer)", id="ratio"),
]


@pytest.mark.parametrize(("build", "text"), WEIGHTS)
@pytest.mark.parametrize(
    ("value", "error", "rule"),
    [
        pytest.param({}, SettingError, "have a positive entry; got 0 entries, none above 0", id="empty"),
        pytest.param({"a": 0, "b": 0}, SettingError, "have a positive entry; got 2 entries, none above 0", id="zeros"),
        pytest.param(
            {"a": LARGEST, "b": LARGEST}, SettingError, "have a finite sum; got 2 entries up to ...", id="huge"
        ),
        pytest.param({"b": 1}, SettingError, "... label of ('experiment',); 1 have none: 'a'", id="left-out"),
        pytest.param({"a": 1, "b": 1, "c": 1}, SettingError, "name labels ...; 1 do not: 'c'", id="unknown"),
        pytest.param([1, 1], SettingTypeError, "map labels to numbers; got [1, 1]", id="no-mapping"),
    ],
)
def test_weights_name_every_label(build: Any, text: str, value: Any, error: Any, rule: str) -> None:
    """Weights have an entry for each label that exists, one of them positive, and none for others."""
    sampler(build({"a": 0, "b": 5e-324}))
    with refused(error, text.format(rule)):
        sampler(build(value))


@pytest.mark.parametrize("kind", [ExperimentSelector, ConditionBalancer])
@pytest.mark.parametrize("weight", [5e-324, LARGEST / 2])
def test_only_the_proportion_of_weights_counts(kind: Any, weight: float) -> None:
    """Equal weights are equal, however small or large, so that what was accepted is no trouble later."""
    table = {"experiment": [*"aaabbbbbbbbb"]}
    expected = sampler(kind("experiment", {"a": weight, "b": weight}), table=table).plan.expected_rows("experiment")
    assert expected.to_dict() == {"a": 2.0, "b": 2.0}


@pytest.mark.parametrize(
    ("name", "least", "build"),
    [
        pytest.param("batch_size", 1, lambda it: sampler(batch_size=it), id="batch_size"),
        pytest.param("num_batches", 1, lambda it: sampler(num_batches=it), id="num_batches"),
        pytest.param("seed", 0, lambda it: sampler(seed=it), id="seed"),
        pytest.param("rank", 0, lambda it: sampler(num_replicas=2, rank=it), id="rank"),
        pytest.param("num_replicas", 1, lambda it: sampler(num_replicas=it, rank=0), id="num_replicas"),
        pytest.param("epoch", 0, lambda it: sampler().set_epoch(it), id="set_epoch"),
        pytest.param("epoch", 0, lambda it: sampler().batch(0, epoch=it), id="epoch-of-batch"),
        pytest.param("step", 0, lambda it: sampler().seek(0, step=it), id="step-of-seek"),
    ],
)
def test_integers_have_a_least_value(name: str, least: int, build: Any) -> None:
    """The least value works, also as a NumPy integer; one less, and what is no integer, is refused."""
    build(least)
    build(np.int64(least))
    with refused(SettingError, f"{name} must be at least {least}; got {least - 1} (PipelineSampler)"):
        build(least - 1)
    for value in (float(least), str(least), bool(least), "", [least]):
        with refused(SettingTypeError, f"{name} must be an integer; got {value!r} of type ... (PipelineSampler)"):
            build(value)


@pytest.mark.parametrize(
    ("build", "accepted", "value", "error", "text"),
    [
        (LeakMixer, 1.0, ABOVE_1, SettingError, "fraction must be at most 1; got 1.0000000000000002 (LeakMixer)"),
        (lambda it: TemporalEnricher("t", 1, it), 1.0, ABOVE_1, SettingError, "global_fraction must be at most 1; ..."),
        ("seed", 2**64 - 1, 2**64, SettingError, f"seed must be below 2**64; got {2**64} (PipelineSampler)"),
        (
            "num_batches",
            2**63 - 1,
            2**63,
            SettingError,
            f"num_batches must be at most {2**63 - 1}; got {2**63} (Pip...)",
        ),
        ("rank", None, 0, SettingError, f"{APART} num_replicas=None, rank=0 (PipelineSampler)"),
        (lambda it: sampler(num_replicas=2, rank=it), 1, 2, SettingError, "rank must be below num_replicas=2; got 2"),
        ("num_replicas", 1, 2, SettingError, f"{APART} num_replicas=2, rank=None (PipelineSampler)"),
        ("batch_size", 12, 13, SettingError, "An epoch must ...; 12 rows make no batch of 13 (PipelineSampler)"),
        ("drop_last", False, 0, SettingTypeError, "drop_last must be True or False; got 0 (PipelineSampler)"),
        ("auto_epoch", True, 1, SettingTypeError, "auto_epoch must be True or False; got 1 (PipelineSampler)"),
        (lambda it: sampler().seek(0, it), 3, 4, SettingError, "step must be at most 3, ...; got 4 (Pip...r.seek)"),
        (lambda it: sampler().state_at(0, it), 3, 4, SettingError, "step must be ...; got 4 (Pip...r.state_at)"),
        (lambda it: sampler().batch(it), 2, 3, IndexError, "step must be in [0, 3), ...; got 3 (Pip...r.batch)"),
        (lambda it: sampler().batch(it), 0, -1, IndexError, "step must be in [0, 3), ...; got -1 (Pip...r.batch)"),
        (lambda it: sampler().batch(it), 1, 1.0, SettingTypeError, "step must be an integer; got 1.0 of type float"),
    ],
)
def test_values_at_their_bounds(build: Any, accepted: Any, value: Any, error: Any, text: str) -> None:
    """The last value that can work is accepted, and the first one that cannot is refused."""
    call = build if callable(build) else lambda it: sampler(**{build: it})
    call(accepted)
    with refused(error, text):
        call(value)


@pytest.mark.parametrize("width", ["2h", timedelta(hours=2), np.timedelta64(2, "h")], ids=["text", "python", "numpy"])
def test_a_width_suits_its_column(width: Any) -> None:
    """The width of a window is a number where the column holds numbers, and a duration where it holds dates."""
    with refused(SettingTypeError, "half_width must suit its column; 'when' holds dates, got 2.0 (TemporalEnricher)"):
        sampler(TemporalEnricher("when", 2))
    sampler(TemporalEnricher("when", width))
    with refused(SettingTypeError, "half_width must ...; 'hours' holds numbers, got ... (TemporalEnricher)"):
        sampler(TemporalEnricher("hours", width))


@pytest.mark.parametrize(
    ("stages", "error", "text"),
    [
        ([], ChainError, "A chain must end with a drawer and have no other; got 0 among 0 members, at [] ()"),
        ([SELECT], ChainError, "A chain must ...; got 0 among 1 members, at [] (ExperimentSelector)"),
        ([DRAW, DRAW], ChainError, "A chain must ...; got 2 among 2 members, at [0, 1] (Drawer, Drawer)"),
        ([DRAW, SPLIT], ChainError, "A chain must ...; got 1 among 2 members, at [0] (Drawer, ConditionBalancer)"),
        ([{}], SettingTypeError, "Every member ...; number 0 is {} of type dict (Pipeline). ... `_convert_: all`"),
        ("a.json", SettingTypeError, "Every member ...; number 0 is 'a' of type str (Pipeline). Pass the table first"),
        ([WINDOW, DATED, DRAW], ChainError, "A chain must order its rows ...; got 2: ['hours', 'when'] (Pip...)"),
        ([LEAK, DRAW], ChainError, "A leak must come after a selection, ...; got none ... of 1 share(s) (Draft.leak)"),
        ([SELECT, FILTER, DRAW], ChainError, f"{ORDER} filter after a select (Draft.filter)"),
        ([SPLIT, SELECT, DRAW], ChainError, f"{ORDER} select after a split (Draft.select)"),
        ([SELECT, LEAK, SELECT, DRAW], ChainError, f"{ORDER} select after a leak (Draft.select). Move"),
        ([SELECT, LEAK, LEAK, DRAW], ChainError, f"{ORDER} leak after a leak (Draft.leak). Leave one of them out."),
        ([WINDOW, SPLIT, DRAW], ChainError, f"{ORDER} split after a window (Draft.split)"),
        ([WINDOW, WINDOW, DRAW], ChainError, f"{ORDER} window after a window (Draft.window)"),
    ],
)
def test_chains_that_cannot_work_are_refused(stages: list[Any], error: Any, text: str) -> None:
    """An order of stages that can never work is refused before the first batch."""
    PipelineSampler(TABLE, [FILTER, SELECT, LEAK, SPLIT, WINDOW, DRAW], 2)
    with refused(error, text):
        PipelineSampler(TABLE, stages, 2)


@pytest.mark.parametrize("stages", [[SELECT, LEAK, LEAK], [SPLIT, SELECT]], ids=["at-once", "in-a-choice"])
def test_an_error_names_the_stage(stages: list[Stage]) -> None:
    """An error on the way down a chain has a note with the number and the settings of the stage."""
    with pytest.raises(ChainError, match=re.escape(f"in stage {len(stages)} of {len(stages)}, {stages[-1]!r}")):
        sampler(*stages)


class LeakOfB(Stage):
    """Rows that leak into the second experiment only, more than a batch of one row has room for."""

    by = "experiment"

    def apply(self, draft: Draft) -> Draft:
        """Leak two rows, or none."""
        return draft.leak(draft.universe - draft.primary, 2 if draft.groups("experiment").labels[0] == "b" else 0)


def test_a_last_batch_that_cannot_work_is_refused() -> None:
    """Whatever situation it comes to, when the sampler is built."""
    settings: Any = {"table": {"experiment": [*"aaaaaabbbbb"]}, "batch_size": 5}
    sampler(SELECT, LeakOfB(), **settings)
    with refused(SettingError, "quota must be at most 1, the batch size; got 2 (Draft.leak). "):
        sampler(SELECT, LeakOfB(), **settings, drop_last=False)


def test_an_accepted_chain_delivers_every_batch() -> None:
    """What was accepted at construction never fails later, also where pools are smaller than their quotas."""
    assert {len(batch) for batch in sampler(SELECT, LEAK, SPLIT, WINDOW, num_batches=100)} == {4}


@pytest.mark.parametrize(
    ("table", "text"),
    [
        ({"hours": [1], "condition": ["x"]}, "... 'experiment' is missing. The table has 2 columns: 'hours', 'cond..."),
        ({**TABLE, "condition": ["x", None] * 6}, "A key column must ...; 'condition' has 6 missing of 12"),
        ({name: [] for name in TABLE}, "A table must have rows; column 'experiment' has 0"),
        ({**TABLE, "hours": ["1"] * 12}, f"An ordered column must hold numbers or dates; 'hours' holds {TEXT}"),
        ({**TABLE, "hours": [True] * 12}, "An ordered column must hold numbers or dates; 'hours' holds bool"),
        ({**TABLE, "hours": [1j] * 12}, "An ordered column must hold numbers or dates; 'hours' holds complex128"),
        (MetadataIndex.from_table(TABLE, order_by="hours"), "A cut must ...; 'experiment' is none of its 0: "),
    ],
)
def test_tables_that_do_not_fit_are_refused(table: Any, text: str) -> None:
    """A table that lacks what the chain reads is refused with the count and the remedy."""
    with refused(TableError, text):
        sampler(SELECT, WINDOW, SPLIT, table=table)


def state(changed: Any = (), **settings: Any) -> dict[str, Any]:
    """Return the state of a sampler that begins, with some of its entries changed."""
    return sampler(SELECT, **settings).state_dict() | dict(changed)


@pytest.mark.parametrize(
    ("made", "text"),
    [
        (lambda: state(seed=1), "1 entries differ: seed=1 for 0 (load_state_dict)"),
        (lambda: state(batch_size=3), "1 entries differ: chain='...' for '...' (load_state_dict)"),
        (lambda: state(table=TABLE | {"experiment": ["a"] * 12}), "1 entries differ: table='...' for '...' (load_...)"),
        (lambda: state({"version": 1}), "1 entries differ: version=1 for 3 (load_state_dict)"),
        (lambda: state({"epoch": -1, "step": True}), "2 entries differ: epoch=-1 for 'a count', step=True for ..."),
        (lambda: state({"step": 2}), "be as it was saved; its checksum is '...' for '...' (load_state_dict)"),
        (lambda: state({"checksum": None}), "be as it was saved; its checksum is None for '...' (load_state_dict)"),
        (list, "(load_state_dict)"),
    ],
)
def test_states_of_others_are_refused(made: Any, text: str) -> None:
    """A state says which part of it does not belong here, and leaves sampler and iterator as they were."""
    mine = sampler(SELECT)
    mine.seek(epoch=0, step=2)
    before = mine.state_dict()
    for loads in (mine, iter(mine)):
        with refused(StateError, f"A state must ...{text}"):
            loads.load_state_dict(made())
    assert mine.state_dict() == before
