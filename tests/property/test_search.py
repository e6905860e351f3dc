"""Search finds what `numpy.searchsorted` finds."""

from typing import Any, Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from batchwright.search import search, search_rows

SIDES = st.sampled_from(["left", "right"])


@given(
    st.lists(st.integers(-20, 20), max_size=70),
    arrays(np.int64, array_shapes(max_dims=2), elements=st.integers(-22, 22)),
    SIDES,
)
def test_integers(values: list[int], needles: Any, side: Literal["left", "right"]) -> None:
    """Of any number of values, none included, with repeats, and for needles of any shape, few and many."""
    array = np.sort(np.array(values, dtype=np.int64))
    for asked in (needles, np.tile(needles, 64)):
        found = search(array, asked, side)
        assert found.dtype == np.int64
        assert found.tolist() == np.searchsorted(array, asked, side).tolist()


@pytest.mark.parametrize("size", [0, 1, 2, 3, 7, 8, 9, 1000, 1 << 14, (1 << 14) + 1])
@pytest.mark.parametrize("dtype", [np.float64, "datetime64[ns]"])
def test_sizes_around_powers_of_two(size: int, dtype: Any) -> None:
    """Each value, and what lies before and behind it, is found, of numbers and of dates."""
    array = (2 * np.arange(size)).astype(dtype)
    needles = np.tile(np.arange(-1, 2 * size + 1), 64).astype(dtype)
    for side in ("left", "right"):
        assert search(array, needles, side).tolist() == np.searchsorted(array, needles, side).tolist()


@given(st.lists(st.integers(0, 9), min_size=1, max_size=40), st.integers(-1, 20), SIDES)
def test_parts(lengths: list[int], place: int, side: Literal["left", "right"]) -> None:
    """Where the part is known that a needle falls into, short or empty, the same is found."""
    array = np.array([100 * part + 2 * k for part, length in enumerate(lengths) for k in range(length)], dtype=np.int64)
    first = np.cumsum([0, *lengths[:-1]])
    needles = np.tile(100 * np.arange(len(lengths)) + place, 64)
    found = search(array, needles, side, (np.tile(first, 64), max(lengths)))
    assert found.tolist() == np.searchsorted(array, needles, side).tolist()


@pytest.mark.parametrize("width", [1, 2, 7, 8, 9, 100])
@pytest.mark.parametrize("size", [0, 5, 50_000])
@pytest.mark.parametrize("count", [1, 6])
def test_rows(width: int, size: int, count: int) -> None:
    """In rows that are not sorted among each other, needles few and many, below all values and above them."""
    rng = np.random.default_rng(width)
    values = np.sort(rng.integers(0, 50, (count, width)) / 10, axis=1)
    rows, needles = rng.integers(0, count, size), rng.integers(-1, 52, size) / 10
    found = search_rows(values, rows, needles)
    assert found.dtype == np.int64
    assert found.tolist() == [np.count_nonzero(values[row] <= x) for row, x in zip(rows, needles, strict=True)]
