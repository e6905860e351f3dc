"""Search finds what `numpy.searchsorted` finds."""

from typing import Any, Literal

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from batchwright.search import search, search_rows
from batchwright.signposts import SortedLists, SortedValues

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
    assert SortedValues(np.arange(0, 10**6, 7))._list.most <= 6
    assert SortedValues(np.repeat(5, 1000))._is_one_part


LISTS = st.lists(st.lists(NUMBERS, max_size=30), min_size=1, max_size=9).filter(any)
REAL_LISTS = st.lists(st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=30), min_size=1).filter(any)


@given(LISTS | REAL_LISTS, st.lists(NUMBERS | REALS, max_size=9), SIDES)
def test_sorted_lists(lists: list[list[Any]], needles: list[Any], side: Literal["left", "right"]) -> None:
    """Lists of any lengths, none included, that lie anywhere: in each is found what is found in it alone."""
    dtype = np.int64 if all(isinstance(x, int) for values in lists for x in values) else np.float64
    arrays = [np.sort(np.array(values, dtype=dtype)) for values in lists]
    stops = np.cumsum([array.size for array in arrays])
    starts = stops - [array.size for array in arrays]
    lookup = SortedLists(np.concatenate(arrays), starts, stops)
    with np.errstate(invalid="ignore"):
        some = np.append(lookup.values, np.array([0, *needles]).astype(dtype))
    for asked in (some, np.resize(some, max(some.size, 512))):
        for k, array in enumerate(arrays):
            found = lookup.search(np.full(asked.shape, k), asked, side)
            assert found.dtype == np.int64
            assert (found - starts[k]).tolist() == np.searchsorted(array, asked, side).tolist()


def test_lists_that_are_spread_evenly_take_a_few_steps() -> None:
    """However far apart they lie, and whether long or short; what lies between them is in none."""
    values = np.concatenate([np.arange(10**5) * 7, [np.nan], 10**9 + np.arange(1000) * 10**6, [-3.0]])
    stops = np.array([10**5, values.size - 1, values.size])
    lookup = SortedLists(values, np.array([0, 10**5 + 1, values.size - 1]), stops)
    assert lookup.most <= 5
    needles = np.array([0.0, 7.0 * 10**5, np.inf, -np.inf] * 150)
    expected = [[1, 10**5, 10**5, 0], [10**5 + 1] * 2 + [stops[1], 10**5 + 1], [stops[2]] * 3 + [stops[1]]]
    for k, found in enumerate(expected):
        assert lookup.search(np.full(needles.shape, k), needles, "right")[:4].tolist() == found


def test_empty_lists_may_have_anything_beside_them() -> None:
    """Such as the missing times of their cells, which are no numbers."""
    values = np.concatenate([[np.nan], np.arange(600.0), [np.nan, np.nan]])
    lookup = SortedLists(values, np.array([0, 1, 602]), np.array([0, 601, 602]))
    lists, needles = np.arange(3).repeat(600), np.tile(np.arange(600.0), 3)
    assert lookup.search(lists, needles).reshape(3, -1).tolist() == [[0] * 600, [*range(1, 601)], [602] * 600]


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
