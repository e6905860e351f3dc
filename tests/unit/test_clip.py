"""`_clip`, which lets a small pool meet a large one cheaply: it cuts a pool to the span of another, exactly."""

import pytest

from batchwright import Pool
from batchwright.pool import _clip

POOL = Pool.of([2, 6], [4, 8], total=10)


@pytest.mark.parametrize(
    ("low", "high", "edges"),
    [
        pytest.param(3, 7, [3, 4, 6, 7], id="through-two-ranges"),
        pytest.param(4, 7, [6, 7], id="from-the-end-of-a-range"),
        pytest.param(3, 6, [3, 4], id="to-the-start-of-a-range"),
        pytest.param(2, 4, [2, 4], id="one-range"),
        pytest.param(2, 7, [2, 4, 6, 7], id="the-start"),
        pytest.param(3, 8, [3, 4, 6, 8], id="the-end"),
        pytest.param(0, 5, [2, 4], id="before-the-gap"),
        pytest.param(5, 10, [6, 8], id="behind-the-gap"),
        pytest.param(4, 6, [], id="the-gap"),
        pytest.param(8, 10, [], id="behind-all"),
    ],
)
def test_a_pool_is_cut_to_a_span(low: int, high: int, edges: list[int]) -> None:
    """What lies outside the span is gone, and no empty range is left at its ends."""
    assert _clip(POOL, Pool.of(low, high, total=10)).edges.tolist() == edges


def test_only_the_ends_of_the_other_pool_count() -> None:
    """A gap in the other pool cuts nothing out."""
    assert _clip(POOL, Pool.of([3, 6], [4, 7], total=10)).edges.tolist() == [3, 4, 6, 7]


def test_what_lies_within_the_span_is_not_copied() -> None:
    """A pool that needs no cut is returned itself, and nothing is left between the ends of an empty one."""
    assert _clip(POOL, Pool.of(1, 9, total=10)) is POOL
    assert _clip(POOL, Pool.full(10)) is POOL
    assert _clip(POOL, Pool.empty(10)) == Pool.empty(10)
