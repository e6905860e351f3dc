"""Narrow floats become what is printed of them, and never one another."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchwright import MetadataIndex
from batchwright.decimals import as_decimals

WIDTHS = st.sampled_from([16, 32])


@given(st.data(), WIDTHS)
def test_all_values_stay_what_they_are(data: st.DataObject, width: Any) -> None:
    """Rounded to their own type they are the same again, so none meets another or overtakes it."""
    values = data.draw(st.lists(st.floats(width=width, allow_infinity=False)))
    narrow = np.array(values, dtype=f"float{width}")
    np.testing.assert_array_equal(as_decimals(narrow).astype(narrow.dtype), narrow)


@given(st.lists(st.floats(1e-3, 6e4)), WIDTHS)
def test_common_values_are_what_is_printed(values: list[float], width: int) -> None:
    """The shortest decimals that stand for them, as NumPy and Python print them."""
    narrow = np.array([*values, *np.negative(values)], dtype=f"float{width}")
    assert as_decimals(narrow).tolist() == [float(str(value)) for value in narrow]


@pytest.mark.parametrize("dtype", ["float16", "float32", "Float32", "float[pyarrow]", "float64"])
def test_windows_do_not_depend_on_the_width_of_floats(dtype: str) -> None:
    """A window of 0.1 around each tenth holds the next ones."""
    pytest.importorskip("pyarrow")
    tenths = pd.Series(np.arange(-9, 10) / 10, dtype=dtype)
    timeline: Any = MetadataIndex.from_table({"t": tenths}, (), "t").timeline
    starts, stops = timeline.ranks_around(np.arange(1, 18), 0.1)
    assert starts.tolist() == list(range(17))
    assert stops.tolist() == list(range(3, 20))
