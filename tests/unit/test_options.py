"""`Options`: which alternatives numbers decide, which there are, and how targets of many drafts are divided."""

from typing import Any

import attrs
import numpy as np
import pytest

from batchwright import (
    Choice,
    ConditionBalancer,
    Draft,
    DraftStack,
    Drawer,
    ExperimentSelector,
    LeakMixer,
    MetadataIndex,
    Options,
    Pipeline,
    Pool,
    Pools,
    TemporalEnricher,
    options,
)
from batchwright.errors import ChainError
from batchwright.options import divide, lift
from batchwright.ragged import bounds_of
from batchwright.trunk import Trunk

INDEX = MetadataIndex.from_table({"experiment": [*"aabbcccc"], "condition": [*"xyxyxxxy"]}, ["experiment", "condition"])
START = Draft.start(INDEX, 4)
A, B, C = (INDEX.pool("experiment", label) for label in "abc")
BELOW_ONE = float(np.nextafter(1.0, 0.0))
PROBABILITIES = np.array([[0.25, 0.0, 0.75], [0.5, 0.5, 0.0]])


def make(parts: list[int] | None = None, sizes: Any = None) -> Options:
    """Return the options of two drafts, three each, of which one each cannot be taken."""
    return Options(
        PROBABILITIES,
        lambda *_: DraftStack.of([START]),
        None if parts is None else np.array(parts),
        None if sizes is None else np.array(sizes),
    )


def shares(draft: Draft) -> list[tuple[Pool, int, str]]:
    return [(share.pool, share.quota, share.role) for share in draft.shares]


def located(found: Options, drafts: list[int], u: list[float]) -> tuple[list[int], list[float]]:
    numbers, rest = found.locate(np.array(drafts), np.array(u))
    return numbers.tolist(), rest.tolist()


def test_each_number_picks_among_the_alternatives_of_its_own_draft() -> None:
    """An interval has its lower end; alternatives that cannot be taken have none; the rest is its place in there."""
    numbers, rest = located(make(), [0, 0, 0, 1, 1, 1], [0.0, 0.125, 0.25, 0.25, 0.5, 0.75])
    assert numbers == [0, 0, 2, 0, 1, 1]
    assert rest == [0.0, 0.5, 0.0, 0.5, 0.0, 0.5]


def test_the_largest_number_picks_the_last_that_can_be_taken() -> None:
    """Just below 1 lies in the last interval that has a length."""
    assert located(make(), [0, 1], [BELOW_ONE] * 2)[0] == [2, 1]
    single = attrs.evolve(make(), probabilities=PROBABILITIES[1:])
    assert located(single, [0, 0, 0], [0.25, 0.5, BELOW_ONE])[0] == [0, 1, 1]


def test_parts_of_an_alternative_share_its_interval() -> None:
    """Of three parts each has a third, and what is left is the place in there; drafts have parts of their own."""
    numbers, rest = located(make([1, 3]), [0, 1, 1, 1, 1], [0.625, 0.25, 0.0, 0.5, 0.75])
    assert numbers == [2, 1, 0, 3, 4]
    assert rest == [0.5, 0.5, 0.0, 0.0, 0.5]


def test_what_is_left_of_a_part_stays_below_1() -> None:
    """The largest number picks the last part, also where a product rounds up."""
    for parts in (3, 49, 2**31):
        numbers, rest = located(make([parts, parts]), [0, 1], [BELOW_ONE] * 2)
        assert numbers == [3 * parts - 1, 2 * parts - 1]
        assert all(0 <= left < 1 for left in rest)


def test_every_alternative_is_listed_with_where_it_begins() -> None:
    """Draft after draft, those that can be taken; each has the number that picks it."""
    drafts, numbers, low = make().every()
    assert (drafts.tolist(), numbers.tolist(), low.tolist()) == ([0, 0, 1, 1], [0, 2, 0, 1], [0.0, 0.25, 0.0, 0.5])
    assert make().counts.tolist() == [2, 2]


def test_every_part_is_listed_with_where_it_begins() -> None:
    """The parts of an alternative follow each other, alike in length."""
    found = make([2, 4])
    drafts, numbers, low = found.every()
    assert drafts.tolist() == [0] * 4 + [1] * 8
    assert numbers.tolist() == [0, 1, 4, 5, 0, 1, 2, 3, 4, 5, 6, 7]
    assert low.tolist() == [0.0, 0.125, 0.25, 0.625, *(np.arange(8) / 8)]
    assert found.counts.tolist() == [4, 8]
    assert located(found, drafts.tolist(), low.tolist()) == (numbers.tolist(), [0.0] * 12)


@pytest.mark.parametrize(
    ("limit", "expected"),
    [
        (1, ([0], [0])),
        (2, ([0, 1], [0, 0])),
        (3, ([0, 1], [0, 0])),
        (4, ([0, 0, 1, 1], [0, 2, 0, 1])),
        (100, ([0, 0, 1, 1], [0, 2, 0, 1])),
    ],
)
def test_some_are_as_many_of_each_draft(limit: int, expected: tuple[list[int], list[int]]) -> None:
    """A limit is shared among the drafts; below their number the first have one each."""
    drafts, numbers = make().some(limit)
    assert (drafts.tolist(), numbers.tolist()) == expected


@pytest.mark.parametrize(
    ("limit", "expected"),
    [
        (2, ([0, 1], [6, 0])),
        (6, ([0, 0, 0, 1, 1], [6, 7, 8, 0, 1])),
        (8, ([0, 0, 0, 0, 1, 1], [6, 7, 8, 0, 0, 1])),
        (100, ([0] * 6 + [1, 1], [6, 7, 8, 0, 1, 2, 0, 1])),
    ],
)
def test_some_with_parts_are_those_of_the_smallest(limit: int, expected: tuple[list[int], list[int]]) -> None:
    """The smallest alternative comes first with as many of its parts as there is room for."""
    drafts, numbers = make([3, 1], [[5, 0, 4], [1, 1, 0]]).some(limit)
    assert (drafts.tolist(), numbers.tolist()) == expected


def divided(targets: list[list[float]]) -> Any:
    """Return what becomes of drafts that are divided by experiment, of so many rows each."""
    pools = Pools.of([A, B, C] * len(targets), 8)
    stack = DraftStack.of([Draft.start(INDEX, round(sum(row))) for row in targets])
    roles = np.array(["primary", "leak", "primary"] * len(targets))
    return divide(stack, 3 * np.arange(len(targets) + 1), pools, np.concatenate(targets), roles, "split")


def test_targets_that_come_out_even_leave_no_choice() -> None:
    """Each draft has its own targets; a target of 0 leaves no share; the step is on record."""
    stack = divided([[1.0, 2.0, 1.0], [0.0, 0.0, 5.0]])
    assert isinstance(stack, DraftStack)
    assert shares(stack[0]) == [(A, 1, "primary"), (B, 2, "leak"), (C, 1, "primary")]
    assert shares(stack[1]) == [(C, 5, "primary")]
    assert stack[1].done == {"split"}


def test_one_draft_that_does_not_come_out_even_makes_a_choice_of_all() -> None:
    """A draft that comes out even then has one alternative, which is certain."""
    found = divided([[1.0, 2.0, 1.0], [0.5, 0.25, 2.25]])
    assert isinstance(found, Options)
    drafts, numbers, low = found.every()
    assert drafts.tolist() == [0, 1, 1, 1]
    assert low.tolist() == [0.0, 0.0, 0.25, 0.5]
    stack = found.take(drafts, numbers)
    assert isinstance(stack, DraftStack)
    assert [[share.quota for share in stack[k].shares] for k in range(4)] == [[1, 2, 1], [3], [1, 2], [1, 2]]
    assert shares(stack[2]) == [(B, 1, "leak"), (C, 2, "primary")]
    assert shares(stack[3]) == [(A, 1, "primary"), (C, 2, "primary")]


@pytest.mark.parametrize("at_a_time", [1, 2, 3, 6, 7, 9, 1 << 20])
def test_lots_make_no_difference(monkeypatch: pytest.MonkeyPatch, at_a_time: int) -> None:
    """However many shares are worked out at a time, the drafts are the same, in the same order."""
    targets = [[1.0, 2.0, 1.0], [0.5, 0.25, 2.25], [0.0, 1.5, 0.5], [2.0, 0.0, 0.0]]
    drafts, numbers, _ = divided(targets).every()
    order = np.array([3, 0, 5, 1, 2, 4, 4, 6])
    drafts, numbers = drafts[order % drafts.size], numbers[order % drafts.size]
    expected = divided(targets).take(drafts, numbers)
    joined: list[int] = []
    join = DraftStack.join

    def count(parts: Any) -> DraftStack:
        joined.extend(len(part) for part in parts)
        return join(parts)

    monkeypatch.setattr(options, "_ENTRIES_AT_A_TIME", at_a_time)
    monkeypatch.setattr(DraftStack, "join", count)
    found = divided(targets).take(drafts, numbers)
    assert [found[k] for k in range(8)] == [expected[k] for k in range(8)]
    lot = max(1, at_a_time // 3)
    assert joined == ([min(lot, 8 - start) for start in range(0, 8, lot)] if lot < 8 else [])


def test_drafts_and_choices_stand_side_by_side() -> None:
    """Where one draft gets a choice and one a draft, the latter is certain; a choice may offer a choice again."""
    twice = Choice([1, 3], lambda k: START.select([A, B][k]))
    found = lift([START.select(C), Choice([1, 1], lambda k: twice if k else START)])
    assert isinstance(found, Options)
    assert found.probabilities.tolist() == [[1.0, 0.0], [0.5, 0.5]]
    drafts, numbers, _ = found.every()
    below = found.take(drafts, numbers)
    assert isinstance(below, Options)
    assert below.probabilities.tolist() == [[1.0, 0.0], [1.0, 0.0], [0.25, 0.75]]
    stack = below.take(np.array([2, 0, 1, 2]), np.array([1, 0, 0, 0]))
    assert isinstance(stack, DraftStack)
    assert [stack[k].primary for k in range(4)] == [B, C, START.primary, A]


def test_what_is_no_outcome_is_refused() -> None:
    """The message says what was found, and among how many."""
    found: Any = [START, None]
    with pytest.raises(
        ChainError, match=r"such; got None \(one of 2 outcomes of Stage.apply\)\. Return the next draft\."
    ):
        lift(found)


@pytest.mark.parametrize("limit", [1, 3, 5, 100])
def test_two_selections_are_a_selection_by_both(limit: int) -> None:
    """Experiment first and condition within it: every pair has its interval, however much is worked out before."""
    chain = [ExperimentSelector(weights={"a": 1, "b": 1, "c": 2}), ExperimentSelector(by="condition"), Drawer()]
    trunk = Trunk.grow(Pipeline(chain), START, limit)
    layout, leaves = trunk.follow(np.arange(32) / 32 + 1 / 64)
    found = [layout.columns[1:3, layout.bounds[leaf]].tolist() for leaf in leaves.tolist()]
    # Size and first position of the pool: ax, ay, bx, by of one row each, then cx of three and cy of one.
    expected = [[1, 0], [1, 1], [1, 2], [1, 3], [3, 4], [1, 7]]
    assert found == [expected[k] for k in np.repeat(np.arange(6), [4, 4, 4, 4, 12, 4]).tolist()]


def test_drafts_of_many_shares_follow_their_own_paths() -> None:
    """A chain of all stages comes to the same leaf for each number alone as for all at once."""
    table = {"experiment": [*"aabbcccc"], "condition": [*"xyxyxxxy"], "hours": [0, 1, 2, 0, 1, 2, 0, 1]}
    index = MetadataIndex.from_table(table, ["experiment", "condition"], "hours")
    chain = [ExperimentSelector(), LeakMixer(0.3), ConditionBalancer(scope="all"), TemporalEnricher("hours", 0)]
    trunk = Trunk.grow(Pipeline([*chain, Drawer()]), Draft.start(index, 7), 1)
    numbers = np.random.default_rng(0).random(60)
    layout, leaves = trunk.follow(numbers)
    for number, leaf in zip(numbers, leaves.tolist(), strict=True):
        alone, zero = trunk.follow(np.array([number]))
        assert zero.tolist() == [0]
        assert layout.columns[:2, layout.bounds[leaf] : layout.bounds[leaf + 1]].tolist() == alone.columns[:2].tolist()


def test_a_lot_is_as_large_as_the_longest_draft_allows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Drafts of one share and of three are worked out two at a time where there is room for six shares."""
    monkeypatch.setattr(options, "_ENTRIES_AT_A_TIME", 6)
    stack = DraftStack.of([START] * 3)
    pools, bounds = Pools.of([A, A, B, C, B], 8), bounds_of([1, 3, 1])
    targets, roles = np.array([4.0, 1.0, 2.0, 1.0, 4.0]), np.array(["primary"] * 5)
    found = divide(stack, bounds, pools, targets, roles, "split")
    assert isinstance(found, DraftStack)
    assert [shares(found[k]) for k in range(3)] == [
        [(A, 4, "primary")],
        [(A, 1, "primary"), (B, 2, "primary"), (C, 1, "primary")],
        [(B, 4, "primary")],
    ]
