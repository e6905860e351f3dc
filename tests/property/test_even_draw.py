"""Law 6: every row floor(q/n) or ceil(q/n) times, every set of rows alike."""

from collections import Counter
from itertools import product
from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchwright import Drawer

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
