"""One table has one index, whether it comes whole, in chunks or as counts of its groups."""

from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from same import assert_same

from batchwright import MetadataIndex, TableError, timecount
from batchwright.blocks import Blocks
from batchwright.testing.strategies import tables
from refusals import refused

KEYS = ["experiment", "condition"]


@given(tables(max_cells=12), st.sampled_from([KEYS, KEYS[:1], []]), st.sampled_from([None, "hours"]))
def test_the_order_is_that_of_lexsort(table: pd.DataFrame, by: list[str], order_by: str | None) -> None:
    """Rows stand by label, then by time with missing ones last, then as in the table."""
    index = MetadataIndex.from_table(table, by, order_by)
    keys = [np.unique(table[name].to_numpy(dtype=object), return_inverse=True)[1] for name in by]
    ranks = [] if order_by is None else [table["hours"].fillna(np.inf).to_numpy()]
    expected = np.lexsort([*ranks, *keys[::-1]]) if [*ranks, *keys] else np.arange(len(table))
    assert np.array_equal(index.rows(np.arange(len(table))), expected)
    assert index.order is not None or np.array_equal(expected, np.arange(len(table)))


@given(
    tables(max_cells=12),
    st.lists(st.integers(0, 200), max_size=5),
    st.sampled_from([None, "hours"]),
    st.booleans(),
    st.sampled_from([0, 20, 50, timecount._MOST]),
    st.sampled_from([10, 40, timecount._COST_AT_FIRST]),
)
def test_chunks_make_the_index_of_the_table(
    table: pd.DataFrame, cuts: list[int], order_by: str | None, category: bool, most: int, cost: int
) -> None:
    """Wherever a table is cut, whichever labels a chunk has, and however long times are counted, the index is one."""
    bounds = [0, *sorted(min(cut, len(table)) for cut in cuts), len(table)]
    chunks = [table.iloc[start:stop] for start, stop in pairwise(bounds)]
    if category:
        chunks = [chunk.astype(dict.fromkeys(KEYS, "category")) for chunk in chunks]
    expected = MetadataIndex.from_table(table, KEYS, order_by)
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(timecount, "_MOST", most)
        patch.setattr(timecount, "_COST_AT_FIRST", cost)
        patch.setattr(timecount, "_COST_OF_A_ROW", 0)
        made = MetadataIndex.from_chunks(iter(chunks), KEYS, order_by)
        assert_same(made, expected)
        mapped = MetadataIndex.from_chunks(iter(chunks), KEYS, order_by, f"{folder}/index")
        assert_same(mapped, made)
        assert_same(MetadataIndex.open(f"{folder}/index"), made)
        made.save(f"{folder}/saved")
        files, saved = ({path.name for path in Path(folder, name).iterdir()} for name in ("index", "saved"))
        assert files == saved
        assert len(list(Path(folder).iterdir())) == 2


@pytest.mark.parametrize(("plates", "distinct"), [(3, 300), (3, 70_000), (20, 200), (300, 300)])
def test_cells_and_times_may_be_many(plates: int, distinct: int) -> None:
    """Also where numbers of times, or of pairs, do not fit into a byte or two, rows stand by label and then by time."""
    rng = np.random.default_rng(distinct)
    plate, hours = rng.integers(0, plates, 200_000), rng.integers(0, distinct, 200_000) / 4
    index = MetadataIndex.from_table({"plate": plate, "hours": hours}, "plate", "hours")
    assert index.timeline is not None
    assert np.array_equal(index.timeline.times, np.unique(hours))
    assert np.array_equal(index.rows(np.arange(plate.size)), np.lexsort([hours, plate]))


@pytest.mark.parametrize("most", [0, 100])
@pytest.mark.parametrize("times", [[0.0, -0.0], [-0.0, 0.0]], ids=str)
def test_one_zero_stands_for_both(times: list[float], most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Which of them comes first in a table does not show in its fingerprint."""
    monkeypatch.setattr(timecount, "_MOST", most)
    made = MetadataIndex.from_table({"k": ["a", "a"], "t": times}, "k", "t")
    assert_same(made, MetadataIndex.from_table({"k": ["a", "a"], "t": [0, 0.0]}, "k", "t"))


def test_small_chunks_with_new_times_cost_what_they_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    """Numbers are given anew to all times that are known, which ends before it costs more than some for each row."""
    given_numbers = []

    def factorize(values: Any, **options: Any) -> Any:
        given_numbers.append(values.size)
        return pd.factorize(values, **options)

    monkeypatch.setattr(timecount, "pd", SimpleNamespace(factorize=factorize))
    monkeypatch.setattr(timecount, "_COST_AT_FIRST", 1000)
    chunks = [{"k": np.zeros(10, dtype=int), "t": np.arange(10) + start} for start in range(0, 2000, 10)]
    index = MetadataIndex.from_chunks(iter(chunks), "k", "t")
    assert index.timeline is not None
    assert np.array_equal(index.timeline.times, np.arange(2000))
    assert 1 < len(given_numbers) < len(chunks)
    assert sum(given_numbers) < 1000 + 2000 * (1 + timecount._COST_OF_A_ROW)


def test_small_chunks_with_new_cells_cost_what_they_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    """Counts are copied where a cell is new, which ends before it costs more than some for each row."""
    monkeypatch.setattr(timecount, "_COST_AT_FIRST", 1000)
    counter, whole = timecount.TimeCounter(), np.dtype(np.int64)
    assert counter.encode(np.zeros(10, dtype=int), np.arange(10), whole) is not None
    counted = [counter.encode(np.array([cell]), np.array([0]), whole) is not None for cell in range(1, 50)]
    assert counted[0]
    assert not counted[-1]


@pytest.mark.parametrize("most", [0, 100])
def test_a_chunk_may_be_filled_anew(most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is put by of a chunk is not its own memory."""
    monkeypatch.setattr(timecount, "_MOST", most)
    buffer = np.empty(4, dtype=np.int64)

    def chunks() -> Iterator[dict[str, Any]]:
        for times in ([5, 3, 1, 0], [9, 8, 7, 6]):
            buffer[:] = times
            yield {"k": ["a"] * 4, "t": buffer}

    index = MetadataIndex.from_chunks(chunks(), "k", "t")
    assert index.rows(np.arange(8)).tolist() == [3, 2, 1, 0, 7, 6, 5, 4]


RUNS = st.lists(
    st.tuples(
        st.sampled_from("ba"),
        st.sampled_from([2, 1]),
        st.sampled_from([0, 1, 3, 5000]),
        st.sampled_from([1.5, 0.0, None]),
    ),
    min_size=1,
    max_size=8,
)


@given(RUNS.filter(lambda runs: any(count for _, _, count, _ in runs)), st.sampled_from([None, "hours"]))
def test_counts_make_the_index_of_the_table(runs: list[Any], order_by: str | None) -> None:
    """Counts of runs, of which some may be 0 and some of one group, give the index of the rows."""
    counts = pd.DataFrame(runs, columns=["plate", "dose", "count", "hours"]).astype({"hours": "float64"})
    table = counts.loc[np.repeat(counts.index, counts["count"])]
    made = MetadataIndex.from_counts(counts, ["plate", "dose"], order_by)
    assert_same(made, MetadataIndex.from_table(table, ["plate", "dose"], order_by))


def test_counts_of_a_trillion_rows() -> None:
    """Nothing depends on the number of rows: the last of 10**12 is found at once."""
    index = MetadataIndex.from_counts({"plate": ["b", "a", "b"], "count": [10**12 - 2, 1, 1]})
    assert isinstance(index.order, Blocks)
    assert index.rows(np.array([0, 1, 10**12 - 1])).tolist() == [10**12 - 2, 0, 10**12 - 1]


@pytest.mark.parametrize(
    ("counts", "text"),
    [
        ([1, -1], "Counts must not be negative, ...; 'count' has a count of -1."),
        ([0, 0], "Counts must not be negative, and make 1 to 2**50 rows; 'count' has 0 rows in all."),
        ([2**50, 2**50], "Counts must ...; 'count' has 2251799813685248 rows in all."),
        ([1.0, 2.0], "Counts must be integers; 'count' holds float64."),
        ([True, True], "Counts must be integers; 'count' holds bool."),
        ([1, None], "A count must be there for every group; 'count' has 1 missing of 2."),
        ([], "Counts must not be negative, and make 1 to 2**50 rows; 'count' has 0 rows in all."),
    ],
)
def test_counts_that_make_no_table_are_refused(counts: list[Any], text: str) -> None:
    """Counts are whole, there, not negative, and make at least one row."""
    with refused(TableError, text):
        MetadataIndex.from_counts({"plate": ["a", "b"][: len(counts)], "count": counts})


def test_counts_stand_beside_their_groups() -> None:
    """Each group has one count."""
    with refused(TableError, "All columns must be equally long; got lengths [2, 3] (table). "):
        MetadataIndex.from_counts({"plate": ["a", "b", "c"], "count": [1, 2]})
    counts = pd.DataFrame({"plate": ["a", "b", "a"]}).groupby("plate").size().to_frame("count")
    with refused(TableError, "Counts must stand beside the columns of their groups; there are 0 (counts). Call reset"):
        MetadataIndex.from_counts(counts)
    assert MetadataIndex.from_counts(counts.reset_index()).columns == ("plate",)
    assert MetadataIndex.from_counts(counts, by=[]).size == 3


def test_chunks_of_several_kinds_are_refused() -> None:
    """1 and 1.0 are equal and yet different labels, so chunks may not differ in kind."""
    with refused(TableError, "A key column must hold one kind of value ...; 'k' holds 2: integers, floats. "):
        MetadataIndex.from_chunks([{"k": [1]}, {"k": [1.0]}], "k")
    with refused(TableError, "An ordered column must hold one kind ...; 'k' holds 2: numbers, dates. "):
        dates = np.array(["2024-01-01"], dtype="datetime64[s]")
        MetadataIndex.from_chunks([{"k": [1]}, {"k": dates}], order_by="k")
    with refused(TableError, "A table must have rows; column 'k' has 0. "):
        MetadataIndex.from_chunks([], "k")


def polars_table() -> Any:
    return pytest.importorskip("polars").DataFrame({"k": ["a"]})


def arrow_table() -> Any:
    return pytest.importorskip("pyarrow").table({"k": ["a"]})


@pytest.mark.parametrize(
    "make", [lambda: {"k": ["a"]}, lambda: pd.DataFrame({"k": ["a"]}), polars_table, arrow_table, lambda: len]
)
def test_a_table_is_no_chunks(make: Callable[[], Any]) -> None:
    """A table as such would be looked through column by column."""
    table = make()
    with refused(TableError, f"Chunks must be several tables; got 1, a {type(table).__name__} (chunks). "):
        MetadataIndex.from_chunks(table, "k")


def test_labels_that_equal_nothing_are_refused() -> None:
    """A value that is no number equals itself for pandas, which looks at some rows, and not for a dict."""
    chunks = [{"k": pd.Series([(0, float("nan")), (1, 1)])} for _ in range(2)]
    with refused(TableError, "Labels ... must differ and stand in one order; 2 of 'k' do not: (0, nan) and (0, nan). "):
        MetadataIndex.from_chunks(chunks, "k")


def test_text_and_bytes_are_several_kinds() -> None:
    """Files that say that they hold text do not go with those that do not."""
    with refused(TableError, "A key column must hold one kind of value ...; 'k' holds 2: bytes, str. "):
        MetadataIndex.from_chunks([{"k": ["a"]}, {"k": [b"a"]}], "k")


def test_dates_of_two_zones_are_two_kinds() -> None:
    """They are equal where their instants are, so the labels would be of whichever zone came first."""
    dates = pd.Series(pd.date_range("2026-05-05", periods=2, tz="UTC"))
    chunks = [{"k": dates[:1]}, {"k": dates.dt.tz_convert("Europe/Berlin")}]
    text = "A key column must hold one kind ...; 'k' holds 2: Timestamp in Europe/Berlin, Timestamp in UTC."
    for parts in (chunks, chunks[::-1]):
        with refused(TableError, text):
            MetadataIndex.from_chunks(parts, "k")


def test_queries_are_refused() -> None:
    """What polars and DuckDB would work out later holds no rows yet, nor does what Arrow reads from."""
    lazy = pytest.importorskip("polars").LazyFrame({"k": [1]})
    with refused(TableError, "A table must be in memory; got a polars LazyFrame, whose rows are 0 so far (table). "):
        MetadataIndex.from_table(lazy, "k")
    relation = pytest.importorskip("duckdb").sql("SELECT 'a' AS k, COUNT(*) AS count")
    with refused(TableError, "A table must be in memory; got a DuckDB relation, whose rows are 0 so far (table). "):
        MetadataIndex.from_counts(relation)
    reader = pytest.importorskip("pyarrow").table({"k": ["a"], "count": [1]}).to_reader()
    with refused(TableError, "A table must be in memory; got a pyarrow RecordBatchReader, whose rows are 0 so far ..."):
        MetadataIndex.from_counts(reader)


def test_codes_of_categories_are_as_wide_as_those_before() -> None:
    """A chunk of few categories may follow one of many, whose runs were put by with numbers beyond 127."""
    labels = [f"{number:03}" for number in range(200)]
    one, two = np.repeat(labels, 1100), np.tile(labels[:2], 50)
    chunks = [pd.DataFrame({"plate": pd.Categorical(values)}) for values in (one, two)]
    whole = MetadataIndex.from_table({"plate": np.concatenate([one, two])}, "plate")
    assert_same(MetadataIndex.from_chunks(chunks, "plate"), whole)


@pytest.mark.parametrize("count", [255, 256, 257, 65_536])
def test_one_label_beside_many(count: int) -> None:
    """The number of labels itself fits into the codes of pairs, whatever it is."""
    index = MetadataIndex.from_table({"a": ["x"] * count, "b": np.arange(count)}, by=["a", "b"])
    assert index.cells.tolist() == [[0, number] for number in range(count)]
