"""Tables of all kinds in files make the same batches."""

from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from commands import FLAGS, GROUP, TABLE, Run, expected, rows_of

from batchwright import Drawer, ExperimentSelector, MetadataIndex, TemporalEnricher


def write_h5ad(path: str) -> None:
    """Write a table as AnnData does, or skip the test where that is not there."""
    anndata = pytest.importorskip("anndata", reason="anndata is missing")
    obs = TABLE.set_axis(TABLE.index.astype(str)).astype({"experiment": "category"})
    anndata.AnnData(np.zeros((len(TABLE), 1), dtype="float32"), obs=obs).write_h5ad(path)


def write_parts(path: str) -> None:
    Path(path).mkdir()
    TABLE.iloc[:150].to_parquet(f"{path}/1.parquet")
    TABLE.iloc[150:].to_parquet(f"{path}/2.parquet")


WRITERS: dict[str, Callable[[str], Any]] = {
    "other.csv.gz": TABLE.to_csv,
    "other.tsv": lambda path: TABLE.to_csv(path, sep="\t"),
    "other.parquet": TABLE.to_parquet,
    "parts": write_parts,
    "other.h5ad": write_h5ad,
    "index": lambda path: MetadataIndex.from_table(TABLE, ["experiment", "condition"], "hours").save(path),
}


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::UserWarning", "ignore::DeprecationWarning")
@pytest.mark.parametrize("path", [*WRITERS, "parts/*.parquet"])
def test_tables_of_all_kinds(run: Run, path: str) -> None:
    """The same rows make the same batches, whatever they are kept in."""
    name = path.partition("/")[0]
    if name in ("parts", "other.parquet"):
        pytest.importorskip("pyarrow")
    WRITERS[name](name)
    assert rows_of(run("draw", path, *FLAGS, "--batch-size", "16", "--batches", "2")) == expected(2)


def test_row_names_without_a_header(run: Run) -> None:
    """Row names that have no field in the header, as R writes them, are no column, also where all columns are named."""
    Path("named.csv").write_text("experiment,condition\nr1,a,x\nr1,a,y\n")
    printed = run(
        "draw", "named.csv", *GROUP, "--batch-size", "2", "--batches", "1", "--columns", "experiment", "condition"
    )
    drawn = pd.read_csv(StringIO(printed)).sort_values("row")
    assert drawn[["row", "experiment", "condition"]].to_numpy().tolist() == [[0, "a", "x"], [1, "a", "y"]]


def test_the_last_suffix_says_the_kind(run: Run) -> None:
    """Of several suffixes the last one that is no compression decides."""
    for path, sep in (("table.tsv.csv", ","), ("table.csv.tsv.gz", "\t")):
        TABLE.to_csv(path, sep=sep)
        assert rows_of(run("draw", path, *FLAGS, "--batch-size", "16", "--batches", "2")) == expected(2)


def test_repeated_rows(run: Run) -> None:
    """A row of the file stands in the table as often as its column says, one behind the other."""
    TABLE.assign(sites=np.arange(len(TABLE)) % 3).to_csv("table.csv")
    table = TABLE.loc[TABLE.index.repeat(np.arange(len(TABLE)) % 3)].reset_index(drop=True)
    printed = run("draw", "table.csv", *FLAGS, "--batch-size", "16", "--batches", "2", "--repeat", "sites")
    assert rows_of(printed) == expected(2, table)


def test_dates_in_text_are_dates(run: Run) -> None:
    """A column of times that is text is read as dates, and its window as a duration."""
    table = TABLE.assign(when=pd.Timestamp("2026-03-01") + pd.to_timedelta(TABLE["hours"], unit="h"))
    table.to_csv("table.csv")
    printed = run(
        *("draw", "table.csv", "--group", "experiment", "--time", "when", "--half-width", "2h"),
        *("--global-fraction", "0.5", "--batch-size", "16", "--batches", "2"),
    )
    stages = [ExperimentSelector(), TemporalEnricher("when", "2h", 0.5), Drawer()]
    assert rows_of(printed) == expected(2, table, stages)


def test_dates_in_text_may_have_several_offsets(run: Run) -> None:
    """As the dates of a place have whose clocks are changed: what counts is the moment."""
    table = TABLE.assign(when=pd.date_range("2026-03-28", periods=len(TABLE), freq="h", tz="Europe/Berlin"))
    assert len({moment.utcoffset() for moment in table["when"]}) == 2
    table.to_csv("table.csv")
    window = ("--group", "experiment", "--time", "when", "--half-width", "2h", "--global-fraction", "0.5")
    printed = run("draw", "table.csv", *window, "--batch-size", "16", "--batches", "2")
    stages = [ExperimentSelector(), TemporalEnricher("when", "2h", 0.5), Drawer()]
    assert rows_of(printed) == expected(2, table, stages)


@pytest.mark.parametrize("suffix", ["gz", "bz2", "xz", "zip", "tar"])
@pytest.mark.parametrize(
    "damage",
    [lambda whole: whole[: len(whole) // 2], lambda whole: whole[:40] + bytes(120) + whole[160:], lambda _: b"text"],
    ids=["cut", "flipped", "other"],
)
def test_damaged_files_are_refused(run: Run, suffix: str, damage: Callable[[bytes], bytes]) -> None:
    """Whatever it is that a decompressor raises, it is said of which file."""
    path = Path(f"other.csv.{suffix}")
    TABLE.to_csv(path)
    path.write_bytes(damage(path.read_bytes()))
    assert f"({path}). Name a file of the kind that its name says." in run("draw", str(path), *GROUP, code=2)
