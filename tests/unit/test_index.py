"""`MetadataIndex`: order, cells and cuts of small tables worked out by hand, and of one too large for one pass."""

import copy
import pickle
from typing import Any

import numpy as np
import pandas as pd
import pytest

from batchwright import MetadataIndex, Pool, SettingError, SettingTypeError, TableError
from batchwright.timelines import OwnTimes, SharedTimes
from refusals import refused

# Cells in order: (a, x) is row 3, (a, y) row 1, (b, x) rows 0 and 2, (b, y) row 4.
TABLE = {
    "plate": ["b", "a", "b", "a", "b"],
    "dose": ["x", "y", "x", "x", "y"],
    "hours": [3.0, 1.0, 1.0, np.nan, 3.0],
}
KEYS = ("plate", "dose")


def index_of(table: Any = TABLE, by: Any = KEYS, order_by: str | None = None, **columns: Any) -> Any:
    """Return the index of a table, by default the one above, with some of its columns replaced."""
    return MetadataIndex.from_table(dict(table, **columns) if columns else table, by=by, order_by=order_by)


def cut(index: MetadataIndex, by: Any, *pools: Pool) -> dict[Any, list[int]]:
    """Return the positions of each group of a pool, by default the full one."""
    groups = index.groups(pools[0] if pools else Pool.full(index.size), by)
    assert groups.sizes.tolist() == [pool.size for pool in groups]
    return {label: pool.positions().tolist() for label, pool in zip(groups.labels, groups, strict=True)}


def contents(index: MetadataIndex) -> list[Any]:
    """Return everything in an index that a batch could depend on, as plain values."""
    line = index.timeline
    times = [] if line is None else [type(line), line.column, line.times_of_positions().tobytes()]
    arrays = [index.cells, index.offsets, index.rows(np.arange(index.size))]
    return [index.fingerprint, index.columns, index.labels, *(array.tolist() for array in arrays), *times]


def test_order_cells_and_offsets() -> None:
    """Every cell is one run of positions, cells are sorted by label, and rows of a cell keep their order."""
    index = index_of()
    assert (index.size, index.labels) == (5, (("a", "b"), ("x", "y")))
    assert index.cells.tolist() == [[0, 0], [0, 1], [1, 0], [1, 1]]
    assert index.offsets.tolist() == [0, 1, 2, 4, 5]
    assert index.order.tolist() == [3, 1, 0, 2, 4]
    assert (index.cells.dtype, index.offsets.dtype, index.order.dtype) == (np.int32, np.int64, np.uint32)
    assert repr(index) == "MetadataIndex(by=('plate', 'dose'): 5 rows in 4 cells)"


def test_columns_count_in_the_order_given() -> None:
    """The first column is the outermost, and a column that is named twice counts once."""
    index = index_of(by=["dose", "plate", "dose"])
    assert (index.columns, index.rows(np.arange(5)).tolist()) == (("dose", "plate"), [3, 0, 2, 1, 4])


def test_cells_that_do_not_occur_take_no_place() -> None:
    """Of all pairs of labels only those that occur are cells."""
    index = index_of(plate=["a", "b", "c", "b", "a"], dose=["x", "y", "z", "y", "x"])
    assert index.cells.tolist() == [[0, 0], [1, 1], [2, 2]]
    assert index.offsets.tolist() == [0, 2, 4, 5]


@pytest.mark.parametrize("by", ["plate", KEYS, ()], ids=["one-column", "two-columns", "no-column"])
def test_nothing_is_kept_per_row_where_the_table_is_grouped(by: Any) -> None:
    """A table that is in order already has no array of rows: a position is its row."""
    index = index_of({"plate": ["a", "a", "b", "b"], "dose": ["x", "y", "x", "x"]}, by)
    assert index.order is None
    assert index.rows(np.array([3, 1])).tolist() == [3, 1]


def test_no_columns_make_one_cell() -> None:
    """Without a key column the whole table is one cell."""
    index = index_of(by=())
    assert (index.columns, index.labels, index.cells.shape) == ((), (), (1, 0))
    assert index.offsets.tolist() == [0, 5]
    assert index.describe(Pool.full(5)) == "all groups"


def test_pieces_are_cut_at_cell_borders() -> None:
    """A range that reaches over cells becomes one piece a cell, with nothing added at its ends."""
    pieces = index_of().pieces(np.array([4, 1]), np.array([5, 3]))
    assert [array.tolist() for array in pieces] == [[0, 1, 1], [3, 1, 2], [4, 1, 2], [5, 2, 3]]
    none = np.empty(0, dtype=np.int64)
    assert [array.size for array in index_of().pieces(none, none)] == [0] * 4


@pytest.mark.parametrize(
    ("by", "expected"),
    [
        pytest.param("plate", {"a": [0, 1], "b": [2, 3, 4]}, id="outer"),
        pytest.param("dose", {"x": [0, 2, 3], "y": [1, 4]}, id="inner"),
        pytest.param(KEYS, {("a", "x"): [0], ("a", "y"): [1], ("b", "x"): [2, 3], ("b", "y"): [4]}, id="both"),
        pytest.param(KEYS[::-1], {("x", "a"): [0], ("x", "b"): [2, 3], ("y", "a"): [1], ("y", "b"): [4]}, id="turned"),
    ],
)
def test_groups_of_all_rows(by: Any, expected: dict[Any, list[int]]) -> None:
    """A cut has a group for each label, sorted; by several columns the labels are tuples."""
    index = index_of()
    assert cut(index, by) == expected
    assert index.labels_of(by) == tuple(expected)
    assert [index.pool(by, label).positions().tolist() for label in expected] == list(expected.values())


def test_groups_of_a_pool_are_those_that_occur_in_it() -> None:
    """Labels without a row in the pool have no group, and groups hold rows of the pool only."""
    index = index_of()
    assert cut(index, "dose", Pool.of([2], [4], 5)) == {"x": [2, 3]}
    assert cut(index, "dose", Pool.of([1], [3], 5)) == {"x": [2], "y": [1]}
    assert cut(index, "dose", Pool.empty(5)) == {}


@pytest.mark.parametrize("k", [-1, 2])
def test_groups_are_numbered_from_zero(k: int) -> None:
    """There is no group behind the last one, and none is counted from the end."""
    with pytest.raises(IndexError, match=f"There are 2 groups, numbered from 0; got {k} .Groups.. Iterate"):
        index_of().groups(Pool.full(5), "plate")[k]


def test_describe_names_what_all_rows_share() -> None:
    """The words for a pool name each column in which all its rows agree."""
    index = index_of()
    assert index.describe(index.pool(KEYS, ("b", "x"))) == "plate='b' dose='x'"
    assert index.describe(index.pool("dose", "x")) == "dose='x'"
    assert index.describe(Pool.full(5)) == "all groups"


def test_labels_and_columns_that_do_not_fit_are_refused() -> None:
    """Unknown labels and columns are named beside those that there are, and unequal columns by their lengths."""
    with pytest.raises(SettingError, match=r"'z' does not occur in 'plate' .*There are 2 labels: 'a', 'b'. Name"):
        index_of().pool("plate", "z")
    with pytest.raises(TableError, match=r"'hours' is none of its 2: 'plate', 'dose'. Name it in `by`"):
        index_of().labels_of("hours")
    with pytest.raises(TableError, match=r"equally long; got lengths \[2, 5\] .table.. Cut"):
        index_of(plate=["a", "b"])


class Lazy:
    """A table that can read only some of its columns, as one behind a slow file would like to."""

    def __init__(self, *readable: str) -> None:
        self.readable = readable

    def keys(self) -> list[str]:
        """Name all columns."""
        return list(TABLE)

    def __getitem__(self, name: str) -> list[Any]:
        assert name in self.readable
        return TABLE[name]


def test_only_named_columns_are_touched() -> None:
    """No column but the named ones is read, and without any the first one, for its length."""
    assert contents(index_of(Lazy("dose"), "dose")) == contents(index_of(by="dose"))
    assert contents(index_of(Lazy("dose", "hours"), "dose", "hours")) == contents(index_of(by="dose", order_by="hours"))
    assert contents(index_of(Lazy("plate"), ())) == contents(index_of(by=()))


def pickled(index: MetadataIndex) -> Any:
    return pickle.loads(pickle.dumps(index))  # noqa: S301 - what is loaded was made on the line itself.


@pytest.mark.parametrize("copied", [pickled, copy.deepcopy])
def test_copies_are_the_same_index(copied: Any) -> None:
    """A copy agrees in everything and leaves the cuts that were made so far behind."""
    index = index_of(order_by="hours")
    index.labels_of("plate")
    made = copied(index)
    assert not made._cuts
    assert contents(made) == contents(index)
    assert cut(made, "plate") == cut(index, "plate")


@pytest.mark.parametrize("library", ["pandas", "polars", "pyarrow"])
def test_libraries_give_the_same_fingerprint(library: str) -> None:
    """The same table has the same index and fingerprint from every library."""
    module = pytest.importorskip(library)
    table = module.table(TABLE) if library == "pyarrow" else module.DataFrame(TABLE)
    assert contents(index_of(table, order_by="hours")) == contents(index_of(order_by="hours"))


def test_the_dtype_does_not_change_the_fingerprint() -> None:
    """A category, whatever its order and unused entries, has the fingerprint of its text."""
    table = pd.DataFrame(TABLE, index=[7] * 5)
    table["plate"] = pd.Categorical(table["plate"], categories=["z", "b", "a"])
    assert contents(index_of(table, order_by="hours")) == contents(index_of(order_by="hours"))


@pytest.mark.parametrize(
    "other",
    [
        pytest.param({"plate": ["b", "a", "b", "a", "c"]}, id="a-label"),
        pytest.param({"dose": ["x", "x", "x", "y", "y"]}, id="two-rows-swapped"),
        pytest.param({"hours": [3.0, 1.0, 1.0, 2.0, 3.0]}, id="a-missing-time"),
        pytest.param({"hours": [4.0, 1.0, 1.0, np.nan, 4.0]}, id="a-time"),
        pytest.param({"by": ("dose", "plate")}, id="the-order-of-columns"),
        pytest.param({"order_by": None}, id="no-times"),
        pytest.param({"table": {name: [*values, values[0]] for name, values in TABLE.items()}}, id="a-row-more"),
    ],
)
def test_another_table_has_another_fingerprint(other: dict[str, Any]) -> None:
    """Whatever could change a batch changes the fingerprint."""
    assert index_of(**{"order_by": "hours", **other}).fingerprint != index_of(order_by="hours").fingerprint


@pytest.mark.parametrize("by", [None, 0, {"plate"}, {"plate": 1}, [["plate"]]], ids=str)
def test_columns_are_named_in_order(by: Any) -> None:
    """A set has no order that all processes share, in which the labels could stand."""
    with refused(SettingTypeError, "`by` must name one column or several; got ... (by). "):
        MetadataIndex.from_table(TABLE, by)
    with refused(SettingTypeError, "`order_by` must name one column; got ['hours'] (order_by). "):
        MetadataIndex.from_table(TABLE, by="plate", order_by=["hours"])  # type: ignore[arg-type]


def test_names_are_plain() -> None:
    """A name of NumPy's is the same as one of Python's, also where it is printed."""
    index = index_of(by=np.array(["plate", "dose"]), order_by=np.str_("hours"))
    assert repr(index.columns) == "('plate', 'dose')"
    assert index.fingerprint == index_of(by=["plate", "dose"], order_by="hours").fingerprint


def test_time_orders_the_rows_of_a_cell() -> None:
    """Rows of a cell stand by time, those of one time as in the table, those without a time last."""
    index = index_of({"hours": [3, 1, np.nan, 1, 2]}, by=(), order_by="hours")
    assert index.rows(np.arange(5)).tolist() == [1, 3, 4, 0, 2]
    assert repr(index) == "MetadataIndex(by=(), order_by='hours': 5 rows in 1 cells)"
    assert isinstance(index.timeline, OwnTimes)
    assert np.array_equal(index.timeline.times, [1, 2, 3, np.nan], equal_nan=True)
    assert index.timeline.starts.tolist() == [0, 2, 3, 4, 5]


def test_runs_of_several_cells() -> None:
    """A run is one time of one cell: where times repeat its key counts them, and one for missing, cell after cell."""
    index = index_of(order_by="hours")
    assert index.rows(np.arange(5)).tolist() == [3, 1, 2, 0, 4]
    assert index.timeline.times.tolist() == [1.0, 3.0]
    assert index.timeline.keys.tolist() == [2, 3 + 0, 6 + 0, 6 + 1, 9 + 1]
    assert index.timeline.starts is None


@pytest.mark.parametrize("repeats", [False, True])
def test_timeline_finds_times(repeats: bool) -> None:
    """A window has both its ends; the runs of a range are those of its times, a missing one the last."""
    table = {"plate": [*"aaaaa", *"bbb"], "hours": [3, 1, np.nan, 1, 2, 8, 7, 1 if repeats else 6]}
    timeline = index_of(table, by="plate", order_by="hours").timeline
    assert isinstance(timeline, SharedTimes if repeats else OwnTimes)
    # Two rows of hour 1, and then one each of 2, 3 and none; in the second cell the first or the only ones.
    first, behind = timeline.runs_between(np.array([0, 2, 4, 5]), np.array([5, 4, 5, 8]))
    assert (first.tolist(), behind.tolist()) == ([0, 1, 3, 4], [4, 3, 4, 7])
    assert timeline.is_missing(np.arange(7)).tolist() == [False, False, False, True, False, False, False]
    # Around the hours 1, 2 and 3, which come first by rank as by run.
    windows = timeline.window(np.array([0, 1, 2]), 1)
    assert timeline.positions(np.array([0, 0, 0]), windows).tolist() == [[0, 0, 2], [3, 4, 4]]
    begins, ends = timeline.positions(np.array([1, 1, 1]), windows)
    assert (ends - begins).tolist() == ([1, 1, 0] if repeats else [0, 0, 0])
    assert begins[0] == 5


def test_no_array_is_taken_for_another() -> None:
    """The bytes of an order of rows and of times are the keys and times of another table, whose rows stand in order."""
    plates = [*"aabb"]
    own = index_of({"plate": plates, "hours": [1, 0, 4, 3]}, by="plate", order_by="hours")
    shared = index_of({"plate": plates, "hours": [1, 2**33 + 3] * 2}, by="plate", order_by="hours")
    assert own.order.tobytes() == shared.timeline.times.tobytes()
    assert own.timeline.times.tobytes() == shared.timeline.keys.tobytes()
    assert own.fingerprint != shared.fingerprint


@pytest.mark.parametrize("order_by", [None, "hours"], ids=["two-passes", "three-passes"])
def test_many_cells_are_sorted_like_lexsort(order_by: str | None) -> None:
    """Where cells, or cells and times, outnumber 16 bits the order is still the stable one of `lexsort`."""
    numbers = np.random.default_rng(0).permutation(140_000)
    table = {"plate": numbers % 400, "dose": numbers // 400 // 2, "hours": numbers % 65_537}
    index = index_of(table, order_by=order_by)
    keys = [table["dose"], table["plate"]] if order_by is None else [table["hours"], table["dose"], table["plate"]]
    assert len(index.cells) == 70_000
    assert index.order.dtype == np.uint32
    assert np.array_equal(index.order, np.lexsort(keys))
