"""Search finds what `numpy.searchsorted` finds."""

from typing import Any, Literal

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from batchwright.search import SortedValues, search, search_rows

SIDES = st.sampled_from(["left", "right"])


@given(
    st.lists(st.integers(-20, 20), max_size=70),
    arrays(np.int64, array_shapes(max_dims=2), elements=st.integers(-22, 22)),
    SIDES,
)
def test_integers(values: list[int], needles: Any, side: Literal["left", "right"]) -> None:
    """Of any number of values, none included, with repeats, and for needles of any shape, few and many."""
    array = np.sort(np.array(values, dtype=np.int64))
    for asked in (needles, np.resize(needles, 512)):
        found = search(array, asked, side)
        assert found.dtype == np.int64
        assert found.tolist() == np.searchsorted(array, asked, side).tolist()


@pytest.mark.parametrize("size", [0, 1, 2, 3, 7, 8, 9, 1000, 1 << 14, (1 << 14) + 1])
@pytest.mark.parametrize("dtype", [np.float64, "datetime64[ns]"])
def test_sizes_around_powers_of_two(size: int, dtype: Any) -> None:
    """Each value, and what lies before and behind it, is found, of numbers and of dates."""
    array = (2 * np.arange(size)).astype(dtype)
    some = np.arange(-1, 2 * size + 1)
    needles = np.resize(some, max(some.size, 512)).astype(dtype)
    for side in ("left", "right"):
        assert search(array, needles, side).tolist() == np.searchsorted(array, needles, side).tolist()


NUMBERS = st.integers(-20, 20) | st.integers(-(2**62), 2**62)
REALS = st.floats(allow_nan=False)


@pytest.mark.filterwarnings("ignore:overflow:RuntimeWarning")
@example([0.0, 5e-324], [], "left")
@given(st.lists(NUMBERS, max_size=30) | st.lists(REALS, max_size=30), st.lists(NUMBERS | REALS, max_size=9), SIDES)
def test_signposts(values: list[Any], needles: list[Any], side: Literal["left", "right"]) -> None:
    """Few values or none, alike, close together or far apart, infinite ones too: the same is found with signposts."""
    array = np.sort(np.array(values, dtype=np.int64 if all(isinstance(x, int) for x in values) else np.float64))
    with np.errstate(invalid="ignore"):
        some = np.append(array, np.array([0, *needles]).astype(array.dtype))
    asked = np.resize(some, 512)
    found = SortedValues(array).search(asked, side)
    assert found.dtype == np.int64
    assert found.tolist() == np.searchsorted(array, asked, side).tolist()


@pytest.mark.parametrize("dtype", [np.int64, np.float64, "datetime64[ns]"])
@pytest.mark.parametrize("spread", ["evenly", "in two heaps", "ever wider"])
def test_many_signposts(dtype: Any, spread: str) -> None:
    """More values than signposts, by few and by many needles, of numbers and of dates."""
    rng = np.random.default_rng(0)
    whole = {
        "evenly": rng.integers(0, 10**9, 50_000),
        "in two heaps": np.append(rng.integers(0, 10**5, 25_000), rng.integers(10**12, 10**12 + 100, 25_000)),
        "ever wider": np.exp(rng.random(50_000) * 40).astype(np.int64),
    }[spread]
    array = np.sort(whole).astype(dtype)
    needles = np.concatenate([whole, whole + 1, rng.integers(-5, 10**13, 5000)]).astype(dtype).reshape(-1, 5)
    lookup = SortedValues(array)
    for asked in (needles, needles[:3]):
        for side in ("left", "right"):
            assert (lookup.search(asked, side) == np.searchsorted(array, asked, side)).all()


def test_values_that_are_spread_evenly_take_a_few_steps() -> None:
    """No more than some lie between two signposts, as they do where there are none."""
    assert SortedValues(np.arange(0, 10**6, 7))._most <= 6
    assert SortedValues(np.repeat(5, 1000))._parts.count == 1


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
