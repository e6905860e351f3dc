"""`ConditionBalancer`: whose labels get how many rows, share by share."""

from typing import Any

import pytest

from batchwright import ConditionBalancer, Draft, MetadataIndex

TABLE = {"experiment": [*"aaaabbbb"], "condition": [*"xxxyyzzz"]}
INDEX = MetadataIndex.from_table(TABLE, by=["experiment", "condition"])
A, B = (INDEX.pool("experiment", label) for label in "ab")


def quotas(draft: Any) -> dict[tuple[str, str], int]:
    """Return how many rows each role takes of each condition; every share must hold one condition only."""
    found = {}
    for share in draft.shares:
        (label,) = INDEX.groups(share.pool, "condition").labels
        found[share.role, str(label)] = share.quota
    return found


def apply(scope: Any = "primary", **ratio: float) -> dict[tuple[str, str], int]:
    """Return the quotas of a batch of sixteen, of which eight leak from b into a."""
    draft = Draft.start(INDEX, 16).select(A).leak(B, 8)
    assert isinstance(draft, Draft)
    return quotas(ConditionBalancer(ratio=ratio or None, scope=scope).apply(draft))


def test_labels_are_equal_unless_told_otherwise() -> None:
    """Labels of a share get equal parts, however many rows each has, and those it does not have leave theirs."""
    assert apply("all") == {("primary", "x"): 4, ("primary", "y"): 4, ("leak", "y"): 4, ("leak", "z"): 4}


def test_a_ratio_holds_within_each_share() -> None:
    """Of the labels that a share has, each gets rows in proportion."""
    assert apply("all", x=1, y=3, z=5) == {("primary", "x"): 2, ("primary", "y"): 6, ("leak", "y"): 3, ("leak", "z"): 5}


def test_a_label_of_ratio_0_gets_rows_only_among_its_like() -> None:
    """Beside others it gets none; where there are only such labels they share equally."""
    assert apply("all", x=0, y=1, z=0) == {("primary", "y"): 8, ("leak", "y"): 8}
    assert apply("all", x=0, y=0, z=1) == {("primary", "x"): 4, ("primary", "y"): 4, ("leak", "z"): 8}


@pytest.mark.parametrize("scope", ["primary", "leak"])
def test_shares_outside_the_scope_stay_whole(scope: str) -> None:
    """A balance of the selected rows leaves the leak alone, and the other way round."""
    draft = Draft.start(INDEX, 16).select(A).leak(B, 8)
    assert isinstance(draft, Draft)
    split: Any = ConditionBalancer(scope=scope).apply(draft)
    found = [(share.role, share.quota) for share in split.shares]
    halves, whole = [(scope, 4), (scope, 4)], ("leak" if scope == "primary" else "primary", 8)
    assert found == ([*halves, whole] if scope == "primary" else [whole, *halves])
