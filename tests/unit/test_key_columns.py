"""Labels and codes of a key column do not depend on the kind of table, nor on how its values are kept."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from frames import DATES, arrays, arrow, arrow_chunks, category, dictionary, frame, not_a_number, polars

from batchwright import TableError
from batchwright.columns import lots_of
from batchwright.labelcodes import LabelEncoder
from refusals import refused

# Each kind of key with its codes and labels; every container below must give these.
KINDS = {
    "text": (["b", "a", "b", "c"], [1, 0, 1, 2], ("a", "b", "c")),
    "int": ([10, -9, 10, 11], [1, 0, 1, 2], (-9, 10, 11)),
    "bool": ([True, False, True, True], [1, 0, 1, 1], (False, True)),
    "date": (DATES, [1, 0, 1, 2], tuple(pd.DatetimeIndex(sorted(set(DATES))))),
}


def encode_labels(table: Any, name: str) -> tuple[np.ndarray, tuple[Any, ...]]:
    """Return the place of the label of each row among the sorted labels, and these."""
    encoder = LabelEncoder(name)
    codes = np.concatenate([encoder.encode(lot[name]) for _, lot in lots_of(table, [name])])
    labels, rank = encoder.sort(np.unique(codes))
    return rank[codes], labels


def encoded(table: Any) -> tuple[list[int], tuple[Any, ...], list[type]]:
    """Return codes, labels and the types of the labels: 1, 1.0 and True are equal and yet not the same label."""
    codes, labels = encode_labels(table, "key")
    assert np.issubdtype(codes.dtype, np.signedinteger)
    return codes.tolist(), labels, [type(label) for label in labels]


CONTAINERS = [
    pytest.param(frame, id="pandas"),
    pytest.param(lambda values: frame(values, dtype=object), id="pandas-object"),
    pytest.param(lambda values: frame(values).convert_dtypes(), id="pandas-nullable"),
    pytest.param(category, id="pandas-category"),
    pytest.param(lambda values: category(values, ordered=True), id="pandas-ordered-category"),
    pytest.param(lambda values: frame(values, index=[3, 3, "x", None]), id="pandas-odd-index-labels"),
    pytest.param(lambda values: frame(values, index=[3, 2, 1, 0]), id="pandas-reversed-index-labels"),
    pytest.param(lambda values: {"key": values}, id="dict-of-lists"),
    pytest.param(arrays, id="dict-of-arrays"),
    pytest.param(lambda values: {"key": pd.Series(values, index=[9, 9, 8, 7])}, id="dict-of-series"),
    pytest.param(polars, id="polars"),
    pytest.param(arrow, id="arrow"),
    pytest.param(arrow_chunks, id="arrow-chunks"),
]

OF_ONE_KIND = [
    pytest.param("text", lambda values: category(values, unused=("aa", "z")), id="category-with-unused-entries"),
    pytest.param("text", lambda values: polars(values, "Categorical"), id="polars-Categorical"),
    pytest.param("text", lambda values: arrow_chunks(values, dictionary=True), id="arrow-dictionary"),
    pytest.param("int", lambda values: category(values, unused=(0, 99)), id="category-of-int-with-unused-entries"),
    pytest.param("int", lambda values: frame(values, dtype="Int64"), id="pandas-Int64"),
    pytest.param("int", lambda values: polars(values, "Int64"), id="polars-Int64"),
    pytest.param("int", lambda values: arrow(values, "int16"), id="arrow-int16"),
    pytest.param("int", lambda values: arrow_chunks(values, dictionary=True), id="arrow-dictionary-of-int"),
    pytest.param("int", lambda values: frame([np.int64(v) for v in values], object), id="objects-of-numpy"),
    pytest.param("date", lambda values: {"key": np.array(values, dtype="datetime64[D]")}, id="array-of-days"),
    pytest.param("date", lambda values: frame(values, dtype="datetime64[ns]"), id="pandas-ns"),
    pytest.param("date", lambda values: polars(values, "Datetime"), id="polars-Datetime"),
    pytest.param("int", lambda values: arrays(np.array(values, dtype=">i4")), id="array-of-other-bytes"),
    pytest.param("int", lambda values: frame(values, dtype=">i8"), id="pandas-of-other-bytes"),
    pytest.param("int", lambda values: arrays(pd.arrays.SparseArray(values, fill_value=-9)), id="pandas-sparse"),
    pytest.param("bool", lambda values: arrays(pd.arrays.SparseArray(values)), id="pandas-sparse-flags"),
    pytest.param("text", lambda values: category([np.str_(value) for value in values]), id="category-of-numpy"),
    pytest.param("text", lambda values: dictionary(values, ["a", "b", "b", "c"]), id="arrow-dictionary-with-a-twin"),
]


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("kind", KINDS)
def test_labels_do_not_depend_on_the_container(container: Callable[[list[Any]], Any], kind: str) -> None:
    """Every container of the same values gives the same codes and the same sorted, plain labels."""
    values, codes, labels = KINDS[kind]
    assert encoded(container(values)) == (codes, labels, [type(label) for label in labels])


@pytest.mark.parametrize(("kind", "container"), OF_ONE_KIND)
def test_labels_do_not_depend_on_the_dtype(kind: str, container: Callable[[list[Any]], Any]) -> None:
    """The dtypes that only one kind of value has give the same codes and labels, too."""
    values, codes, labels = KINDS[kind]
    assert encoded(container(values)) == (codes, labels, [type(label) for label in labels])


@pytest.mark.parametrize(
    "values",
    [
        pytest.param([day.date() for day in DATES], id="days"),
        pytest.param(pd.Series(DATES).dt.tz_localize("UTC").tolist(), id="with-time-zone"),
    ],
)
def test_polars_and_arrow_agree_on_dates(values: list[Any]) -> None:
    """Days and times with a zone have the same labels from polars as from arrow, also in dictionaries."""
    assert encoded(polars(values)) == encoded(arrow(values)) == encoded(arrow_chunks(values, dictionary=True))


@pytest.mark.parametrize(
    "table",
    [
        pytest.param({"key": ["b", 1, "a", 1]}, id="dict-of-lists"),
        pytest.param(frame(pd.Categorical(["b", 1, "a", 1])), id="category"),
    ],
)
def test_labels_of_mixed_types(table: Any) -> None:
    """Numbers among text stay numbers and are sorted before it, as in a column of objects."""
    assert encoded(table) == encoded(frame(["b", 1, "a", 1], dtype=object))


@pytest.mark.parametrize(
    "build",
    [
        pytest.param(lambda: frame(["a", None, "b"]), id="pandas-str"),
        pytest.param(lambda: frame(["a", np.nan, "b"], dtype=object), id="pandas-object"),
        pytest.param(lambda: category(["a", None, "b"], unused=("z",)), id="category-with-unused-entries"),
        pytest.param(lambda: frame([1, np.nan, 2]), id="pandas-float"),
        pytest.param(lambda: frame([1, None, 2], dtype="Int64"), id="pandas-Int64"),
        pytest.param(lambda: frame([DATES[0], None, DATES[1]]), id="pandas-date"),
        pytest.param(lambda: {"key": ["a", None, "b"]}, id="list-with-None"),
        pytest.param(lambda: {"key": ["a", float("nan"), "b"]}, id="list-with-nan"),
        pytest.param(lambda: {"key": np.ma.masked_array([1, 2, 3], mask=[0, 1, 0])}, id="masked-array"),
        pytest.param(lambda: polars(["a", None, "b"]), id="polars-String"),
        pytest.param(lambda: polars(["a", None, "b"], "Categorical"), id="polars-Categorical"),
        pytest.param(lambda: polars([1, None, 2]), id="polars-Int64"),
        pytest.param(lambda: arrow(["a", None, "b"]), id="arrow-string"),
        pytest.param(lambda: arrow([1, None, 2]), id="arrow-int"),
        pytest.param(lambda: arrow_chunks(["a", None, "b"], dictionary=True), id="arrow-dictionary"),
    ],
)
def test_missing_keys_are_refused(build: Callable[[], Any]) -> None:
    """A key column without a value in one row is refused, with the count and a remedy."""
    with pytest.raises(TableError, match=r"'key' has 1 missing of 3\. Drop those rows, or .*astype\(object\)\.fillna"):
        encode_labels(build(), "key")


@pytest.mark.parametrize(
    "build",
    [
        pytest.param(lambda: {"key": [None, None]}, id="list"),
        pytest.param(lambda: frame([np.nan, np.nan]), id="pandas-float"),
        pytest.param(lambda: frame(pd.Categorical([None, None])), id="category"),
        pytest.param(lambda: polars([None, None]), id="polars-Null"),
        pytest.param(lambda: arrow([None, None]), id="arrow-null"),
    ],
)
def test_keys_that_are_all_missing_are_refused(build: Callable[[], Any]) -> None:
    """Where there is no label at all the message is the same."""
    with refused(TableError, "A key column must have a value in every row; 'key' has 2 missing of 2. "):
        encode_labels(build(), "key")


@pytest.mark.parametrize(
    "build",
    [
        pytest.param(not_a_number, id="arrow-nan"),
        pytest.param(lambda: not_a_number("category"), id="category-of-arrow-nan"),
        pytest.param(lambda: dictionary(["a", None, "b"], ["a", None, "b"]), id="arrow-dictionary"),
        pytest.param(
            lambda: dictionary(["a", None], ["a", None]).to_pandas(types_mapper=pd.ArrowDtype), id="pandas-dictionary"
        ),
    ],
)
def test_labels_that_are_missing_are_refused(build: Callable[[], Any]) -> None:
    """Where pandas does not count them as missing rows, and would give all others wrong labels."""
    with refused(TableError, "A key column must have a value in every row; 'key' has 1 missing of ..."):
        encode_labels(build(), "key")


LARGEST = pd.Index([2**53 + 1, 2**53, 0.5], dtype=object)
SORTED = "A key column must hold values that can be hashed and sorted; "
IN_ORDER = "Labels of a key column must differ and stand in one order; "
ONE_KIND = "A key column must hold one kind of value in all its rows; "
LISTS, STRUCTS = [[1], [2]], [{"a": 1}, {"a": 2}]


@pytest.mark.parametrize(
    ("build", "text"),
    [
        pytest.param(lambda: frame(LISTS, dtype=object), SORTED, id="lists"),
        pytest.param(lambda: frame([object(), object()], dtype=object), SORTED, id="no-order"),
        pytest.param(lambda: frame([frozenset([1]), frozenset([2])], dtype=object), IN_ORDER, id="half-an-order"),
        pytest.param(lambda: frame(pd.Categorical.from_codes([0, 1, 2], LARGEST)), IN_ORDER, id="equal-as-floats"),
        pytest.param(lambda: frame(LISTS, dtype=pd.ArrowDtype(arrow(LISTS)["key"].type)), SORTED, id="arrow-lists"),
        pytest.param(lambda: polars(STRUCTS), "A column must be of a type that pandas has; ", id="polars-structs"),
        pytest.param(lambda: frame(["a", b"a"], dtype=object), ONE_KIND, id="text-and-bytes"),
        pytest.param(lambda: frame(["a", DATES[0].date()], dtype=object), ONE_KIND, id="text-and-days"),
    ],
)
def test_labels_that_cannot_be_used_are_refused(build: Callable[[], Any], text: str) -> None:
    """Values that do not hash, do not sort or are of several kinds make no key column, and the message names it."""
    with refused(TableError, f"{text}...'key'..."):
        encode_labels(build(), "key")


def test_labels_are_plain() -> None:
    """Numbers and text of NumPy are those of Python, and the two zeros are one, so that one table has one index."""
    mixed = [np.int64(1), np.float32(0.5), np.str_("b"), -0.0]
    assert encoded(frame(mixed, dtype=object)) == encoded(frame([1, 0.5, "b", 0.0], dtype=object))
    for zeros in ([0.0, -0.0], [-0.0, 0.0]):
        assert repr(encoded(frame(zeros))[1]) == "(0.0,)"
