"""Law 13: the order of rows and the dtype of columns do not matter to the composition of batches."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchwright import ConditionBalancer, Drawer, ExperimentSelector, Pipeline, PipelineSampler
from strategies import with_chain


def composition(table: Any, stages: list[Any], names: pd.DataFrame) -> list[list[tuple[Any, ...]]]:
    """Return the labels and times, of those columns that the chain reads, of each slot of some batches."""
    pipeline = Pipeline(stages)
    read = [*pipeline.key_columns, *([pipeline.order_column] if pipeline.order_column else [])]
    values = list(zip(*(names[name].fillna(-1.0) for name in read), strict=True)) if read else [()] * len(names)
    sampler = PipelineSampler(table, pipeline, batch_size=6, num_batches=5)
    return [[values[row] for row in batch] for batch in sampler]


@given(with_chain(), st.integers(0, 99))
def test_order_of_rows(chain: tuple[pd.DataFrame, list[Any]], seed: int) -> None:
    """Slot by slot a shuffled table gives rows of the same labels and times."""
    table, stages = chain
    shuffled = table.iloc[np.random.default_rng(seed).permutation(len(table))]
    assert composition(shuffled, stages, shuffled) == composition(table, stages, table)


CONVERSIONS = {
    "object": lambda table: table.astype({"experiment": object, "condition": object}),
    "category": lambda table: table.astype({"experiment": "category", "condition": "category"}),
    "category, other order": lambda table: table.assign(
        experiment=pd.Categorical(table["experiment"], ["none", "e3", "e10", "e2", "e1"]),
        condition=pd.Categorical(table["condition"], ["virus", "mock", "unused", "drug"]),
    ),
    "dict of lists": lambda table: {name: table[name].tolist() for name in table},
    "dict of arrays": lambda table: {name: table[name].to_numpy() for name in table},
}


@pytest.mark.parametrize("name", CONVERSIONS)
@given(chain=with_chain())
def test_dtype_of_keys(name: str, chain: tuple[pd.DataFrame, list[Any]]) -> None:
    """The very same batches come from strings, objects, categories and plain arrays."""
    table, stages = chain
    converted = CONVERSIONS[name](table.reset_index(drop=True))
    settings = {"batch_size": 6, "num_batches": 5}
    assert list(PipelineSampler(converted, stages, **settings)) == list(PipelineSampler(table, stages, **settings))


@pytest.mark.parametrize("library", ["polars", "pyarrow"])
@given(chain=with_chain())
def test_library_of_tables(library: str, chain: tuple[pd.DataFrame, list[Any]]) -> None:
    """The very same batches come from polars and pyarrow tables."""
    module = pytest.importorskip(library)
    table, stages = chain
    columns = {name: table[name].tolist() for name in table}
    columns["hours"] = [None if np.isnan(hours) else hours for hours in columns["hours"]]
    converted = module.DataFrame(columns) if library == "polars" else module.table(columns)
    settings = {"batch_size": 6, "num_batches": 5}
    assert list(PipelineSampler(converted, stages, **settings)) == list(PipelineSampler(table, stages, **settings))


@pytest.mark.parametrize("kind", [int, bool])
def test_numbers_and_truth_values_are_labels(kind: type) -> None:
    """Groups named 0 and 1, or False and True, are those named a and b."""
    codes = [0, 1, 1, 0, 1, 0, 1, 1] * 5
    stages = [ExperimentSelector(), ConditionBalancer(), Drawer()]
    keys = {"experiment": [kind(code) for code in codes], "condition": [kind(1 - code) for code in codes]}
    names = {"experiment": ["ab"[code] for code in codes], "condition": ["ab"[1 - code] for code in codes]}
    assert list(PipelineSampler(keys, stages, 4)) == list(PipelineSampler(names, stages, 4))
