"""The kit itself: what it says, what it refuses, and how it stands in a user's test file."""

from __future__ import annotations

import contextlib
import copy
import json
import pickle
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch
from standins import SIZE, TABLE, RoundedUp, Seeded, stream_loader
from torch.utils.data import BatchSampler, SequentialSampler

from batchwright.errors import SettingError, SettingTypeError
from batchwright.testing import (
    CheckFailure,
    Claims,
    SamplerFailure,
    StageFailure,
    Where,
    check_sampler,
    parametrize_with_checks,
    run_checks,
)
from batchwright.testing.checks.resume import _places
from batchwright.testing.global_state import moved, scrambled
from batchwright.testing.registry import CHECKS


def sequential() -> BatchSampler:
    return BatchSampler(SequentialSampler(range(50)), 8, drop_last=True)


def test_a_failure_names_claim_batch_and_seed_and_the_seed_replays_it() -> None:
    """What is printed is enough to see it again: the same check, with that seed alone, says the same."""
    with pytest.raises(SamplerFailure) as caught:
        check_sampler(RoundedUp, claims=Claims(length=True), seeds=[4, 5])
    (outcome,) = caught.value.outcomes
    failure = outcome.failure
    assert isinstance(failure, CheckFailure)
    assert (outcome.check, outcome.claim, failure.where.seed) == ("length", "length", 4)
    assert "1 of 1 checks failed" in str(caught.value)
    assert "length (claim `length`): `len` must be" in str(caught.value)
    assert "Replay it with seeds=[4]" in str(caught.value)
    (again,) = run_checks(RoundedUp, claims=Claims(length=True), seeds=[4])
    assert again.reason == outcome.reason


def test_a_failure_holds_its_batch_and_address() -> None:
    """The first offending batch is at hand in the exception, and shortened in its text."""
    where = Where(seed=3, epoch=1, step=2, rank=0, num_replicas=4)
    failure = CheckFailure("Rows must be few", "there are 20", where, range(20), "few", 3)
    assert failure.batch == list(range(20))
    assert str(failure) == (
        "Rows must be few; there are 20 (batch 2, epoch 1, seed 3, rank 0 of 4). The batch: "
        f"{list(range(16))} and 4 more rows. Replay it with seeds=[3], or drop the claim `few`."
    )
    assert str(CheckFailure("A", "b", Where(seed=0), [1])) == "A; b (seed 0). The batch: [1]."


@pytest.mark.parametrize(
    "failure",
    [CheckFailure("a", "b", Where(1, 2), [3]), StageFailure("a", "b", "stage"), SamplerFailure([])],
    ids=lambda failure: type(failure).__name__,
)
def test_failures_survive_pickling(failure: Exception) -> None:
    """Test runners send failures between processes."""
    for copied in (pickle.loads(pickle.dumps(failure)), copy.deepcopy(failure)):  # noqa: S301 - just made.
        assert type(copied) is type(failure)
        assert str(copied) == str(failure)
        assert vars(copied) == vars(failure)


def test_what_a_sampler_raises_is_a_finding() -> None:
    """A sampler that fails outright fails its check, and the others are run all the same."""
    outcomes = run_checks(sequential, rows=50, claims=Claims(batch_size=8, resume=True))
    assert [(outcome.check, outcome.passed) for outcome in outcomes] == [("batch_size", True), ("resume", False)]
    assert "the sampler raised AttributeError: 'BatchSampler' object has no attribute" in outcomes[1].reason


def test_expected_failures_are_strict_without_pytest_too() -> None:
    """A failure that is expected is none; a check that passes in spite of it is."""
    claims = Claims(length=True, batch_size=8)
    check_sampler(RoundedUp, claims=claims, expected_failures={"length": "rounded up"})
    with pytest.raises(SamplerFailure, match=r"1 of 2.*\n.*it passes, though it was expected to fail: rounded up"):
        check_sampler(sequential, claims=claims, expected_failures={"length": "rounded up"})


def test_an_empty_sampler_passes_nothing() -> None:
    """Of no batches every claim would hold, so the kit does not say that one does."""
    for claims in (Claims(batch_size=8), Claims(group="group")):
        (outcome,) = run_checks(lambda: iter(()), table=TABLE, claims=claims)
        assert not outcome.passed
        assert "An epoch must have batches; epoch 0 has 0" in outcome.reason


def test_only_claims_that_are_made_are_checked() -> None:
    """No claim, no check; and each check has one claim that asks for it alone."""
    assert run_checks(sequential, claims=Claims()) == []
    assert Claims().made == ()
    asked = {check.claim for check in CHECKS}
    settings = {"short_last", "leak", "ratio", "labels_per_batch"} - asked
    assert asked | settings == set(Claims.every().made) | {
        "batch_size", "short_last", "group", "leak", "balance", "ratio", "labels_per_batch", "coverage",
        "uniform_within", "even_draw",
    }  # fmt: skip
    assert len({check.name for check in CHECKS}) == len(CHECKS)


class BatchIsASize(Seeded):
    def __init__(self, seed: int = 0) -> None:
        super().__init__(seed)
        self.batch = SIZE


class BatchTakesNoEpoch(Seeded):
    def batch(self, step: int) -> list[int]:
        return self.batches()[step]


@pytest.mark.parametrize("factory", [BatchIsASize, BatchTakesNoEpoch, stream_loader], ids=lambda made: made.__name__)
def test_looks_ask_for_no_more_than_is_claimed(factory: Callable[..., Any]) -> None:
    """A sampler may call anything `batch` that does not claim random access, and need not have a length."""
    check_sampler(factory, claims=Claims(peeking=True, set_epoch=factory is not stream_loader))


@pytest.mark.parametrize("length", [1, 62, 63, 64, 65, 128, 6400])
def test_an_epoch_is_interrupted_at_so_many_places(length: int) -> None:
    """Few places are all tried; of many, as many as the documentation says, the ends among them."""
    places = _places(length)
    assert len(set(places)) == len(places) == min(length + 1, 64)
    assert (places[0], places[-1]) == (0, length)


REFUSALS: dict[str, tuple[Callable[[], Any], str]] = {
    "no claims": (lambda: check_sampler(sequential, claims={"length": True}), "claims must be Claims; got {'length'"),
    "no factory": (
        lambda: check_sampler(sequential(), claims=Claims()),
        r"factory must be callable; got <torch.*BatchSampler.*> \(check_sampler\)\. Pass a function",
    ),
    "no factory to parametrize": (
        lambda: parametrize_with_checks(sequential(), claims=Claims()),
        "factory must be callable",
    ),
    "rows of a batch": (
        lambda: check_sampler(sequential, claims=Claims(), batch_size=0),
        r"batch_size must be at least 1; got 0 \(check_sampler\)\. Pass the rows of a batch",
    ),
    "text for the rows of a batch": (
        lambda: check_sampler(sequential, claims=Claims(), batch_size="x"),
        "batch_size must be an integer; got 'x' of type str",
    ),
    "rows": (
        lambda: check_sampler(sequential, claims=Claims(), rows=0),
        r"rows must be at least 1; got 0 \(check_sampler\)\. Pass the number of rows of the table",
    ),
    "text for rows": (
        lambda: check_sampler(sequential, claims=Claims(indices=True), rows="x"),
        "rows must be an integer; got 'x' of type str",
    ),
    "no table": (lambda: check_sampler(sequential, claims=Claims(group="g")), "Claim `group` needs a table; got none"),
    "no rows": (
        lambda: check_sampler(sequential, claims=Claims(indices=True)),
        "Claim `indices` needs the number of rows",
    ),
    "no seed": (
        lambda: check_sampler(sequential, claims=Claims(seeded=True)),
        r"factory must take \['seed'\] for claim `seeded`; it takes \[\]",
    ),
    "no ranks": (
        lambda: check_sampler(lambda seed: Seeded(seed), claims=Claims(equal_ranks=True)),  # noqa: PLW0108 - takes one.
        r"must take \['num_replicas', 'rank'\] for claim `equal_ranks`; it takes \['seed'\]",
    ),
    "no such column": (
        lambda: check_sampler(sequential, table=TABLE, claims=Claims(group="donor")),
        "donor.*group.*label.*seventh.*time",
    ),
    "seeds": (
        lambda: check_sampler(sequential, claims=Claims(length=True), seeds=[-1]),
        "seeds must be at least 0; got -1",
    ),
    "no such check": (
        lambda: parametrize_with_checks(sequential, claims=Claims(length=True), expected_failures={"len": "why"}),
        "Failures may be expected of checks that are run; 1 are not: 'len'.*Name some of these: 'length'",
    ),
    "no seeds": (
        lambda: check_sampler(sequential, claims=Claims(length=True), seeds=[]),
        "seeds must hold at least one seed; got 0",
    ),
    "flag": (lambda: Claims(length=1), "length must be True or False; got 1"),
    "size": (lambda: Claims(batch_size=0), "batch_size must be at least 1; got 0"),
    "leak": (lambda: Claims(group="g", leak=0.5), "leak must be below 0.5.*got 0.5"),
    "leak alone": (lambda: Claims(leak=0.2), "leak must be claimed together with group"),
    "ratio alone": (lambda: Claims(ratio={"a": 1}), "ratio must be claimed together with balance"),
    "labels alone": (lambda: Claims(labels_per_batch=2), "labels_per_batch must be claimed together with balance"),
    "labels": (lambda: Claims(balance="g", labels_per_batch=0), "labels_per_batch must be at least 1; got 0"),
    "short alone": (lambda: Claims(short_last=True), "short_last must be claimed together with batch_size"),
    "ratio": (lambda: Claims(balance="g", ratio={"a": -1}), "ratio.*must be finite and not negative; got -1"),
    "coverage": (lambda: Claims(coverage=2), "coverage must be at most 1; got 2"),
    "ranks": (lambda: Claims(ranks="batches"), "ranks must be one of .*'batches'"),
    "columns": (lambda: Claims(group=3), "must name one column or several; got 3"),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_the_kit_refuses_what_it_cannot_check(name: str) -> None:
    """Wrong claims and missing parts are said before anything is run."""
    call, message = REFUSALS[name]
    with pytest.raises((SettingError, SettingTypeError, ValueError), match=message):
        call()


def test_a_missing_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """A claim that needs torchdata is not passed over where there is none."""
    monkeypatch.setattr("batchwright.testing.registry.find_spec", lambda _: None)
    with pytest.raises(SettingError, match="needs the library torchdata; got none"):
        check_sampler(sequential, rows=50, claims=Claims(stateful_loader=True))


@pytest.mark.parametrize("missing", ["hypothesis", "pytest"])
def test_the_extra_is_named(missing: str) -> None:
    """Without the libraries that it needs, importing the kit says what to install."""
    code = f"import sys; sys.modules[{missing!r}] = None; import batchwright.testing"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)  # noqa: S603 - ours.
    assert f"needs hypothesis and pytest; {missing} is missing. pip install 'batchwright[testing]'" in found.stderr


def test_frequencies_need_enough_visits() -> None:
    """A table too large to tell frequencies from is a failure that says so, not a silent pass."""

    class Few(Seeded):
        def batches(self) -> list[list[int]]:
            return [[0]]

    table = {"row": np.arange(30_000)}
    (outcome,) = run_checks(Few, table=table, claims=Claims(set_epoch=True, uniform_within=()), seeds=[0])[1:]
    assert not outcome.passed
    assert "from 5 visits a row or more" in outcome.reason
    assert "smaller table" in outcome.reason


def test_an_endless_sampler_can_be_checked() -> None:
    """Passes without an end are cut, and a length that is too small is seen."""

    class Endless(Seeded):
        def __iter__(self) -> Iterator[list[int]]:
            while True:
                yield from self.batches()

    outcomes = run_checks(Endless, rows=len(TABLE), claims=Claims(indices=True, length=True), seeds=[0])
    assert [outcome.passed for outcome in outcomes] == [True, False]
    assert "delivers 34 or more" in outcomes[1].reason


def test_global_states_are_set_aside_and_told_apart() -> None:
    """Scrambling puts all states back; a moved generator is named, also where something is raised."""
    states = [random.getstate(), repr(np.random.get_state()), torch.get_rng_state().tolist()]  # noqa: NPY002 - its subject.
    drawn: list[float] = []
    with contextlib.suppress(KeyError), scrambled(5):
        drawn += [random.random(), np.random.random(), torch.rand(1).item()]  # noqa: NPY002, S311 - as above.
        raise KeyError
    assert states == [random.getstate(), repr(np.random.get_state()), torch.get_rng_state().tolist()]  # noqa: NPY002
    with scrambled(5):
        assert drawn == [random.random(), np.random.random(), torch.rand(1).item()]  # noqa: NPY002, S311 - as above.
        with moved() as names:
            torch.rand(1)
            random.random()  # noqa: S311 - as above.
    assert names == ["random", "torch"]


USER_FILE = """
from batchwright.testing import Claims, parametrize_with_checks
from my_samplers import MySampler

@parametrize_with_checks(
    MySampler, rows=264, claims=Claims(batch_size=8, length=True, seeded=True, equal_ranks=True),
    expected_failures={expected},
)
def test_my_sampler(check):
    check()
"""


@pytest.mark.parametrize(
    ("expected", "outcomes"),
    [
        ({}, {"passed": 2, "failed": 2}),
        ({"length": "one", "equal_ranks": "two"}, {"passed": 2, "xfailed": 2}),
        ({"length": "one", "equal_ranks": "two", "repeatable": "none"}, {"passed": 1, "xfailed": 2, "failed": 1}),
    ],
    ids=["undeclared", "declared", "declared in vain"],
)
def test_a_users_file_of_ten_lines(
    pytester: pytest.Pytester, expected: dict[str, str], outcomes: dict[str, int]
) -> None:
    """Ten lines are enough; declared failures are strict, so that one which passes after all is an error."""
    pytester.makepyfile(my_samplers="from standins import RoundedUp as MySampler")
    pytester.makepyfile(USER_FILE.replace("{expected}", json.dumps(expected)))
    assert len(USER_FILE.strip().splitlines()) <= 10
    pytester.syspathinsert(__file__.rsplit("/", 1)[0])
    pytester.runpytest_inprocess("-p", "no:cacheprovider").assert_outcomes(**outcomes)
