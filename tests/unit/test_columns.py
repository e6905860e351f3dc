"""Columns are read from anything that is a table."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from frames import frame

from batchwright import MetadataIndex, TableError
from batchwright.columns import read_column


def test_a_column_is_read_by_position() -> None:
    """A column comes with a plain range index, whatever the index labels of the table are."""
    read = read_column(frame(["x", "y"], index=["r2", "r2"]), "key")
    assert read.size == 2
    assert read.rows(0, 2).tolist() == ["x", "y"]
    assert read.rows(1, 2).tolist() == ["y"]


@pytest.mark.parametrize(
    ("table", "message"),
    [
        pytest.param({"a": [1], "b": [1]}, "'key' is missing. The table has 2 columns: 'a', 'b'. Re", id="missing"),
        pytest.param({f"c{i}": [1] for i in range(22)}, "22 columns: 'c0', .* 'c19' and 2 more", id="of-many"),
        pytest.param(pd.DataFrame([[1, 2]], columns=["key", "key"]), "'key' stands there 2 times", id="twice"),
        pytest.param({"key": np.zeros((3, 2))}, "one dimension; 'key' has 2. Pass", id="two-dimensions"),
        pytest.param({"key": 3}, "one dimension; 'key' has 0. Pass", id="a-number"),
        pytest.param([1, 2], "or a dict of arrays; got 1 list .table.. Make", id="a-list"),
        pytest.param(pd.Series([1, 2], name="key"), "or a dict of arrays; got 1 Series .table.. Pass", id="a-series"),
        pytest.param(MetadataIndex.from_table({"key": [1]}), "; got 1 MetadataIndex .*already", id="index"),
        pytest.param(pd.DataFrame({"key": [1]}).groupby("key"), "; got 1 DataFrameGroupBy .table", id="a-groupby"),
    ],
)
def test_tables_that_cannot_be_read_are_refused(table: Any, message: str) -> None:
    """A column must be there once, flat and not empty, in something that is a table."""
    with pytest.raises(TableError, match=message):
        read_column(table, "key")
