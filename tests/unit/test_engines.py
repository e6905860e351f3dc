"""Counts that a query engine makes give the index, and the batches, of the rows themselves."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from batchwright import ConditionBalancer, Drawer, ExperimentSelector, LeakMixer, MetadataIndex, PipelineSampler

pytest.importorskip("pyarrow", reason="pyarrow, which writes the Parquet files, is missing")

KEYS = ["source", "batch", "compound"]
CHAIN = [ExperimentSelector(by=["source", "batch"]), LeakMixer(0.2), ConditionBalancer(by="compound"), Drawer()]


@pytest.fixture
def table() -> pd.DataFrame:
    """Return some 20 000 rows in 60 groups, sorted by their keys as text is sorted: by code point."""
    rng = np.random.default_rng(0)
    groups = pd.DataFrame(
        [(s, b, c) for s in ("s10", "s2", "S3") for b in (1, 2, 10, -1) for c in ("DMSO", "aspirin", "Ω", "é", "~")],
        columns=KEYS,
    )
    rows = groups.loc[rng.integers(0, len(groups), 20_000)]
    return rows.assign(value=rng.random(len(rows))).sort_values(KEYS, kind="stable", ignore_index=True)


@pytest.fixture
def files(table: pd.DataFrame, tmp_path: Path) -> list[Path]:
    """Return files of these rows in order; a group may begin in one and end in the next."""
    paths = [tmp_path / f"part-{number:05}.parquet" for number in range(4)]
    for number, path in enumerate(paths):
        table[number * 5500 : (number + 1) * 5500].to_parquet(path, row_group_size=700)
    return paths


def counted_by_duckdb(files: list[Path]) -> Any:
    duckdb = pytest.importorskip("duckdb", reason="duckdb is missing")
    columns = ", ".join(KEYS)
    query = f"SELECT {columns}, COUNT(*) AS count FROM read_parquet(?) GROUP BY ALL ORDER BY ALL"  # noqa: S608 - our own names.
    with duckdb.connect() as connection:
        return connection.execute(query, [[str(path) for path in files]]).df()


def counted_by_polars(files: list[Path]) -> Any:
    pl = pytest.importorskip("polars", reason="polars is missing")
    return pl.scan_parquet(files).group_by(KEYS).agg(pl.len().alias("count")).sort(KEYS).collect()


@pytest.mark.parametrize("count", [counted_by_duckdb, counted_by_polars])
def test_counted_groups_are_the_rows(count: Any, files: list[Path], table: pd.DataFrame, tmp_path: Path) -> None:
    """Counts, files and rows make one index, and so one epoch of batches."""
    indices = [
        MetadataIndex.from_counts(count(files), KEYS),
        MetadataIndex.from_parquet(files, KEYS),
        MetadataIndex.from_parquet(tmp_path, KEYS, folder=tmp_path / "index"),
        MetadataIndex.from_table(table, KEYS),
    ]
    assert len({index.fingerprint for index in indices}) == 1
    epochs = [list(PipelineSampler(index, CHAIN, batch_size=32, seed=1)) for index in indices]
    assert len(epochs[0]) == 625
    assert all(epoch == epochs[0] for epoch in epochs)
