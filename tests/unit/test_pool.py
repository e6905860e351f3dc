"""`Pool`: how one is made, what it says about itself, and what it refuses."""

import copy
import pickle
from collections.abc import Callable
from typing import Any

import attrs
import numpy as np
import pytest

from batchwright import Pool, SettingError, SettingTypeError


def pool(*ranges: tuple[int, int], total: int = 10) -> Pool:
    return Pool.of([start for start, _ in ranges], [stop for _, stop in ranges], total)


@pytest.mark.parametrize(
    ("ranges", "edges"),
    [
        pytest.param([(2, 5)], [2, 5], id="one"),
        pytest.param([(0, 10)], [0, 10], id="all"),
        pytest.param([(6, 8), (1, 3)], [1, 3, 6, 8], id="unsorted"),
        pytest.param([(1, 6), (3, 8)], [1, 8], id="overlapping"),
        pytest.param([(1, 9), (3, 4), (5, 6)], [1, 9], id="nested"),
        pytest.param([(1, 3), (3, 5)], [1, 5], id="adjacent"),
        pytest.param([(1, 3), (4, 5)], [1, 3, 4, 5], id="one-apart"),
        pytest.param([(4, 4), (1, 2)], [1, 2], id="an-empty-one"),
        pytest.param([(7, 3), (1, 2)], [1, 2], id="a-reversed-one"),
        pytest.param([(2, 5), (2, 5)], [2, 5], id="twice"),
        pytest.param([], [], id="none"),
    ],
)
def test_of_keeps_sorted_disjoint_ranges(ranges: list[tuple[int, int]], edges: list[int]) -> None:
    """Any ranges become sorted, disjoint, non-adjacent ones."""
    made = pool(*ranges)
    assert made.edges.tolist() == edges
    assert made.edges.dtype == np.int64


def test_of_takes_scalars_and_arrays() -> None:
    """One range may be given as two numbers, many as arrays of any integer type."""
    assert Pool.of(2, 5, total=10) == pool((2, 5))
    made = Pool.of(np.array([2], dtype=np.uint64), np.array([5], dtype=np.uint64), total=10)
    assert (made, made.edges.dtype) == (pool((2, 5)), np.int64)


@pytest.mark.parametrize(
    ("mask", "edges"),
    [
        pytest.param([False, True, True, False, True], [1, 3, 4, 5], id="two-runs"),
        pytest.param([True, True], [0, 2], id="all"),
        pytest.param([False, False], [], id="none"),
        pytest.param([], [], id="no-position"),
        pytest.param([1, 2, 0, 3], [0, 2, 3, 4], id="numbers"),
    ],
)
def test_where_keeps_the_true_positions(mask: list[Any], edges: list[int]) -> None:
    """A mask becomes the ranges in which it is true, out of its length."""
    made = Pool.where(mask)
    assert made.edges.tolist() == edges
    assert made.edges.dtype == np.int64
    assert made.total == len(mask)


@pytest.mark.parametrize("total", [0, 1, 7])
def test_full_and_empty_are_complements(total: int) -> None:
    """The full pool has every position, the empty one has none, and each is the rest of the other."""
    assert Pool.full(total).size == total
    assert Pool.empty(total).size == 0
    assert ~Pool.full(total) == Pool.empty(total)
    assert ~Pool.empty(total) == Pool.full(total)
    assert Pool.full(total).edges.dtype == Pool.empty(total).edges.dtype == np.int64


def test_properties_of_a_pool_of_two_ranges() -> None:
    """Starts, stops, size and positions describe the same set."""
    made = pool((1, 3), (6, 9))
    assert made.starts.tolist() == [1, 6]
    assert made.stops.tolist() == [3, 9]
    assert made.size == 5
    assert made.positions().tolist() == [1, 2, 6, 7, 8]
    assert made.positions().dtype == np.int64


def test_properties_of_an_empty_pool() -> None:
    """An empty pool is false, has no positions and is a subset of everything."""
    none = Pool.empty(10)
    assert not none
    assert none.positions().tolist() == []
    assert none.issubset(none)
    assert none.isdisjoint(none)
    assert type(none.size) is int


def test_contains_is_half_open() -> None:
    """The start of a range is in, its stop is not, and positions outside the table are in no pool."""
    made = pool((0, 3), (6, 10))
    found = [position for position in range(-1, 12) if position in made]
    assert found == [0, 1, 2, 6, 7, 8, 9]


def test_subset_and_disjoint() -> None:
    """A pool is a subset of one that covers it, and disjoint from one that it only touches."""
    assert pool((2, 4)).issubset(pool((1, 5)))
    assert not pool((2, 4)).issubset(pool((1, 3), (4, 5)))
    assert pool((2, 4)).isdisjoint(pool((0, 2), (4, 6)))
    assert not pool((2, 4)).isdisjoint(pool((3, 6)))


@pytest.mark.parametrize(
    ("combine", "ranges"),
    [
        pytest.param(lambda a, b: a & b, [(3, 4), (7, 8)], id="and"),
        pytest.param(lambda a, b: a | b, [(1, 9)], id="or"),
        pytest.param(lambda a, b: a - b, [(1, 3), (8, 9)], id="minus"),
        pytest.param(lambda a, b: b - a, [(4, 7)], id="minus-the-other-way"),
        pytest.param(lambda a, _: ~a, [(0, 1), (4, 7), (9, 10)], id="not"),
    ],
)
def test_operators_on_a_worked_example(combine: Callable[[Pool, Pool], Pool], ranges: list[tuple[int, int]]) -> None:
    """The operators are those of sets."""
    assert combine(pool((1, 4), (7, 9)), pool((3, 8))) == pool(*ranges)


def test_equal_sets_are_equal_and_hash_alike() -> None:
    """Two pools are equal where positions and total agree, however they were made."""
    assert pool((1, 3), (3, 5)) == pool((1, 5))
    assert hash(pool((1, 3), (3, 5))) == hash(pool((1, 5)))
    assert pool((1, 5)) != pool((1, 5), total=11)
    assert pool((1, 5)) != [1, 2, 3, 4]
    assert len({pool((1, 5)), Pool.where([False, *[True] * 4, *[False] * 5])}) == 1
    assert len({hash(pool((1, 5))), hash(pool((1, 6))), hash(pool((1, 5), total=11))}) == 3


@pytest.mark.parametrize(
    ("made", "text"),
    [
        pytest.param(Pool.empty(5), "Pool([] of 5)", id="empty"),
        pytest.param(pool((2, 4), (6, 7)), "Pool([2:4, 6:7] of 10)", id="two"),
        pytest.param(pool((0, 1), (2, 3), (4, 5), (6, 7)), "Pool([0:1, 2:3, 4:5, 6:7] of 10)", id="four"),
        pytest.param(pool((0, 1), (2, 3), (4, 5), (6, 7), (8, 9)), "Pool([0:1, 2:3, 4:5, 6:7, ...] of 10)", id="five"),
    ],
)
def test_repr_names_four_ranges_at_most(made: Pool, text: str) -> None:
    """The text of a pool stays short, whatever the number of its ranges."""
    assert repr(made) == text


def test_copies_are_equal() -> None:
    """A pool survives pickling and copying."""
    made = pool((1, 3), (6, 9))
    assert pickle.loads(pickle.dumps(made)) == made  # noqa: S301 - what is loaded was made on the line itself.
    assert copy.deepcopy(made) == made


def test_attributes_cannot_be_set() -> None:
    """A pool is immutable."""
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        pool((1, 3)).total = 11
    with pytest.raises(ValueError, match="read-only"):
        pool((1, 3)).edges[0] = 0


def test_operators_leave_their_operands_alone() -> None:
    """Combining two pools changes neither."""
    a, b = pool((1, 4)), pool((3, 8))
    for _ in (a & b, a | b, a - b, ~a):
        assert (a, b) == (pool((1, 4)), pool((3, 8)))


@pytest.mark.parametrize(
    ("start", "stop", "message"),
    [
        pytest.param(0, 11, r"in \[0, 10\]; got \[0, 11\) \(Pool.of\)\. Clip", id="stop"),
        pytest.param(-1, 10, r"in \[0, 10\]; got \[-1, 10\) \(Pool.of\)\. Clip", id="start"),
    ],
)
def test_ranges_outside_the_table_are_refused(start: int, stop: int, message: str) -> None:
    """Ranges may reach both ends of the table and not one position further."""
    assert pool((0, 10)).size == 10
    with pytest.raises(SettingError, match=message):
        pool((start, stop))


OPERATORS = [
    pytest.param(lambda a, b: a & b, id="and"),
    pytest.param(lambda a, b: a | b, id="or"),
    pytest.param(lambda a, b: a - b, id="minus"),
    pytest.param(lambda a, b: a.issubset(b), id="issubset"),
    pytest.param(lambda a, b: a.isdisjoint(b), id="isdisjoint"),
]


@pytest.mark.parametrize("combine", OPERATORS)
def test_pools_of_two_tables_do_not_combine(combine: Callable[[Pool, Any], Any]) -> None:
    """Pools of different totals belong to different tables."""
    with pytest.raises(SettingError, match=r"got totals 10 and 11 \(Pool\)\. Use one index"):
        combine(pool((1, 3)), pool((1, 3), total=11))


@pytest.mark.parametrize("combine", OPERATORS)
def test_other_objects_do_not_combine(combine: Callable[[Pool, Any], Any]) -> None:
    """A pool combines with a pool only."""
    with pytest.raises(SettingTypeError, match=r"with a pool; got \{1, 2\} \(Pool\)\. Build one"):
        combine(pool((1, 3)), {1, 2})
