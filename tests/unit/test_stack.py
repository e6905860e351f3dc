"""`DraftStack`: many drafts as arrays are the drafts, in whatever order and number they are taken."""

import numpy as np
import pytest

from batchwright import Draft, DraftStack, MetadataIndex, Pool, Pools
from batchwright.errors import ChainError
from batchwright.stack import with_step
from refusals import refused

INDEX = MetadataIndex.from_table({"experiment": [*"aabbcccc"]}, "experiment")
START = Draft.start(INDEX, 4)
A, B, C = (INDEX.pool("experiment", label) for label in "abc")


def leaked(pool: Pool, outside: Pool, quota: int) -> Draft:
    draft = START.select(pool).leak(outside, quota)
    assert isinstance(draft, Draft)
    return draft


DRAFTS = [leaked(A, B | C, 1), START, leaked(C, A, 4), leaked(B, A, 2)]
STACK = DraftStack.of(DRAFTS)


def drafts_of(stack: DraftStack) -> list[Draft]:
    return [stack[k] for k in range(len(stack))]


def test_a_stack_holds_its_drafts() -> None:
    """Drafts come out as they went in, with shares, roles and what was done."""
    assert len(STACK) == 4
    assert drafts_of(STACK) == DRAFTS
    assert STACK.bounds.tolist() == [0, 2, 3, 4, 6]
    assert STACK.owners.tolist() == [0, 0, 1, 2, 3, 3]
    assert STACK.batch_sizes.tolist() == [4, 4, 4, 4]


def test_drafts_are_taken_in_any_order() -> None:
    """A draft may be taken twice, or left out."""
    assert drafts_of(STACK.take(np.array([3, 0, 0, 2]))) == [DRAFTS[k] for k in (3, 0, 0, 2)]


def test_stacks_are_joined() -> None:
    """The drafts of the first come first."""
    parts = [STACK.take(np.array(numbers)) for numbers in ([0, 3], [1], [2, 0])]
    assert drafts_of(DraftStack.join(parts)) == [DRAFTS[k] for k in (0, 3, 1, 2, 0)]


@pytest.mark.parametrize(
    ("scope", "expected"),
    [("all", [True] * 6), ("primary", [True, False, True, False, True, False])],
)
def test_a_scope_is_told_share_by_share(scope: str, expected: list[bool]) -> None:
    """Scope `all` holds all shares, another one those of that role."""
    assert STACK.within(scope).tolist() == expected
    assert (STACK.within("leak") == ~STACK.within("primary")).all()


def test_drafts_of_different_universes_do_not_stand_together() -> None:
    """A filter on some paths only is refused, with the numbers of rows."""
    drafts = [START.filter(A | B), START.filter(A | B), START.filter(A)]
    text = "A filter must be the same for every batch; got one that keeps 4 rows, and one that keeps 2 (DraftStack)."
    with refused(ChainError, text):
        DraftStack.of(drafts)
    assert len(DraftStack.of(drafts[:2])) == 2


def test_a_selection_takes_all_rows_of_each_draft() -> None:
    """The whole batch comes from the pool, in the primary role, of drafts in the order asked for."""
    stack = DraftStack.of([START, Draft.start(INDEX, 6).select(A | C)])
    selected = stack.select(np.array([1, 0, 1]), Pools.of([C, B, A], 8))
    assert drafts_of(selected) == [stack[1].select(C), stack[0].select(B), stack[1].select(A)]


def test_a_selection_after_a_leak_is_refused() -> None:
    """One draft that has a leak is enough; each kind of step that must come later is looked for."""
    with pytest.raises(ChainError, match=r"got a select after a leak"):
        STACK.select(np.array([1]), Pools.of([A], 8))
    for step in ("split", "window"):
        done = np.array([frozenset({step})])
        with pytest.raises(ChainError, match=rf"got a select after a {step} \(Draft.select\)"):
            DraftStack.of([Draft(INDEX, A, A, START.shares, done[0])]).select(np.array([0]), Pools.of([A], 8))


def test_shares_without_rows_are_left_out() -> None:
    """Filling keeps some shares of some drafts, with new quotas; pools and roles stay with them."""
    filled = STACK.fill(np.array([3, 0]), np.array([4, 5, 1]), np.array([0, 2, 3]), np.array([0, 7, 9]))
    assert filled.bounds.tolist() == [0, 1, 2]
    assert [(s.pool, s.quota, s.role) for draft in drafts_of(filled) for s in draft.shares] == [
        (A, 7, "leak"),
        (B | C, 9, "leak"),
    ]
    assert [draft.primary for draft in drafts_of(filled)] == [B, A]


def test_a_step_is_added_to_what_was_done() -> None:
    """Drafts that have seen the same get the same, others each their own."""
    none, one = frozenset[str](), frozenset({"select"})
    for kinds in ([none, none], [none, one, none], [one]):
        done = np.empty(len(kinds), dtype=object)
        done[:] = kinds
        assert with_step(done, "leak").tolist() == [kind | {"leak"} for kind in kinds]
        assert done.tolist() == kinds
