"""The times of one table make one timeline, whichever way they come."""

from datetime import date
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from same import assert_same

from batchwright import MetadataIndex, TableError, timecount, timelines, timesort
from batchwright.timelines import OwnTimes, SharedTimes
from refusals import refused


@pytest.mark.parametrize("in_folder", [False, True])
@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize("values", [[5, 3], [5.5, 3.5], pd.to_datetime(["2026-05-05", "2026-03-03"])], ids=str)
def test_a_chunk_without_any_value_is_of_any_kind(values: Any, place: int, in_folder: bool, tmp_path: Path) -> None:
    """It may come first, between others or last, as numbers or as objects, and has no values in the timeline."""
    chunks = [pd.DataFrame({"k": ["a", "b"], "t": values}) for _ in range(2)]
    for missing in ([None, None], [np.nan, np.nan]):
        parts = [*chunks[:place], pd.DataFrame({"k": ["a", "b"], "t": missing}), *chunks[place:]]
        folder = tmp_path / str(missing[0]) if in_folder else None
        timeline = MetadataIndex.from_chunks(parts, by="k", order_by="t", folder=folder).timeline
        assert timeline is not None
        one, other = values
        expected = pd.Series([one, one, None, other, other, None]).to_numpy()
        assert np.array_equal(timeline.times_of_positions(), expected, equal_nan=True)
        assert timeline.starts is not None
        assert np.diff(timeline.starts).tolist() == [2, 1, 2, 1]


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize(
    ("one", "other"),
    [
        ([5, 3], [3.0, 2.5]),
        ([5, 3], [3.0, 5.0]),
        ([5, 3], [None, None]),
        ([5.5, 3.0], [None, None]),
        (pd.to_datetime(["2026-05-05", "2026-03-03"]), [None, None]),
    ],
    ids=str,
)
def test_times_of_two_types_are_counted(
    one: Any, other: Any, turned: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Integers beside floats, and a chunk without any value beside any: rows need not be sorted for that."""
    tables = [pd.DataFrame({"k": ["b", "a"], "t": values}) for values in ([other, one] if turned else [one, other])]
    with monkeypatch.context() as patch:
        patch.setattr(timesort.TimeSorter, "_sort_values", None)
        counted = MetadataIndex.from_chunks(tables, "k", "t")
        assert_same(MetadataIndex.from_chunks(tables, "k", "t", tmp_path / "index"), counted)
    monkeypatch.setattr(timecount, "_MOST", 0)
    assert_same(counted, MetadataIndex.from_chunks(tables, "k", "t"))


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("other", [[0.5], [None]], ids=str)
def test_large_integers_are_not_made_floats(other: list[Any], turned: bool) -> None:
    """Beyond 2**53 neighbours would be one time, wherever decimals or missing values stand beside them."""
    chunks: list[Any] = [{"t": [2**53 + 1, 2**53]}, {"t": other}]
    with refused(TableError, "Integers of an ordered column must be below 2**63, ...; 't' holds some of 54 bits. "):
        MetadataIndex.from_chunks(chunks[::-1] if turned else chunks, (), "t")


def test_days_of_arrow_are_dates() -> None:
    """Of its own tables and of frames of pandas that hold them."""
    pa = pytest.importorskip("pyarrow")
    days = pa.array([date(2026, 5, 5), None, date(2026, 3, 3)])
    expected = np.array(["2026-03-03", "2026-05-05", "NaT"], dtype="datetime64[ns]")
    for column in (days, days.cast(pa.date64())):
        series = pd.Series(column, dtype=pd.ArrowDtype(column.type))
        for table in (pa.table({"t": column}), series.to_frame("t")):
            timeline = MetadataIndex.from_table(table, by=(), order_by="t").timeline
            assert timeline is not None
            assert np.array_equal(timeline.times, expected, equal_nan=True)


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 40) | st.none()), min_size=1, max_size=20),
    st.sampled_from([1, 3, 1 << 22]),
    st.sampled_from([np.int64, np.float64, "datetime64[ns]"]),
)
def test_which_kind_of_timeline_depends_on_the_times_only(
    rows: list[tuple[int, int | None]], at_once: int, dtype: Any
) -> None:
    """Times have runs of their own where no two cells have the same, however many are looked at at once."""
    rows = [(cell, 50 + k if time is None and dtype == np.int64 else time) for k, (cell, time) in enumerate(rows)]
    cells = np.array([cell for cell, _ in rows])
    times = pd.Series([time for _, time in rows], dtype="Float64").astype("float64").to_numpy()
    times = pd.to_datetime(times).to_numpy("datetime64[ns]") if dtype == "datetime64[ns]" else times.astype(dtype)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(timelines, "_TIMES_TO_TRY", 2)
        patch.setattr(timelines, "_TIMES_AT_ONCE", at_once)
        index = MetadataIndex.from_table({"k": cells, "t": times}, "k", "t")
    runs = {(cell, time) for cell, time in rows if time is not None}
    repeats = len({time for _, time in runs}) < len(runs)
    assert isinstance(index.timeline, SharedTimes if repeats else OwnTimes)
    at = index.rows(np.arange(len(rows)))
    assert np.array_equal(index.timeline.times_of_positions(), times[at], equal_nan=True)
    assert (index.timeline.starts is None) == (len(set(zip(cells, times.astype(str), strict=True))) == len(rows))


@pytest.mark.parametrize("to_try", [1, 2, 3, 4])
def test_any_time_that_occurs_twice_is_found(to_try: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever times are cut to be looked through, also where a cut is that very time."""
    monkeypatch.setattr(timelines, "_TIMES_AT_ONCE", 1)
    monkeypatch.setattr(timelines, "_TIMES_TO_TRY", to_try)
    times = np.random.default_rng(0).permutation(12) + 0.5
    assert not timelines._repeat(times)
    for one, other in combinations(range(12), 2):
        twice = times.copy()
        twice[one] = times[other]
        assert timelines._repeat(twice)


def test_rows_without_a_time_keep_their_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where times are sorted that are all different, and missing ones are of several bit patterns."""
    rng = np.random.default_rng(0)
    cells, times = rng.integers(0, 3, 3000), rng.random(3000)
    missing = rng.random(3000) < 0.2
    times[missing] = np.nan
    expected = np.lexsort([np.where(missing, np.inf, times), cells])
    other = np.where(missing, np.copysign(np.nan, -1), times)
    fingerprints = set()
    for most in (timecount._MOST, 0):
        monkeypatch.setattr(timecount, "_MOST", most)
        for values in (times, other):
            index = MetadataIndex.from_table({"k": cells, "t": values}, "k", "t")
            assert np.array_equal(index.rows(np.arange(3000)), expected)
            fingerprints.add(index.fingerprint)
    assert len(fingerprints) == 1
