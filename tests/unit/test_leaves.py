"""The tree of a plan: its leaves, which of them are looked at, and how long opened nodes are kept."""

import pickle
from typing import Any

import pytest

from batchwright import (
    Choice,
    ConditionBalancer,
    Draft,
    Drawer,
    ExperimentSelector,
    LeakMixer,
    MetadataIndex,
    Pipeline,
    Plan,
    Stage,
    plan,
)

# Groups of 4, 1, 2 and 1 rows, which stand in the index sorted by label.
TABLE = {"experiment": [*"dabcacaa"], "condition": [*"xxxyyxyy"]}
INDEX = MetadataIndex.from_table(TABLE, by=["experiment", "condition"])
SELECT, BALANCE = ExperimentSelector(), ConditionBalancer()


def make_plan(*stages: Any, batch_size: int = 4) -> Plan:
    return Plan(Pipeline([*stages, Drawer()]), INDEX, batch_size)


def label_of(draft: Draft) -> str:
    """Return the one experiment of a draft, whose first label says it."""
    return str(draft.groups("experiment").labels[0])


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
        looked_at = [[label_of(draft) for draft in make_plan(chain).some_leaves(limit)] for limit in range(1, 6)]
        assert looked_at == [["b"], ["b", "d"], ["b", "d", "c"], ["b", "d", "c", "a"], ["b", "d", "c", "a"]]
    some = make_plan(ExperimentSelector(weights={"a": 1, "b": 0, "c": 1, "d": 0}))
    assert [label_of(draft) for draft in some.some_leaves(1)] == ["c"]


def test_of_many_groups_alike_the_first_are_looked_at() -> None:
    """Among very many groups of one row and of two, the first of one row come first."""
    plates = [plate for plate in range(100) for _ in range(2 - plate % 2)]
    index = MetadataIndex.from_table({"plate": plates}, "plate")
    chain = Plan(Pipeline([ExperimentSelector("plate"), Drawer()]), index, 1)
    assert [draft.groups("plate").labels for draft in chain.some_leaves(5)] == [(1,), (3,), (5,), (7,), (9,)]


def test_some_leaves_are_spread_over_the_branches() -> None:
    """A limit is shared among the branches: of four groups with two leaves each, four are one of each group."""
    offers = Steps(lambda draft: Choice([1, 2], lambda k: draft.split(lambda share: [(share.pool, 1 + k)])))
    assert [label_of(draft) for draft in make_plan(SELECT, offers).some_leaves(4)] == ["b", "d", "c", "a"]
    assert len(list(make_plan(SELECT, offers).some_leaves(8))) == 8


def test_without_sizes_the_least_likely_are_looked_at_first() -> None:
    """A choice that does not say how many rows an alternative has is judged by its weights."""
    groups = Draft.start(INDEX, 4).groups("experiment")
    offers = Steps(lambda draft: Choice([4, 2, 3, 1], lambda k: draft.select(groups[k])))
    assert [label_of(draft) for draft in make_plan(offers).some_leaves(2)] == ["d", "b"]


def test_nodes_are_opened_once_and_kept() -> None:
    """A stage runs once for each situation; only a look at all leaves, which may be very many, keeps none."""
    chain = make_plan(SELECT)
    root: Any = chain.root
    assert chain.root is root
    assert len(list(chain.leaves())) == 4
    assert root.children == {}
    assert chain.child(root, 2) is chain.child(root, 2)
    assert len(list(chain.some_leaves(2))) == 2
    assert set(root.children) == {1, 2, 3}


@pytest.mark.parametrize(("limit", "kept"), [(133, True), (132, False)])
def test_a_tree_that_grows_too_large_is_dropped(monkeypatch: pytest.MonkeyPatch, limit: int, kept: bool) -> None:
    """A node weighs 64, and a leaf the ranges of its pools besides; past the limit the tree is begun anew."""
    monkeypatch.setattr(plan, "_RANGES_KEPT", limit)
    chain = make_plan(SELECT, LeakMixer(0.5))
    root: Any = chain.root
    # What leaks into the first group stands behind it, one range; what leaks into the second stands around it, two.
    chain.child(root, 0)
    assert chain.root is root
    chain.child(root, 1)
    assert (chain.root is root) == kept
    assert chain.root is chain.root


def test_a_copy_leaves_the_opened_tree_behind() -> None:
    """A pickled plan is small, and opens its nodes as if new."""
    chain = make_plan(SELECT)
    root: Any = chain.root
    chain.child(root, 0)
    copied = pickle.loads(pickle.dumps(chain))  # noqa: S301 - a plan of our own.
    assert (copied._root, copied._kept) == (None, 0)
    assert chain._kept > 0
    assert [chance for chance, _ in copied.leaves()] == [chance for chance, _ in chain.leaves()]


def test_only_the_last_choice_is_last() -> None:
    """A branch is last where no stage comes after its choice."""
    chain = make_plan(SELECT, BALANCE, batch_size=3)
    root: Any = chain.root
    below: Any = chain.child(root, 0)
    assert (chain.is_last(root), chain.is_last(below)) == (False, True)


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
