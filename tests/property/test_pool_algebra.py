"""`Pool` is a set: its operations agree with Python's sets, and its form is the only one."""

from hypothesis import given
from hypothesis import strategies as st

from batchwright import Pool
from batchwright.testing.strategies import pools

TOTAL = 12
POOLS = pools(TOTAL)


def members(pool: Pool) -> set[int]:
    return set(pool.positions().tolist())


@given(POOLS, POOLS)
def test_operations_agree_with_sets(a: Pool, b: Pool) -> None:
    """Intersection, union, difference and complement hold what the sets hold."""
    assert members(a & b) == members(a) & members(b)
    assert members(a | b) == members(a) | members(b)
    assert members(a - b) == members(a) - members(b)
    assert members(~a) == set(range(TOTAL)) - members(a)


@given(POOLS, POOLS)
def test_relations_agree_with_sets(a: Pool, b: Pool) -> None:
    """Subset, disjointness, membership, size and truth agree with the sets."""
    assert a.issubset(b) == (members(a) <= members(b))
    assert a.isdisjoint(b) == members(a).isdisjoint(members(b))
    assert [position in a for position in range(TOTAL)] == [position in members(a) for position in range(TOTAL)]
    assert a.size == len(members(a))
    assert bool(a) == bool(members(a))


@given(POOLS, POOLS)
def test_equal_sets_are_equal_objects(a: Pool, b: Pool) -> None:
    """The form is canonical: equality and hash follow membership."""
    assert (a == b) == (members(a) == members(b))
    if a == b:
        assert hash(a) == hash(b)


@given(POOLS, POOLS)
def test_results_are_canonical(a: Pool, b: Pool) -> None:
    """Edges are strictly increasing after every operation: no empty, touching or overlapping ranges."""
    for pool in (a & b, a | b, a - b, ~a):
        assert (pool.edges[1:] > pool.edges[:-1]).all()
        assert pool.edges.size % 2 == 0


@given(POOLS, POOLS, POOLS)
def test_laws_of_sets(a: Pool, b: Pool, c: Pool) -> None:
    """De Morgan, distribution, absorption and double complement hold as equality of objects."""
    assert ~(a & b) == ~a | ~b
    assert a & (b | c) == (a & b) | (a & c)
    assert a | (a & b) == a
    assert ~~a == a
    assert a - b == a & ~b


@given(st.lists(st.tuples(st.integers(0, TOTAL), st.integers(0, TOTAL)), max_size=6))
def test_of_takes_any_ranges(ranges: list[tuple[int, int]]) -> None:
    """Ranges may be empty, reversed, unsorted or overlapping; the pool is their union."""
    pool = Pool.of([start for start, _ in ranges], [stop for _, stop in ranges], TOTAL)
    assert members(pool) == {position for start, stop in ranges for position in range(start, stop)}


@given(st.lists(st.booleans(), max_size=TOTAL))
def test_where_takes_a_mask(mask: list[bool]) -> None:
    """A mask and the pool made of it have the same members."""
    assert members(Pool.where(mask)) == {position for position, value in enumerate(mask) if value}
