"""Windows worked out at once: the arrays of a small table, by hand, and which values become focal."""

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
    Pipeline,
    Plan,
    Pool,
    TemporalEnricher,
)
from batchwright.drawing import draw_block
from batchwright.errors import ChainError
from batchwright.layout import Layout
from batchwright.stages._focal import FocalValues
from batchwright.stages._windows import Windows
from batchwright.trunk import Trunk

# Positions are rows: sorted by experiment, and by time within it; the last experiment has no times.
TABLE = {"experiment": [*"aaabbbcc"], "hours": [0.0, 1.0, 2.0, 0.0, 1.0, 3.0, None, None]}
INDEX = MetadataIndex.from_table(TABLE, by="experiment", order_by="hours")
A, B, C = (INDEX.pool("experiment", label) for label in "abc")


def apply(draft: Any, *settings: Any) -> Choice:
    """Return the choice that a window makes of a draft."""
    choice = TemporalEnricher("hours", *settings).apply(draft)
    assert isinstance(choice, Choice)
    return choice


def shares(draft: Any) -> list[tuple[Pool, int, str]]:
    return [(share.pool, share.quota, share.role) for share in draft.shares]


def test_a_window_cuts_every_cell() -> None:
    """Around hour 1, each cell gives one range to the inside and two to the outside, those that meet joined."""
    child = apply(Draft.start(INDEX, 4).select(A | B), 0, 0.5).child(1)
    inside, outside = Pool.of([1, 4], [2, 5], 8), Pool.of([0, 2, 5], [1, 4, 6], 8)
    assert shares(child) == [(inside, 2, "primary"), (outside, 2, "primary")]


def test_windows_of_shares_that_lie_in_a_cell_have_a_short_cut() -> None:
    """Shares that are split in several cells have none; what is not split does not matter, nor do empty windows."""
    one, two = Draft.start(INDEX, 4).select(A).leak(B | C, 1), Draft.start(INDEX, 4).select(A | B)
    without = Draft.start(INDEX, 4).select(C)
    stacks = [DraftStack.of(drafts) for drafts in ([one], [one, without], [two], [one, two])]
    found = [TemporalEnricher("hours", 0).expand(stack).layout for stack in stacks]
    assert [layout is not None for layout in found] == [True, True, False, False]


@pytest.mark.parametrize("fails", [False, True])
def test_a_wrong_short_cut_is_named(monkeypatch: pytest.MonkeyPatch, fails: bool) -> None:
    """Batches of another size are refused, and what fails says in which stage, as where there is no short cut."""

    def layout(windows: Windows, *_: Any) -> Layout:
        if fails:
            raise IndexError
        return Layout.of(attrs.evolve(windows.stack, quotas=windows.stack.quotas + 1))

    monkeypatch.setattr(Windows, "layout", layout)
    pipeline = Pipeline([ExperimentSelector(), TemporalEnricher("hours", 1), Drawer()])
    trunk = Trunk.grow(pipeline, Draft.start(INDEX, 4), 1)
    with pytest.raises(IndexError if fails else ChainError) as caught:
        trunk.follow(np.array([0.5]))
    said = caught.value.__notes__[0] if fails else str(caught.value)
    assert ("in stage 2 of 2, Temporal" if fails else "batch_size=4; got 5 (after stage 2, Temporal") in said


def test_several_windows_are_worked_out_at_once() -> None:
    """Alternatives stand in the order asked for, of several drafts; shares outside the scope stay as they are."""
    drafts = [Draft.start(INDEX, 4).select(A).leak(B | C, 1), Draft.start(INDEX, 4).select(B).leak(A, 0)]
    options = TemporalEnricher("hours", 0, 0.0).expand(DraftStack.of(drafts))
    stack = options.take(np.array([0, 1, 0]), np.array([2, 2, 0]))
    assert isinstance(stack, DraftStack)
    assert shares(stack[0]) == [(Pool.of([2], [3], 8), 3, "primary"), (B | C, 1, "leak")]
    assert shares(stack[1]) == [(Pool.of([5], [6], 8), 4, "primary")]
    assert shares(stack[2]) == [(Pool.of([0], [1], 8), 3, "primary"), (B | C, 1, "leak")]


def test_a_draft_without_times_stands_among_others() -> None:
    """Its window is empty, so it stays as it is, while those beside it are split."""
    drafts = [Draft.start(INDEX, 4).select(pool) for pool in (C, A)]
    options = TemporalEnricher("hours", 0, 0.0).expand(DraftStack.of(drafts))
    stack = options.take(np.array([0, 1]), np.array([0, 1]))
    assert shares(stack[0]) == [(C, 4, "primary")]
    assert shares(stack[1]) == [(Pool.of([1], [2], 8), 4, "primary")]


def test_all_focal_values_come_with_all_roundings() -> None:
    """Three rows, half of them outside, are rounded in two ways for each of the four hours."""
    choice = apply(Draft.start(INDEX, 3), 0, 0.5)
    assert choice.weights.tolist() == [0.125] * 8
    assert [[share.quota for share in choice.child(k).shares] for k in range(8)] == [[1, 2]] * 4 + [[2, 1]] * 4
    at_two = Pool.of([2], [3], 8)
    assert shares(choice.child(6)) == [(at_two, 2, "primary"), (~at_two, 1, "primary")]


def test_a_side_without_rows_leaves_its_quota_to_the_other() -> None:
    """A window around everything takes all rows; a leak without rows in the window takes all of its own outside it."""
    whole = apply(Draft.start(INDEX, 4).select(A), 5, 0.5)
    assert shares(whole.child(0)) == [(A, 4, "primary")]
    leaked = apply(Draft.start(INDEX, 8).select(A).leak(B, 4), 0, 0.25, "all")
    assert shares(leaked.child(2)) == [
        (Pool.of([2], [3], 8), 3, "primary"),
        (Pool.of([0], [2], 8), 1, "primary"),
        (B, 4, "leak"),
    ]
    assert leaked.child(2).done == {"select", "leak", "window"}


def test_shares_of_few_and_of_many_cells_are_cut_side_by_side() -> None:
    """A share keeps its own rows, whatever the number of ranges of the others."""
    index = MetadataIndex.from_table({"plate": np.arange(10) // 2, "hours": [0, 1] * 5}, by="plate", order_by="hours")
    few, many = Pool.of(0, 4, 10), Pool.of(4, 10, 10)
    child: Any = apply(Draft.start(index, 4).split(lambda _: [(few, 1), (many, 1)]), 0, 0.5).child(0)
    assert [share.pool.positions().tolist() for share in child.shares] == [[0, 2], [1, 3], [4, 6, 8], [5, 7, 9]]


@pytest.mark.parametrize(("scope", "quotas"), [("primary", [2, 2, 4]), ("leak", [4, 2, 2]), ("all", [2, 2, 2, 2])])
def test_a_window_splits_its_scope(scope: str, quotas: list[int]) -> None:
    """Shares outside the scope stay whole, and every share stays at its place."""
    child = apply(Draft.start(INDEX, 8).select(A).leak(B, 4), 0, 0.5, scope).child(0)
    assert isinstance(child, Draft)
    assert [share.quota for share in child.shares] == quotas


def test_focal_values_are_those_of_the_primary_shares() -> None:
    """Neither hours of leaked rows, nor of rows that a balance left out, become focal."""
    leaked = Draft.start(INDEX, 4).select(A).leak(B, 2)
    assert apply(leaked, 0, 0.0, "all").weights.size == 3
    balanced = Draft.start(INDEX, 4).split(lambda _: [(B, 1), (C, 1)])
    assert [shares(apply(balanced, 0, 0.0).child(k))[0][0] for k in range(3)] == [
        Pool.of([row], [row + 1], 8) for row in (3, 4, 5)
    ]


def test_where_all_rows_leak_the_selection_has_the_focal_values() -> None:
    """A leak may take the whole batch; it is then enriched around the hours of what was selected."""
    choice = apply(Draft.start(INDEX, 4).select(A).leak(B, 4), 0, 0.0, "leak")
    assert [shares(choice.child(k))[0][0] for k in range(3)] == [Pool.of([3], [4], 8), Pool.of([4], [5], 8), B]


def test_without_times_a_window_changes_nothing() -> None:
    """A group without any value keeps its shares; a second window is refused there, too."""
    draft = Draft.start(INDEX, 4).select(C)
    same = TemporalEnricher("hours", 1).apply(draft)
    assert isinstance(same, Draft)
    assert same.shares == draft.shares
    assert same.done == {"select", "window"}
    with pytest.raises(ChainError, match="got a window after a window"):
        TemporalEnricher("hours", 1).apply(same)


def test_windows_of_many_cells_are_drawn_from_both_sides() -> None:
    """Half of a batch is of one hour, half of all the others, from cells that a window cuts into many ranges."""
    hours = np.arange(60) % 5
    index = MetadataIndex.from_table({"plate": np.arange(60) % 6, "hours": hours}, by="plate", order_by="hours")
    plan = Plan(Pipeline([TemporalEnricher("hours", 0, 0.5), Drawer()]), index, 8)
    block = draw_block(plan, 0, 0, range(200))
    near, far = hours[block[:, :4]], hours[block[:, 4:]]
    assert (near == near[:, :1]).all()
    assert (far != near[:, :1]).all()
    assert set(block[:, :4].ravel().tolist()) == set(block[:, 4:].ravel().tolist()) == set(range(60))


def test_a_chain_of_all_stages_has_windows_last() -> None:
    """Focal hours differ from group to group, and a group without hours is drawn as it is."""
    stages = [ExperimentSelector(), LeakMixer(0.25), ConditionBalancer("experiment"), TemporalEnricher("hours", 0, 0.0)]
    leaves = list(Plan(Pipeline([*stages, Drawer()]), INDEX, 4).leaves())
    assert [round(chance * 8, 9) for chance, _ in leaves] == [1] * 6 + [2]
    assert [draft.shares[0].pool.size for _, draft in leaves] == [1] * 6 + [2]


def test_drafts_of_many_values_of_one_and_of_none_stand_side_by_side() -> None:
    """Each has its own windows: around the only hour, around the last of three, and none."""
    only = Pool.of([5], [8], 8)
    drafts = [Draft.start(INDEX, 4).select(pool) for pool in (only, A, C)]
    options = TemporalEnricher("hours", 0, 0.0).expand(DraftStack.of(drafts))
    stack = options.take(np.array([0, 1, 2]), np.array([0, 2, 0]))
    assert isinstance(stack, DraftStack)
    assert [shares(stack[k])[0][0] for k in range(3)] == [Pool.of([5], [6], 8), Pool.of([2], [3], 8), C]


def test_a_share_outside_the_scope_is_whole_also_where_the_window_lies_in_it() -> None:
    """Rows that leak in from the first group are of all its hours, though it has the focal one."""
    leaked = Draft.start(INDEX, 6).select(B).leak(A, 2)
    assert [shares(apply(leaked, 0, 0.0).child(k))[-1] for k in range(3)] == [(A, 2, "leak")] * 3


def test_a_draft_of_one_value_has_all_roundings_beside_one_of_many() -> None:
    """Its alternatives are numbered by its own one value, not by those of the drafts beside it."""
    drafts = [Draft.start(INDEX, 3).select(pool) for pool in (Pool.of([5], [8], 8), A)]
    stack = TemporalEnricher("hours", 0, 0.5).expand(DraftStack.of(drafts)).take(np.array([0, 0]), np.array([0, 1]))
    assert isinstance(stack, DraftStack)
    assert [[quota for _, quota, _ in shares(stack[k])] for k in range(2)] == [[1, 2], [2, 1]]


@pytest.mark.parametrize("repeats", [False, True])
def test_each_value_is_focal_once(repeats: bool) -> None:
    """Of several cells, one without times, and of shares that have rows in common, which a user's stage may make."""
    hours = [4.0, 1.0, None, 7.0, 2.0, None, 9.0, 1.0 if repeats else 3.0]
    index = MetadataIndex.from_table({"plate": [*"aaaabbcc"], "hours": hours}, by="plate", order_by="hours")
    a, b, c = (index.pool("plate", label) for label in "abc")
    rows = [Pool.of([start], [stop], 8) for start, stop in [(0, 2), (1, 5), (0, 1), (2, 3)]]
    pools = [[a | b | c], [a, b], [c, a, b], [a | b, b | c], rows[:2], [a, *rows[2:]]]
    drafts = [Draft.start(index, 12).split(lambda _, parts=parts: [(pool, 1) for pool in parts]) for parts in pools]
    for draft in drafts:
        assert isinstance(draft, Draft)
        held = {int(index.rows(position)) for share in draft.shares for position in share.pool.positions()}
        expected = sorted({value for row in held if (value := hours[row]) is not None})
        focal = FocalValues.of(DraftStack.of([draft]), index.timeline)
        assert sorted(index.timeline.times[focal.in_timeline(np.arange(focal.counts[0]))].tolist()) == expected


def test_focal_values_do_not_depend_on_the_drafts_beside() -> None:
    """Also where shares of another draft have rows in common, a batch stays the same in whatever block it stands."""
    index = MetadataIndex.from_table({"plate": [*"aabb"], "hours": [4.0, 1.0, 3.0, 2.0]}, by="plate", order_by="hours")
    a, b = (index.pool("plate", label) for label in "ab")
    drafts = [
        Draft.start(index, 4).split(lambda _, pools=pools: [(pool, 1) for pool in pools])
        for pools in ([b, a], [a | b, b], [b, a])
    ]
    both = FocalValues.of(DraftStack.of(drafts), index.timeline)
    alone = FocalValues.of(DraftStack.of(drafts[:1]), index.timeline).in_timeline(np.arange(4))
    assert both.counts.tolist() == [4, 4, 4]
    assert [both.in_timeline(np.arange(start, start + 4)).tolist() for start in (0, 8)] == [alone.tolist()] * 2


def test_values_that_never_repeat_are_not_listed() -> None:
    """However many rows a draft has, it takes a span for each of its cells."""
    index = MetadataIndex.from_table(
        {"plate": np.arange(1000) % 4, "hours": np.arange(1000)}, "plate", order_by="hours"
    )
    focal = FocalValues.of(DraftStack.of([Draft.start(index, 8)]), index.timeline)
    assert focal.ranks is None
    assert focal.starts.tolist() == [0, 250, 500, 750]
    assert focal.bounds.tolist() == [0, 1000]
