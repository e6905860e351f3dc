"""Many pools at once are pool after pool, and ragged arrays are lists of lists."""

from itertools import pairwise
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from batchwright import Pool, Pools
from batchwright.ragged import bounds_of, gather, owners, pad, totals
from batchwright.testing.strategies import pools

TOTAL = 12
POOLS = st.lists(pools(TOTAL), max_size=5)
ROWS = st.lists(st.lists(st.integers(-9, 9), max_size=4), max_size=6)


def flat(rows: list[list[int]]) -> Any:
    return np.array([value for row in rows for value in row], dtype=np.int64)


def bounds(rows: list[list[int]]) -> Any:
    return bounds_of([len(row) for row in rows])


def require_canonical(found: Pools) -> None:
    """Raise unless each pool has one range after the other, none of them empty or adjacent to the next."""
    assert found.bounds.dtype == found.starts.dtype == found.stops.dtype == np.int64
    assert found.bounds[0] == 0
    assert found.bounds[-1] == found.starts.size == found.stops.size
    for pool in found:
        assert (pool.edges[1:] > pool.edges[:-1]).all()
        assert pool.total == TOTAL


@given(POOLS)
def test_pools_are_the_pools_that_they_are_made_of(each: list[Pool]) -> None:
    """One by one they come out as they went in; sizes and owners of ranges are told."""
    found = Pools.of(each, TOTAL)
    require_canonical(found)
    assert list(found) == each == [found[k] for k in range(len(found))]
    assert found.sizes.tolist() == [pool.size for pool in each]
    assert found.owners.tolist() == [k for k, pool in enumerate(each) for _ in pool.starts]


@given(POOLS, st.data())
def test_pools_are_taken_in_any_order(each: list[Pool], data: st.DataObject) -> None:
    """Any may be taken, also twice or never."""
    k = data.draw(st.lists(st.integers(0, len(each) - 1), max_size=6) if each else st.just([]))
    found = Pools.of(each, TOTAL).take(np.array(k, dtype=np.int64))
    require_canonical(found)
    assert list(found) == [each[number] for number in k]


@given(st.lists(POOLS, min_size=1, max_size=3))
def test_pools_are_joined(parts: list[list[Pool]]) -> None:
    """The pools of the first come first."""
    found = Pools.join([Pools.of(part, TOTAL) for part in parts])
    require_canonical(found)
    assert list(found) == [pool for part in parts for pool in part]


@given(POOLS, pools(TOTAL))
def test_complements_are_differences(each: list[Pool], universe: Pool) -> None:
    """What is left of the universe without each pool in it is what the algebra of pools says."""
    inside = [pool & universe for pool in each]
    found = Pools.of(inside, TOTAL).complements(universe)
    require_canonical(found)
    assert list(found) == [universe - pool for pool in inside]


@given(st.lists(st.lists(st.integers(0, TOTAL), max_size=6), max_size=4))
def test_ranges_make_pools(cuts: list[list[int]]) -> None:
    """Sorted ranges, empty and adjacent ones among them, are the pools that their union is."""
    # Neighbours in a sorted list with repeats: all of them leave nothing between, every other one leaves gaps.
    for step in (1, 2):
        ranges = [list(pairwise(sorted(row)))[::step] for row in cuts]
        owner = np.repeat(np.arange(len(ranges)), [len(row) for row in ranges])
        starts, stops = np.array([pair for row in ranges for pair in row], dtype=np.int64).reshape(-1, 2).T
        found = Pools.of_ranges(owner, starts, stops, len(ranges), TOTAL)
        require_canonical(found)
        assert list(found) == [Pool.of([a for a, _ in row], [b for _, b in row], TOTAL) for row in ranges]


@given(ROWS)
def test_rows_are_told_by_their_bounds(rows: list[list[int]]) -> None:
    """Bounds are where rows begin and end; each entry has an owner, and each row a sum."""
    found = bounds(rows)
    assert found.dtype == np.int64
    assert [flat(rows)[a:b].tolist() for a, b in pairwise(found)] == rows
    assert owners(found).tolist() == [k for k, row in enumerate(rows) for _ in row]
    assert totals(flat(rows), found).tolist() == [sum(row) for row in rows]


@given(ROWS, st.data())
def test_rows_are_gathered(rows: list[list[int]], data: st.DataObject) -> None:
    """Rows stand in the order asked for, also twice or never."""
    k = data.draw(st.lists(st.integers(0, len(rows) - 1), max_size=8) if rows else st.just([]))
    at, found = gather(bounds(rows), np.array(k, dtype=np.int64))
    gathered = [rows[number] for number in k]
    assert flat(rows)[at].tolist() == flat(gathered).tolist()
    assert found.tolist() == bounds(gathered).tolist()


@given(ROWS, st.sampled_from([np.int64, np.float64]))
def test_rows_are_filled_up(rows: list[list[int]], kind: Any) -> None:
    """Rows become as long as the longest by zeros behind, of the same kind of number; a mask tells what is real."""
    longest = max(map(len, rows), default=0)
    padded, filled = pad(flat(rows).astype(kind), bounds(rows))
    assert padded.dtype == kind
    assert padded.shape == filled.shape == (len(rows), longest)
    assert padded.tolist() == [row + [0] * (longest - len(row)) for row in rows]
    assert filled.tolist() == [[True] * len(row) + [False] * (longest - len(row)) for row in rows]
