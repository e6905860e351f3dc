"""`Draft` and `Choice`: the steps one by one, what they leave alone, and what they refuse."""

from collections.abc import Callable
from typing import Any

import attrs
import numpy as np
import pytest

from batchwright import ChainError, Choice, Draft, MetadataIndex, Pool, SettingError, SettingTypeError
from refusals import refused

TABLE = {"experiment": [*"aaabbccc"], "condition": [*"xyxxyxyy"]}
INDEX = MetadataIndex.from_table(TABLE, by=["experiment", "condition"])
START = Draft.start(INDEX, 6)
A, B, C = (INDEX.pool("experiment", label) for label in "abc")
X, Y = (INDEX.pool("condition", label) for label in "xy")


def shares(draft: Any) -> list[tuple[Pool, int, str]]:
    return [(share.pool, share.quota, share.role) for share in draft.shares]


def drafts(choice: Any) -> list[tuple[float, Any]]:
    """Return the alternatives of a choice with their probabilities."""
    return [(probability, choice.child(k)) for k, probability in enumerate(choice.weights.tolist())]


def after(*steps: str) -> Draft:
    """Return a draft in which some kinds of step have been taken."""
    return attrs.evolve(START, done=frozenset(steps))


def test_a_chain_begins_with_the_whole_table() -> None:
    """The first draft takes the whole batch from all rows, and no step has been taken."""
    everything = Pool.full(8)
    assert (START.universe, START.primary, START.done) == (everything, everything, frozenset())
    assert shares(START) == [(everything, 6, "primary")]


def test_a_filter_keeps_the_size_of_the_batch() -> None:
    """Universe, selection and share all become what is kept, and a filter counts as no step."""
    draft = START.filter(A)
    assert (draft.universe, draft.primary, draft.done) == (A, A, frozenset())
    assert shares(draft) == [(A, 6, "primary")]


def test_a_selection_leaves_the_universe() -> None:
    """A selection narrows the share and the primary rows, and is remembered."""
    draft = START.select(A).select(X)
    assert (draft.universe, draft.primary, draft.done) == (Pool.full(8), A & X, {"select"})
    assert shares(draft) == [(A & X, 6, "primary")]


def test_a_leak_takes_its_quota_from_the_end() -> None:
    """The primary share gives way, and the leak is the last share; both steps are remembered."""
    draft = START.select(A).leak(C, 2)
    assert isinstance(draft, Draft)
    assert shares(draft) == [(A, 4, "primary"), (C, 2, "leak")]
    assert (draft.primary, draft.done) == (A, {"select", "leak"})


@pytest.mark.parametrize(("pool", "quota"), [(Pool.empty(8), 2), (C, 0)], ids=["no-rows", "no-quota"])
def test_a_leak_of_nothing_leaves_the_shares(pool: Pool, quota: int) -> None:
    """Where nothing can or shall leak in, the primary shares keep the whole batch."""
    assert shares(START.select(A).leak(pool, quota)) == [(A, 6, "primary")]


def test_a_leak_may_take_the_whole_batch() -> None:
    """A share that is left without rows is gone; the primary pool stays."""
    draft = START.select(A).leak(C, 6)
    assert isinstance(draft, Draft)
    assert shares(draft) == [(C, 6, "leak")]
    assert draft.primary == A


def test_primary_shares_give_way_in_proportion() -> None:
    """Of four and two rows a leak of three leaves two and one."""
    split = START.select(A).split(lambda share: [(share.pool & X, 2), (share.pool & Y, 1)])
    assert isinstance(split, Draft)
    assert shares(split.leak(C, 3)) == [(A & X, 2, "primary"), (A & Y, 1, "primary"), (C, 3, "leak")]


def test_a_split_is_in_proportion_to_the_weights() -> None:
    """Weights are relative; parts without rows or weight leave theirs to the others."""
    draft = START.split(lambda _: [(A, 10), (Pool.empty(8), 5), (B, 0), (C, 5)])
    assert isinstance(draft, Draft)
    assert shares(draft) == [(A, 4, "primary"), (C, 2, "primary")]
    assert draft.done == {"split"}
    assert shares(START.split(lambda _: [(A, 0.5), (C, 0.25)])) == shares(draft)


@pytest.mark.parametrize(
    ("scope", "quotas"), [("primary", [1, 2, 3]), ("leak", [3, 1, 2]), ("all", [1, 2, 1, 2])], ids=str
)
def test_a_split_works_on_its_scope(scope: Any, quotas: list[int]) -> None:
    """Shares outside the scope of a split stay as they are, at their place."""
    half = START.select(A).leak(B | C, 3)
    assert isinstance(half, Draft)
    split = half.split(lambda share: [(share.pool & X, 1), (share.pool & Y, 2)], scope)
    assert [share.quota for share in split.shares] == quotas  # type: ignore[union-attr]


def test_a_split_works_on_primary_shares_unless_told_otherwise() -> None:
    """Leaked rows are left alone by default."""
    half = START.select(A).leak(B | C, 3)
    assert isinstance(half, Draft)
    assert shares(half.split(lambda share: [(share.pool, 1)])) == shares(half)
    assert shares(half.split(lambda share: [(share.pool & X, 1)])) == [(A & X, 3, "primary"), (B | C, 3, "leak")]


def test_quotas_that_do_not_divide_are_a_choice() -> None:
    """Five rows over two parts are three and two, or two and three, alike in probability."""
    choice = Draft.start(INDEX, 5).split(lambda _: [(A, 1), (C, 1)])
    assert isinstance(choice, Choice)
    found = [(probability, [share.quota for share in child.shares]) for probability, child in drafts(choice)]
    assert found == [(0.5, [2, 3]), (0.5, [3, 2])]
    assert all(child.done == {"split"} for _, child in drafts(choice))


def test_parts_that_round_to_nothing_are_left_out() -> None:
    """One row over two parts is one share, of one part or the other."""
    choice = Draft.start(INDEX, 1).split(lambda _: [(A, 1), (C, 1)])
    assert [shares(child) for _, child in drafts(choice)] == [[(C, 1, "primary")], [(A, 1, "primary")]]


STEPS: dict[str, tuple[Callable[[Draft], Any], list[str]]] = {
    "filter": (lambda draft: draft.filter(A), ["select", "leak", "split", "window"]),
    "select": (lambda draft: draft.select(A), ["leak", "split", "window"]),
    "leak": (lambda draft: draft.leak(A, 1), ["leak"]),
    "split": (lambda draft: draft.split(lambda _: [(A, 1)]), ["window"]),
}


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("other", ["select", "leak", "split", "window"])
def test_steps_have_an_order(step: str, other: str) -> None:
    """Every step names the kinds of step that must come after it, and only those."""
    take, later = STEPS[step]
    # A leak needs a selection besides.
    draft = after("select", other) if step == "leak" else after(other)
    if other in later:
        with refused(ChainError, f"The order of a chain is filters, ...; got a {step} after a {other} (Draft.{step})"):
            take(draft)
    else:
        take(draft)


@pytest.mark.parametrize(
    ("take", "error", "text"),
    [
        (lambda: START.filter(A).filter(B), ChainError, "A filter must ...; it keeps 0 of 3 (Draft.filter)"),
        (lambda: START.select(A).select(B), ChainError, "A selection must ...; it keeps 0 of 3 (Draft.select)"),
        (lambda: START.leak(A, 1), ChainError, "A leak must ...; got none before it ... of 1 share(s) (Draft.leak)"),
        (lambda: START.select(A).leak(C, 7), SettingError, "quota must be at most 6, ...; got 7 (Draft.leak)"),
        (lambda: START.select(A).leak(C, -1), SettingError, "quota must be at least 0; got -1 (Draft.leak)"),
        (lambda: START.select(A).leak(C, 1.5), SettingTypeError, "quota must be an integer; got 1.5 ... (Draft.leak)"),
        (lambda: START.split(lambda _: [(A, -1)]), SettingError, "The weights of a split must ...; got -1 among 1 (Dr"),
        (
            lambda: START.split(lambda _: [(A, 1), (B, np.inf)]),
            SettingError,
            "The weights of a split must be finite and not negative; got inf among 2 (Draft.split)",
        ),
        (
            lambda: START.split(lambda _: [(A, np.nan), (B, 1)]),
            SettingError,
            "The weights of a split must be finite and not negative; got nan among 2 (Draft.split)",
        ),
        (
            lambda: START.split(lambda _: [(A, 0)]),
            ChainError,
            "A split must ...; 6 rows of all groups got none (Draft.",
        ),
    ],
)
def test_steps_that_leave_nothing_are_refused(take: Callable[[], Any], error: Any, text: str) -> None:
    """A step says how many rows it had, how many it left, and who it was."""
    with refused(error, text):
        take()


@pytest.mark.parametrize(
    ("weights", "count", "total"),
    [
        pytest.param([], 0, "0.0", id="none"),
        pytest.param([0, 0], 2, "0.0", id="all-zero"),
        pytest.param([2, -1], 2, "1.0", id="negative"),
        pytest.param([1, np.nan], 2, "nan", id="not-a-number"),
        pytest.param([1, np.inf], 2, "inf", id="infinite"),
        pytest.param([[1, 1]], 2, "2.0", id="a-table"),
        pytest.param(1, 1, "1.0", id="a-number"),
    ],
)
def test_weights_that_are_no_probabilities_are_refused(weights: Any, count: int, total: str) -> None:
    """Weights are one row of finite numbers, none negative and one positive."""
    text = f"The weights of a choice must be ...; got {count} weights with sum {total} (Choice)"
    with refused(SettingError, text):
        Choice(weights, lambda _: START)


@pytest.mark.parametrize("weights", [["a"], [1, [2]]], ids=str)
def test_weights_that_are_no_numbers_are_refused(weights: Any) -> None:
    """What NumPy cannot read as numbers is told by name."""
    with refused(SettingTypeError, "The weights of a choice must be numbers; got ... (Choice)"):
        Choice(weights, lambda _: START)


def test_weights_whose_sum_is_not_finite_are_refused() -> None:
    """Each weight may be finite and their sum too large for a float."""
    with refused(SettingError, "Weights must have a finite sum; got 2 up to 1e+308 (Draft.split). "):
        START.split(lambda _: [(A, 1e308), (B, 1e308)])
    with refused(SettingError, "The weights of a choice must be ...; got 2 weights with"):
        Choice([1e308, 1e308], lambda _: START)


def test_weights_become_probabilities() -> None:
    """Whole numbers, zeros and sums other than 1 are welcome; what is kept are floats that sum to 1."""
    weights = Choice([3, 0, 1], lambda _: START).weights
    assert weights.tolist() == [0.75, 0.0, 0.25]
    assert weights.dtype == np.float64
    assert Choice([0.1, 0.3], lambda _: START).weights.tolist() == pytest.approx([0.25, 0.75])
