"""Which times lie in a window: of integers and dates exactly, of decimals as they are meant."""

from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from batchwright import MetadataIndex
from batchwright.timelines import OwnTimes, SharedTimes

LEAST, MOST = -(2**63), 2**63 - 1
# Some stand close to others and to the ends, where floats tell no neighbours apart.
CENTRES = [LEAST, -(2**53), 0, 10**18, MOST]
INTEGERS = st.builds(
    lambda centre, apart: min(max(centre + apart, LEAST), MOST), st.sampled_from(CENTRES), st.integers(-9, 9)
)
DATES = INTEGERS.filter(lambda number: number > LEAST)


def held(times: Any, half_width: Any) -> list[list[int]]:
    """Return for each distinct time those in its window, as integers; the same where times have runs of their own."""
    own = held_of({"k": np.zeros(times.size), "t": times}, OwnTimes, half_width)
    assert own == held_of({"k": np.arange(2).repeat(times.size), "t": np.tile(times, 2)}, SharedTimes, half_width)
    return own


def held_of(table: dict[str, Any], kind: type, half_width: Any) -> list[list[int]]:
    """Return what windows hold in the first cell of a table, whose times all occur there."""
    timeline: Any = MetadataIndex.from_table(table, "k", "t").timeline
    assert isinstance(timeline, kind)
    cells = np.zeros(timeline.times.size, dtype=np.int64)
    starts, stops = timeline.positions(cells, timeline.window(np.arange(cells.size), half_width))
    every = timeline.times_of_positions()
    return [np.unique(every[start:stop]).astype(np.int64).tolist() for start, stop in zip(starts, stops, strict=True)]


def expected(times: list[int], half_width: float) -> list[list[int]]:
    """Compare each with each, as numbers without bounds."""
    distinct, exact = sorted(set(times)), Fraction(half_width)
    return [[other for other in distinct if abs(other - time) <= exact] for time in distinct]


@given(st.lists(INTEGERS, min_size=1), st.integers(0, 2**65).map(float) | st.sampled_from([0.5, 2.0, 7.25, 1e300]))
def test_windows_of_integers_are_exact(times: list[int], half_width: float) -> None:
    """Also of nanoseconds since 1970, and where a window reaches beyond what an integer holds."""
    assert held(np.array(times), half_width) == expected(times, half_width)


@given(st.lists(DATES, min_size=1), st.integers(0, 20) | st.integers(0, MOST))
def test_windows_of_dates_are_exact(times: list[int], half_width: int) -> None:
    """Windows may reach beyond the years that dates have."""
    dates = np.array(times).view("datetime64[ns]")
    assert held(dates, np.timedelta64(half_width, "ns")) == expected(times, half_width)


def test_windows_may_be_as_wide_as_numbers_go() -> None:
    """They hold all times, without a warning."""
    widest = held_of({"k": np.zeros(3), "t": np.array([-9.0, 0, 9])}, OwnTimes, np.finfo(float).max)
    assert widest == [[-9, 0, 9]] * 3


def test_missing_dates_are_in_no_window() -> None:
    """They stand last in their cells, though as integers they would be the least."""
    rng = np.random.default_rng(0)
    dates = pd.Series(pd.to_datetime(rng.permutation(4000) * 10**9))
    dates[rng.random(4000) < 0.3] = pd.NaT
    index = MetadataIndex.from_table({"k": rng.integers(0, 4, 4000), "t": dates}, "k", "t")
    timeline: Any = index.timeline
    assert isinstance(timeline, OwnTimes)
    times = timeline.times_of_positions()
    numbers = np.flatnonzero(~np.isnat(timeline.times))
    focal = timeline.times[numbers]
    half_width = np.timedelta64(100 * 10**9, "ns")
    for cell, (first, behind) in enumerate(pairwise(index.offsets.tolist())):
        starts, stops = timeline.positions(np.full(numbers.size, cell), timeline.window(numbers, half_width))
        present = times[first:behind][~np.isnat(times[first:behind])]
        assert (starts == first + np.searchsorted(present, focal - half_width)).all()
        assert (stops == first + np.searchsorted(present, focal + half_width, side="right")).all()


@given(st.lists(st.integers(-99, 99), min_size=1), st.integers(0, 99), st.integers(1, 100))
def test_windows_do_not_depend_on_the_type(times: list[int], parts: int, of: int) -> None:
    """Integers are in a window if they are as floats, also where its width is a little less than what is meant."""
    half_width = parts * (1 / of)
    assert held(np.array(times), half_width) == held(np.array(times, dtype=float), half_width)
    meant = [[other for other in sorted(set(times)) if abs(other - time) * of <= parts] for time in sorted(set(times))]
    assert held(np.array(times), half_width) == meant
