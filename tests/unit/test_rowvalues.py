"""`RowValues`: sums over ranges against plain loops, and the views of them."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchwright import MetadataIndex, RowValues

INDEX = MetadataIndex.from_table({"plate": [*"bab"], "well": [1, 1, 2]}, by=["plate", "well"])


def of(*ranges: tuple[int, int, float], index: MetadataIndex = INDEX) -> RowValues:
    starts, stops, values = (np.array(column) for column in zip(*ranges, strict=True))
    return RowValues.of_ranges(index, starts, stops, values)


@st.composite
def ranges(draw: st.DrawFn) -> list[tuple[int, int, float]]:
    """Return ranges of positions below 20, in any order, with values of very unequal size."""
    ends = st.lists(st.integers(0, 20), min_size=2, max_size=2, unique=True).map(sorted)
    values = st.sampled_from([0.0, 1e-300, 1e-9, 0.1, 1.0, 1e9])
    return [(a, b, draw(values)) for a, b in draw(st.lists(ends, min_size=1, max_size=30))]


@given(ranges(), st.integers(0, 30))
def test_ranges_are_summed_up(given_ranges: list[tuple[int, int, float]], cut: int) -> None:
    """Each row has the sum of the ranges it lies in, to the last digits even beside huge ones, and 0 in none."""
    index = MetadataIndex.from_table({"all": ["x"] * 20}, by="all")
    expected = [sum(value for a, b, value in given_ranges if a <= row < b) for row in range(20)]
    found = of(*given_ranges, index=index)
    assert found.to_rows() == pytest.approx(expected, rel=1e-12, abs=0)
    assert found.total() == pytest.approx(sum(expected), rel=1e-12)
    parts = [part for part in (given_ranges[:cut], given_ranges[cut:]) if part]
    added = RowValues.added([of(*part, index=index) for part in parts])
    assert added.to_rows() == pytest.approx(expected, rel=1e-12, abs=0)


def test_neighbours_that_are_alike_are_one_range() -> None:
    """No more ranges are kept than there are different neighbours."""
    values = of((0, 1, 2.0), (1, 3, 2.0))
    assert values.bounds.tolist() == [0, 3]
    assert values.rows.tolist() == [3]
    assert repr(values) == "RowValues(3 rows in 1 ranges, from 2 to 2)"


@pytest.mark.parametrize(
    ("by", "expected"),
    [("plate", {"a": 1.0, "b": 5.0}), (["well", "plate"], {(1, "a"): 1.0, (1, "b"): 3.0, (2, "b"): 2.0})],
)
def test_labels_are_summed_up(by: Any, expected: dict[Any, float]) -> None:
    """One column or several, in the order asked for; ranges need not end where labels do."""
    # Positions are a1, b1, b2.
    found = of((0, 2, 1.0), (1, 3, 2.0)).by(by)
    assert found.to_dict() == expected
    assert list(found.index.names) == ([by] if isinstance(by, str) else by)


def test_rows_are_those_of_the_table() -> None:
    """A vector is in the order of the table, not of the index."""
    assert of((0, 1, 1.0), (1, 2, 2.0), (2, 3, 3.0)).to_rows().tolist() == [2.0, 1.0, 3.0]


def test_values_are_mapped_and_cut() -> None:
    """A function gets the values of ranges; finer ranges hold the same values."""
    values = of((1, 3, 2.0)).map(lambda array: array + 1).cut(np.array([2]))
    assert values.bounds.tolist() == [0, 1, 2, 3]
    assert values.per_row.tolist() == [1.0, 3.0, 3.0]
    pd.testing.assert_series_equal(values.by("plate"), of((0, 1, 1.0), (1, 3, 3.0)).by("plate"))
