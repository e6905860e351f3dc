"""The order of a column does not depend on the kind of table, nor on how its values are kept."""

from collections.abc import Callable
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest
from frames import DATES, arrays, arrow, arrow_chunks, frame, polars

from batchwright import TableError
from batchwright.columns import lots_of
from batchwright.times import TimeReader, rank_times
from refusals import TEXT, refused


def encode_order(table: Any, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the rank of the time of each row, and the sorted distinct times."""
    reader = TimeReader(name)
    times, ranks = rank_times(np.concatenate([reader.read(lot[name]) for _, lot in lots_of(table, [name])]))
    return ranks, times


NUMBERS = [2.5, None, -1.0, 2.5]


@pytest.mark.parametrize(
    "build",
    [
        pytest.param(lambda: frame(NUMBERS), id="pandas"),
        pytest.param(lambda: frame(NUMBERS, dtype="Float64"), id="pandas-nullable"),
        pytest.param(lambda: frame(NUMBERS, index=[1, 1, 1, 1]), id="pandas-odd-index-labels"),
        pytest.param(lambda: {"key": pd.arrays.SparseArray(np.array(NUMBERS, dtype=float))}, id="pandas-sparse"),
        pytest.param(lambda: {"key": np.array(NUMBERS, dtype="float32")}, id="array"),
        pytest.param(lambda: polars(NUMBERS), id="polars"),
        pytest.param(lambda: arrow(NUMBERS), id="arrow"),
        pytest.param(lambda: arrow_chunks(NUMBERS), id="arrow-chunks"),
    ],
)
def test_order_of_numbers(build: Callable[[], Any]) -> None:
    """Numbers are ranked from the smallest, and a missing one has the last rank."""
    ranks, values = encode_order(build(), "key")
    assert ranks.tolist() == [1, 2, 0, 1]
    assert ranks.dtype == np.int64
    assert values.tolist() == [-1.0, 2.5]
    assert values.dtype == np.float64


# So far apart that floats make one of the first two.
LARGE = [2**60 + 1, 2**60, -9]


@pytest.mark.parametrize(
    "build",
    [
        pytest.param(lambda: frame(LARGE), id="pandas"),
        pytest.param(lambda: frame(LARGE, "Int64"), id="pandas-nullable"),
        pytest.param(lambda: frame(LARGE, object), id="pandas-object"),
        pytest.param(lambda: polars(LARGE), id="polars"),
        pytest.param(lambda: arrow_chunks(LARGE), id="arrow-chunks"),
        pytest.param(lambda: {"key": np.array([2**60 + 1, 2**60, 5], dtype="uint64")}, id="array-unsigned"),
        pytest.param(lambda: arrow([2**60 + 1, 2**60, 5], "uint64"), id="arrow-unsigned"),
    ],
)
def test_order_of_large_integers(build: Callable[[], Any]) -> None:
    """Integers that floats cannot tell apart are told apart, whatever their type."""
    ranks, values = encode_order(build(), "key")
    assert ranks.tolist() == [2, 1, 0]
    assert values.dtype == np.int64
    assert values[1:].tolist() == [2**60, 2**60 + 1]


@pytest.mark.parametrize(
    ("build", "bits"),
    [
        pytest.param(lambda: frame([2**53, None], "Int64"), 54, id="pandas-nullable"),
        pytest.param(lambda: frame([-(2**60), None], "Int64"), 60, id="negative"),
        pytest.param(lambda: polars([2**53, None]), 54, id="polars"),
        pytest.param(lambda: arrow([2**53, None]), 54, id="arrow"),
        pytest.param(lambda: {"key": np.array([2**63, 1], dtype="uint64")}, 64, id="unsigned"),
    ],
)
def test_integers_that_would_not_keep_their_values_are_refused(build: Callable[[], Any], bits: int) -> None:
    """Floats, which have missing values, tell apart what has 53 bits; one of -2**53 is among these."""
    text = f"Integers ... must be below 2**63, and ... below 2**53, ...; 'key' holds some of {bits} bits. "
    with refused(TableError, text):
        encode_order(build(), "key")
    values = encode_order(frame([-(2**53), None, 2**53 - 1], "Int64"), "key")[1]
    assert values.tolist() == [-(2.0**53), 2.0**53 - 1]


def test_infinite_numbers_are_refused() -> None:
    """What is infinitely far away is in no window."""
    with refused(TableError, "The numbers of an ordered column must be finite; 'key' holds 2 that are infinite. "):
        encode_order(frame([1.0, np.inf, -np.inf, None]), "key")


@pytest.mark.parametrize("container", [frame, arrays, polars, arrow, arrow_chunks])
def test_order_of_dates(container: Callable[[list[Any]], Any]) -> None:
    """Dates are ranked from the earliest in every container."""
    ranks, values = encode_order(container(DATES), "key")
    assert ranks.tolist() == [1, 0, 1, 2]
    assert np.array_equal(values, np.unique(np.array(DATES, dtype="datetime64[us]")))


@pytest.mark.parametrize("container", [polars, arrow])
def test_order_of_days(container: Callable[[list[Any]], Any]) -> None:
    """A column of days is a column of dates, in each library that has such a type."""
    assert encode_order(container([day.date() for day in DATES]), "key")[0].tolist() == [1, 0, 1, 2]


def test_order_of_missing_dates() -> None:
    """A missing date has the last rank, also where all are missing."""
    assert encode_order(frame([DATES[1], None, DATES[0]]), "key")[0].tolist() == [0, 2, 1]
    assert encode_order(frame([pd.NaT, pd.NaT]), "key")[0].tolist() == [0, 0]


def test_order_of_far_dates() -> None:
    """Dates that a count of nanoseconds cannot hold are refused, never wrapped around."""
    assert encode_order({"key": np.array(["2262-04-11", "1677-09-22"], "datetime64[s]")}, "key")[0].tolist() == [1, 0]
    with pytest.raises(TableError, match="'key'"):
        encode_order({"key": np.array(["2262-04-12", "1677-09-22"], "datetime64[s]")}, "key")


@pytest.mark.parametrize(
    ("values", "dtype"),
    [
        (["1", "2"], TEXT),
        ([True, False], "bool"),
        (["1", 2], "object of type mixed-integer"),
        ([date(2026, 3, 1)], "object of type date"),
        (pd.Categorical([1, 2]), "category"),
    ],
)
def test_order_needs_numbers_or_dates(values: Any, dtype: str) -> None:
    """Text, flags, objects and categories have no distance, so they make no ordered column."""
    with pytest.raises(TableError, match=f"numbers or dates; 'key' holds {dtype}. Convert"):
        encode_order(frame(values), "key")


@pytest.mark.parametrize(
    ("values", "convert"),
    [
        (pd.to_timedelta([1, 2], unit="h"), "dt.total_seconds()"),
        ([True, False], "astype('Int8')"),
        (pd.array([True, None], dtype="boolean"), "astype('Int8')"),
        (pd.period_range("2026-03", periods=2, freq="M"), "dt.to_timestamp()"),
    ],
    ids=str,
)
def test_what_is_advised_makes_an_ordered_column(values: Any, convert: str) -> None:
    """Durations, flags and periods have a conversion each."""
    column = frame(values)["key"]
    with refused(TableError, f"An ordered column must hold numbers or dates; ... for instance with {convert}."):
        encode_order({"key": column}, "key")
    converted = eval(f"column.{convert}", {"column": column})  # noqa: S307 - the words of the message.
    assert encode_order({"key": converted}, "key")[1].size
