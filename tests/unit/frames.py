"""One column in tables of all kinds."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

DATES = np.array(["2024-01-02", "2024-01-01", "2024-01-02", "2024-01-03"], dtype="datetime64[us]").tolist()


def frame(values: Any, dtype: Any = None, index: Any = None) -> pd.DataFrame:
    return pd.DataFrame({"key": pd.Series(values, dtype=dtype, index=index)})


def category(values: list[Any], unused: tuple[Any, ...] = (), ordered: bool = False) -> pd.DataFrame:
    """Return a table of a category that is declared in descending order, behind its unused entries."""
    entries = [*unused, *sorted({value for value in values if value is not None}, reverse=True)]
    return frame(pd.Categorical(values, categories=entries, ordered=ordered))


def arrays(values: Any) -> dict[str, Any]:
    return {"key": np.array(values)}


def polars(values: Any, dtype: str | None = None) -> Any:
    pl = pytest.importorskip("polars")
    return pl.DataFrame({"key": pl.Series(values, dtype=dtype and getattr(pl, dtype))})


def arrow(values: Any, dtype: Any = None) -> Any:
    pa = pytest.importorskip("pyarrow")
    return pa.table({"key": pa.array(values, type=dtype and getattr(pa, dtype)())})


def arrow_chunks(values: list[Any], *, dictionary: bool = False) -> Any:
    """Return a table of two chunks; as dictionaries, each chunk has codes of its own."""
    pa = pytest.importorskip("pyarrow")
    chunks = [pa.array(values[:2]), pa.array(values[2:])]
    return pa.table({"key": pa.chunked_array([chunk.dictionary_encode() if dictionary else chunk for chunk in chunks])})


def dictionary(values: list[Any], entries: list[Any]) -> Any:
    """Return a table of a dictionary that has just these entries, also twice."""
    pa = pytest.importorskip("pyarrow")
    codes = [len(entries) - 1 - entries[::-1].index(value) for value in values]
    return pa.table({"key": pa.DictionaryArray.from_arrays(codes, pa.array(entries))})


def not_a_number(cast: str = "double[pyarrow]") -> pd.DataFrame:
    """Return a column of Arrow with a value that is no number, which it does not count as missing."""
    pa = pytest.importorskip("pyarrow")
    made = pa.table({"key": pa.array([1.0, np.nan, 2.0, 1.0])}).to_pandas(types_mapper=pd.ArrowDtype)
    return pd.DataFrame(made.astype(cast))
