"""Law 6: every row floor(q/n) or ceil(q/n) times, every set of rows alike."""

from collections import Counter
from itertools import pairwise, product
from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchwright import Drawer
from batchwright.stages import drawer

# (quota, size): a share may have nothing to draw, and then also nothing to draw from.
SHARE = st.tuples(st.integers(0, 12), st.integers(1, 15)) | st.just((0, 0))
SHARES = st.lists(SHARE, min_size=1, max_size=5).filter(lambda shares: any(quota for quota, _ in shares))


def draw_one_by_one(quota: int, size: int, uniforms: list[float]) -> list[int]:
    """Return what Floyd's sampling draws, slot after slot, in rounds of at most the whole pool."""
    drawn: list[int] = []
    while quota:
        part = min(quota, size) if quota > size else quota
        taken: list[int] = []
        for j in range(part):
            top = size - part + j
            number = int(uniforms.pop(0) * (top + 1))
            taken.append(top if number in taken else number)
        drawn += taken
        quota -= part
    return drawn


@given(SHARES, st.integers(1, 3), st.integers(0, 2**32))
def test_blocks_agree_with_drawing_one_by_one(shares: list[tuple[int, int]], batches: int, seed: int) -> None:
    """A block of batches is, number for number, what the textbook algorithm draws slot after slot."""
    quotas, sizes = np.array(shares * batches).T
    uniforms = np.random.default_rng(seed).random((batches, sum(quota for quota, _ in shares)))
    for batch, numbers in zip(Drawer().draw(quotas, sizes, uniforms).tolist(), uniforms.tolist(), strict=True):
        assert batch == [number for quota, size in shares for number in draw_one_by_one(quota, size, numbers)]


@given(st.lists(st.lists(st.integers(0, 7), min_size=12, max_size=12), min_size=1, max_size=4), st.booleans())
def test_numbers_that_agree_in_their_lower_bits_are_told_apart(batches: list[list[int]], wide: bool) -> None:
    """Of a pool of 2**40 rows, numbers some 2**30 apart; those that are equal clash, and no others."""
    uniforms = np.array(batches) / 1024
    quotas, sizes = np.array([[4, 2**40], [8, 2**40]] * len(batches)).T
    expected = [
        [number for quota in (4, 8) for number in draw_one_by_one(quota, 2**40, row)] for row in uniforms.tolist()
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(drawer, "_BITS_OF_A_SLOT", 0 if wide else 12)
        assert Drawer().draw(quotas, sizes, uniforms).tolist() == expected


@given(st.lists(st.integers(0, 9), max_size=40), st.integers(0, 59))
def test_numbers_are_put_in_order_with_their_places(values: list[int], shift: int) -> None:
    """Equal numbers stay in order, also of the largest, beside which no place fits."""
    numbers = np.array(values, dtype=np.int64) << shift
    assert drawer._stable_order(numbers).tolist() == sorted(range(len(values)), key=lambda place: values[place])


@pytest.mark.parametrize(("quota", "size"), [(2047, 20_000), (4095, 10_000), (4097, 20_000)])
def test_wide_batches_are_drawn_alike(quota: int, size: int) -> None:
    """Batches on either side of the width from which on words of 64 bits are sorted."""
    uniforms = np.random.default_rng(0).random((2, quota))
    found = Drawer().draw(np.full(2, quota), np.full(2, size), uniforms).tolist()
    assert found == [draw_one_by_one(quota, size, numbers) for numbers in uniforms.tolist()]


@st.composite
def batches_of_twelve(draw: st.DrawFn) -> list[tuple[list[tuple[int, int]], list[float]]]:
    """Return batches of twelve rows, each the shares, some of which may be empty, and the random numbers."""
    batches = []
    for _ in range(draw(st.integers(1, 4))):
        cuts = [0, *sorted(draw(st.lists(st.integers(0, 12), max_size=4))), 12]
        quotas = [b - a for a, b in pairwise(cuts)]
        shares = [(quota, draw(st.integers(min(quota, 1), 2 * quota + 2))) for quota in quotas]
        batches.append((shares, draw(st.lists(st.floats(0, 1, exclude_max=True), min_size=12, max_size=12))))
    return batches


@pytest.mark.parametrize("way", ["all slots at once", "slot by slot", "either"])
@given(batches_of_twelve(), st.sampled_from([1, 2, 8]))
def test_both_ways_of_settling_agree_with_drawing_one_by_one(
    way: str, batches: list[tuple[list[tuple[int, int]], list[float]]], tight: int
) -> None:
    """Batches of different shares, tight pools among them, are drawn alike whichever way clashes are settled."""
    expected = []
    for shares, row in batches:
        numbers = row.copy()
        expected.append([n for quota, size in shares for n in draw_one_by_one(quota, size, numbers)])
    quotas, sizes = np.array([share for shares, _ in batches for share in shares]).T
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(drawer, "_PAYS", {"slot by slot": 0, "all slots at once": 10**9, "either": 1}[way])
        patch.setattr(drawer, "_TIGHT", tight)
        assert Drawer().draw(quotas, sizes, np.array([row for _, row in batches])).tolist() == expected


@given(SHARES, st.integers(0, 2**32))
def test_every_row_comes_equally_often(shares: list[tuple[int, int]], seed: int) -> None:
    """Of n rows and quota q, each is drawn floor(q/n) or ceil(q/n) times: no repeat while the pool suffices."""
    quotas, sizes = np.array(shares).T
    drawn = Drawer().draw(quotas, sizes, np.random.default_rng(seed).random((1, quotas.sum())))[0]
    for (quota, size), rows in zip(shares, np.split(drawn, np.cumsum(quotas)[:-1]), strict=True):
        counts = np.bincount(rows, minlength=size)
        assert len(counts) == size
        assert all(quota // size <= count <= -(-quota // size) for count in counts.tolist())


@pytest.mark.parametrize(("quota", "size"), [(1, 5), (2, 5), (3, 5), (5, 5), (4, 7), (6, 7), (2, 9)])
def test_every_set_of_rows_is_equally_likely(quota: int, size: int) -> None:
    """Over all values that the slots can take, each alike in probability, every subset comes equally often."""
    # Slot j has size - quota + j + 1 values; the middle of each value's interval stands for it.
    spans = [size - quota + j + 1 for j in range(quota)]
    values = np.array(list(product(*(range(span) for span in spans))))
    uniforms = (values + 0.5) / np.array(spans)
    blocks = Drawer().draw(np.full(len(values), quota), np.full(len(values), size), uniforms)
    found = Counter(frozenset(rows) for rows in blocks.tolist())
    assert len(found) == comb(size, quota)
    assert set(found.values()) == {len(values) // comb(size, quota)}


def test_the_largest_uniform_stays_in_the_pool() -> None:
    """The largest float below 1 draws the last row, not the one behind it."""
    uniforms = np.full((1, 3), np.nextafter(1.0, 0.0))
    assert sorted(Drawer().draw(np.array([3]), np.array([10**9]), uniforms)[0]) == [10**9 - 3, 10**9 - 2, 10**9 - 1]
