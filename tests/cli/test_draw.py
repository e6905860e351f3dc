"""`draw` and `index`: the batches of the sampler, from flags or from a chain file."""

import sys
from importlib.util import find_spec
from io import StringIO
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from commands import FLAGS, GROUP, STAGES, TABLE, Run, expected, rows_of

from batchwright import (
    ConditionBalancer,
    Drawer,
    ExperimentSelector,
    LeakMixer,
    Pipeline,
    PipelineSampler,
    TemporalEnricher,
)
from batchwright.chainfile import dump_chain
from batchwright.cli import progress
from batchwright.cli.arguments import chain_of, make_parser

needs_pyarrow = pytest.mark.skipif(find_spec("pyarrow") is None, reason="pyarrow is missing")


@pytest.mark.parametrize("chain", [FLAGS, ["--chain", "chain.json"]], ids=["flags", "file"])
def test_drawn_batches_are_those_of_the_sampler(run: Run, chain: list[str]) -> None:
    """Flags, a chain file and a chain made in Python make the same batches."""
    printed = run("draw", "table.csv", *chain, "--batch-size", "16", "--batches", "3", "--seed", "5")
    assert rows_of(printed) == expected(3, seed=5)


def test_draw_goes_on_through_epochs(run: Run) -> None:
    """Batches behind the last one of an epoch are those of the next, from whatever epoch on."""
    sampler = PipelineSampler(TABLE, STAGES, 150)
    printed = run("draw", "table.csv", *FLAGS, "--batch-size", "150", "--batches", "3", "--epoch", "4")
    assert len(sampler) == 2
    assert rows_of(printed) == [sampler.batch(0, 4), sampler.batch(1, 4), sampler.batch(0, 5)]
    assert pd.read_csv(StringIO(printed))[["epoch", "step"]].drop_duplicates().to_numpy().tolist() == [
        [4, 0],
        [4, 1],
        [5, 0],
    ]


@pytest.mark.parametrize("out", [None, "out.csv", pytest.param("out.parquet", marks=needs_pyarrow)])
def test_columns_of_the_table_are_added(run: Run, out: str | None) -> None:
    """Each row drawn stands with its own values, on standard output or in a file."""
    more = [] if out is None else ["--out", out]
    printed = run("draw", "table.csv", *FLAGS, "--batch-size", "16", *more, "--columns", "condition", "hours", "hours")
    drawn = pd.read_parquet(out) if out == "out.parquet" else pd.read_csv(out or StringIO(printed))
    assert list(drawn) == ["epoch", "step", "row", "condition", "hours"]
    assert drawn[["condition", "hours"]].equals(TABLE.iloc[drawn["row"]][["condition", "hours"]].reset_index(drop=True))
    assert len(drawn) == 160


@pytest.mark.parametrize("path", ["table.csv", pytest.param("table.parquet", marks=needs_pyarrow)])
@pytest.mark.parametrize("repeat", [False, True])
def test_an_index_serves_as_the_table(run: Run, path: str, repeat: bool) -> None:
    """What `index` saves makes the batches of the table itself, also with further columns and with repeated rows."""
    table = TABLE.assign(sites=np.arange(len(TABLE)) % 3)
    table.to_csv(path, index=False) if path == "table.csv" else table.to_parquet(path)
    more = ["--repeat", "sites"] if repeat else []
    printed = run("index", path, "--chain", "chain.json", "--out", "made", *more)
    rows = int(table["sites"].sum()) if repeat else len(table)
    cells = "('experiment', 'condition'), order_by='hours'"
    assert printed == f"MetadataIndex(by={cells}: {rows} rows in 11 cells) saved in 'made'\n"
    drawn = run("draw", "made", "--chain", "chain.json", "--batch-size", "16", "--batches", "2")
    assert drawn == run("draw", path, "--chain", "chain.json", "--batch-size", "16", "--batches", "2", *more)
    printed = run("index", path, "--group", "condition", "--by", "experiment", "--out", "wider", *more)
    assert printed.startswith("MetadataIndex(by=('condition', 'experiment'): ")


def test_flags_make_a_chain() -> None:
    """Each flag is a stage, in the one order that works; a flag that is given twice names columns together."""
    flags = ["--group", "a", "--group", "b", "--balance", "c", "--leak", "0"]
    chain = chain_of(make_parser().parse_args(["draw", "t.csv", *flags]))
    assert chain == Pipeline([ExperimentSelector(["a", "b"]), LeakMixer(0), ConditionBalancer("c"), Drawer()])
    chain = chain_of(make_parser().parse_args(["draw", "t.csv", "--time", "t", "--half-width", "1.5"]))
    assert chain == Pipeline([TemporalEnricher("t", 1.5), Drawer()])


def test_a_chain_without_columns(run: Run) -> None:
    """The even draw alone needs to know the number of rows, which any column tells."""
    Path("chain.json").write_text(dump_chain(Pipeline([Drawer()])))
    printed = run("draw", "table.csv", "--chain", "chain.json", "--batch-size", "16", "--batches", "2")
    assert rows_of(printed) == expected(2, stages=[Drawer()])


class Terminal(StringIO):
    """A standard error that somebody looks at."""

    def isatty(self) -> bool:
        return True


@pytest.mark.skipif(find_spec("tqdm") is None, reason="tqdm is missing")
def test_progress_is_shown_to_whom_it_may_concern(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """There is a bar where somebody looks on and tqdm is there, and the batches are the same."""
    plain = run("draw", "table.csv", *GROUP)
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    assert run("draw", "table.csv", *GROUP) == plain
    assert "10/10" in terminal.getvalue()
    monkeypatch.setattr(progress, "find_spec", lambda _: None)
    assert not progress.is_watched()
