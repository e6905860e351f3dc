"""The tree of a plan: its leaves, which of them are looked at, and how far it is worked out beforehand."""

import pickle
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
    LeakMixer,
    MetadataIndex,
    Pipeline,
    Plan,
    Stage,
    TemporalEnricher,
    plan,
    trunk,
)
from batchwright.errors import ChainError
from batchwright.trunk import Trunk

# Groups of 4, 1, 2 and 1 rows, which stand in the index sorted by label.
TABLE = {"experiment": [*"dabcacaa"], "condition": [*"xxxyyxyy"]}
INDEX = MetadataIndex.from_table(TABLE, by=["experiment", "condition"])
SELECT, BALANCE = ExperimentSelector(), ConditionBalancer()


def make_plan(*stages: Any, batch_size: int = 4) -> Plan:
    return Plan(Pipeline([*stages, Drawer()]), INDEX, batch_size)


def label_of(draft: Draft) -> str:
    """Return the one experiment of a draft, whose first label says it."""
    return str(draft.groups("experiment").labels[0])


def drafts_of(stack: DraftStack) -> list[Draft]:
    return [stack[k] for k in range(len(stack))]


def labels_of_some(limit: int, *stages: Any) -> list[str]:
    """Return the experiments of some leaves of a tree of which nothing but the root is worked out."""
    grown = Trunk.grow(Pipeline([*stages, Drawer()]), Draft.start(INDEX, 4), 1)
    return [label_of(draft) for draft in drafts_of(grown.some(limit))]


class Steps(Stage):
    """A stage made of a function."""

    def __init__(self, function: Any) -> None:
        self.function = function

    def apply(self, draft: Draft) -> Any:
        """Return what the function makes of the draft."""
        return self.function(draft)


def test_leaves_come_with_their_probabilities() -> None:
    """The probability of a leaf is the product along its path; alternatives of weight 0 are no leaves."""
    leaves = list(
        make_plan(ExperimentSelector(weights={"a": 3, "b": 0, "c": 1, "d": 0}), BALANCE, batch_size=3).leaves()
    )
    found = [(chance, label_of(draft), [share.quota for share in draft.shares]) for chance, draft in leaves]
    assert found == [(0.375, "a", [1, 2]), (0.375, "a", [2, 1]), (0.125, "c", [1, 2]), (0.125, "c", [2, 1])]


def test_some_leaves_are_those_of_the_smallest_groups() -> None:
    """Small groups are looked at first, whatever their weights, the first of equals first, and none of weight 0."""
    even = ExperimentSelector(weights={"a": 1, "b": 4, "c": 2, "d": 3})
    for chain in (SELECT, even):
        looked_at = [labels_of_some(limit, chain) for limit in range(1, 6)]
        assert looked_at == [["b"], ["b", "d"], ["b", "d", "c"], ["b", "d", "c", "a"], ["b", "d", "c", "a"]]
    some = ExperimentSelector(weights={"a": 1, "b": 0, "c": 1, "d": 0})
    assert labels_of_some(1, some) == ["c"]


def test_of_many_groups_alike_the_first_are_looked_at() -> None:
    """Among very many groups of one row and of two, the first of one row come first."""
    plates = [plate for plate in range(100) for _ in range(2 - plate % 2)]
    index = MetadataIndex.from_table({"plate": plates}, "plate")
    grown = Trunk.grow(Pipeline([ExperimentSelector("plate"), Drawer()]), Draft.start(index, 1), 99)
    assert [draft.groups("plate").labels for draft in drafts_of(grown.some(5))] == [(1,), (3,), (5,), (7,), (9,)]


def test_some_leaves_are_spread_over_the_branches() -> None:
    """A limit is shared among the branches: of four groups with two leaves each, four are one of each group."""
    offers = Steps(lambda draft: Choice([1, 2], lambda k: draft.split(lambda share: [(share.pool, 1 + k)])))
    assert labels_of_some(4, SELECT, offers) == ["b", "d", "c", "a"]
    assert len(labels_of_some(8, SELECT, offers)) == 8


def test_without_sizes_the_least_likely_are_looked_at_first() -> None:
    """A choice that does not say how many rows an alternative has is judged by its weights."""
    groups = Draft.start(INDEX, 4).groups("experiment")
    offers = Steps(lambda draft: Choice([4, 2, 3, 1], lambda k: draft.select(groups[k])))
    assert labels_of_some(2, offers) == ["d", "b"]


def test_a_tree_is_worked_out_as_far_as_it_has_few_situations() -> None:
    """Four groups are four situations, and with two roundings each eight; one more than the limit is not begun."""
    pipeline = Pipeline([SELECT, LeakMixer(0.4), Steps(lambda draft: Choice([1, 1], lambda _: draft)), Drawer()])
    grown = [Trunk.grow(pipeline, Draft.start(INDEX, 4), limit) for limit in (3, 4, 7, 8)]
    assert [tree.level for tree in grown] == [1, 3, 3, 3]
    assert [tree.is_whole for tree in grown] == [False, False, False, True]
    assert grown[2].bounds.tolist() == [0, 0.5, 0.625, 0.875, 1]
    assert grown[3].bounds.tolist() == [0, 0.25, 0.5, 0.5625, 0.625, 0.75, 0.875, 0.9375, 1]
    assert len(grown[3].some(1)) == 8


@pytest.mark.parametrize("cells", [1, 3, 1 << 21])
def test_a_number_comes_to_the_same_leaf_however_much_is_worked_out(
    monkeypatch: pytest.MonkeyPatch, cells: int
) -> None:
    """What is worked out beforehand, and how many drafts at once, decides about cost, not about paths."""
    monkeypatch.setattr(trunk, "_CELLS_AT_ONCE", cells)
    pipeline = Pipeline([SELECT, LeakMixer(0.25), BALANCE, Drawer()])
    numbers = np.random.default_rng(0).random(500)
    found = []
    for limit in (1, 4, 100):
        layout, leaves = Trunk.grow(pipeline, Draft.start(INDEX, 7), limit).follow(numbers)
        shares = [layout.columns[:, layout.bounds[leaf] : layout.bounds[leaf + 1]].tolist() for leaf in leaves]
        found.append(shares)
    assert found[0] == found[1] == found[2]
    monkeypatch.undo()
    layout, leaves = Trunk.grow(pipeline, Draft.start(INDEX, 7), 100).follow(numbers)
    assert found[0] == [layout.columns[:, layout.bounds[k] : layout.bounds[k + 1]].tolist() for k in leaves]


def test_wide_drafts_are_worked_out_by_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    """A lot would not fill the limit if all its drafts were as wide as the widest; each draft is in one lot."""
    plates = ["a", "b", "c", *"dddddddddd"]
    table = {"plate": plates, "well": np.arange(13) % 10}
    index = MetadataIndex.from_table(table, by=["plate", "well"])
    drafts = [Draft.start(index, 4).select(index.pool("plate", label)) for label in "dabc"]
    stack = DraftStack.of(drafts)
    for limit, lots in ((1, [[1], [2], [3], [0]]), (2, [[1, 2], [3], [0]]), (30, [[1, 2, 3], [0]])):
        monkeypatch.setattr(trunk, "_CELLS_AT_ONCE", limit)
        assert [lot.tolist() for lot in trunk.lots_of(ConditionBalancer("well"), stack)] == lots
    chain = Pipeline([ExperimentSelector("plate"), ConditionBalancer("well"), Drawer()])
    some = Trunk.grow(chain, Draft.start(index, 4), 1).some(100)
    assert {draft.primary for draft in drafts_of(some)} == {draft.primary for draft in drafts}
    monkeypatch.setattr(trunk, "_CELLS_AT_ONCE", 1)
    grown = Trunk.grow(chain, Draft.start(index, 4), 100)
    layout, leaves = grown.follow(np.array([0.0]))  # No number comes to the lots of the other plates.
    assert layout.columns[:3, layout.bounds[leaves[0]]].tolist() == [4, 1, 0]


@pytest.mark.parametrize(("ranges", "most"), [(2, 1), (7, 3), (1 << 20, 1 << 19)])
def test_drafts_of_many_ranges_are_worked_out_in_smaller_numbers(
    monkeypatch: pytest.MonkeyPatch, ranges: int, most: int
) -> None:
    """Memory counts ranges: a draft of two of them, on the first path, counts twice."""
    monkeypatch.setattr(plan, "_RANGES", ranges)
    assert make_plan(SELECT, LeakMixer(0.5)).most_drafts == most


def test_a_first_path_of_few_ranges_does_not_stand_for_all() -> None:
    """Around the first time, far from all others, a window has one range; around most it cuts every plate."""
    table = {"plate": np.arange(300) // 3, "hours": np.arange(300) * 7 % 300.0}
    table["hours"][0] = -1000.0
    index = MetadataIndex.from_table(table, by="plate", order_by="hours")
    assert Plan(Pipeline([TemporalEnricher("hours", 20), Drawer()]), index, 8).breadth > 10


def test_the_tree_is_worked_out_once_and_left_behind_by_a_copy() -> None:
    """A pickled plan is small, and works out its tree as if new."""
    chain = make_plan(SELECT)
    assert chain.trunk is chain.trunk
    copied = pickle.loads(pickle.dumps(chain))  # noqa: S301 - a plan of our own.
    assert "trunk" not in vars(copied)
    assert copied.trunk.bounds.tolist() == chain.trunk.bounds.tolist()


def test_a_choice_may_offer_a_choice() -> None:
    """Choices of one stage stand one below the other, and probabilities multiply."""

    def choose(draft: Draft, pair: str) -> Choice:
        return Choice([1, 1], lambda k: draft.select(INDEX.pool("experiment", pair[k])))

    chain = make_plan(Steps(lambda draft: Choice([1, 3], lambda k: choose(draft, ["ab", "cd"][k]))), BALANCE)
    assert [(chance, label_of(draft)) for chance, draft in chain.leaves()] == [
        (0.125, "a"),
        (0.125, "b"),
        (0.375, "c"),
        (0.375, "d"),
    ]


def lose_a_row(draft: Draft) -> Choice:
    """Offer a draft of the batch size, one of a row less and one of a row more."""
    return Choice([1, 1, 1], lambda k: Draft.start(INDEX, draft.batch_size + [0, -1, 1][k]))


@pytest.mark.parametrize("limit", [1, 100])
@pytest.mark.parametrize("stages", [[Steps(lose_a_row)], [SELECT, Steps(lose_a_row)]])
def test_rows_lost_on_a_later_path_are_noticed_however_much_is_worked_out(stages: list[Any], limit: int) -> None:
    """Batches of 3 and of 5 rows are never drawn as two of 4; the stage that made them is named."""
    pipeline = Pipeline([*stages, Drawer()])
    with pytest.raises(ChainError, match=rf"batch_size=4; got 3 \(after stage {len(stages)}, Steps"):
        Trunk.grow(pipeline, Draft.start(INDEX, 4), limit).follow(np.linspace(0, 0.99, 30))
    with pytest.raises(ChainError, match=rf"batch_size=4; got 3 \(after stage {len(stages)}, Steps"):
        Trunk.grow(pipeline, Draft.start(INDEX, 4), limit).some(100)


def test_rows_lost_for_certain_are_noticed_at_their_stage() -> None:
    """A stage that loses rows of one group only, without a choice of its own, is named, too."""

    def cut(draft: Draft) -> Draft:
        return Draft.start(INDEX, 5) if label_of(draft) == "c" else draft

    pipeline = Pipeline([SELECT, Steps(cut), BALANCE, Drawer()])
    for limit in (1, 100):
        with pytest.raises(ChainError, match=r"batch_size=4; got 5 \(after stage 2, Steps"):
            Trunk.grow(pipeline, Draft.start(INDEX, 4), limit).follow(np.linspace(0, 0.99, 30))


def test_a_leak_without_a_selection_is_refused_on_a_later_path() -> None:
    """A path that selects nothing has no outside; that shows when it is come to, as when leaves are listed."""
    groups = Draft.start(INDEX, 4).groups("experiment")
    offers = Steps(lambda draft: Choice([3, 1], lambda k: draft if k else draft.select(groups[0])))
    chain = make_plan(offers, LeakMixer(0.5))
    for use in (lambda: list(chain.leaves()), lambda: chain.trunk):
        with pytest.raises(ChainError, match=r"after a selection, .* got none before it in a draft of 1 share"):
            use()


@pytest.mark.parametrize("limit", [1, 100])
def test_an_error_in_an_alternative_is_said_to_come_from_its_stage(limit: int) -> None:
    """An error on the way bears a note of the stage, whether it is made beforehand or for a block."""
    offers = Steps(lambda draft: Choice([1, 1], lambda k: [draft][k]))
    pipeline = Pipeline([SELECT, offers, BALANCE, Drawer()])
    with pytest.raises(IndexError) as raised:
        Trunk.grow(pipeline, Draft.start(INDEX, 4), limit).follow(np.linspace(0, 0.99, 30))
    assert raised.value.__notes__ == [f"in stage 2 of 3, {offers!r}"]
