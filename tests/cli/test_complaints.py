"""What commands refuse: four beats on standard error, code 2, and no traceback."""

import sys
from importlib import import_module
from pathlib import Path

import pandas as pd
import pytest
from commands import GROUP, TABLE, Run

from batchwright import MetadataIndex
from batchwright.cli import main


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["draw", "table.csv"], "A chain must come from a file or from flags; got neither (draw). Name a file"),
        (
            ["draw", "table.csv", "--chain", "chain.json", "--leak", "0", "--half-width", "1"],
            "A chain must come from a file or from flags; got --chain and --leak, --half-width (draw). Name a file",
        ),
        (
            ["draw", "table.csv", "--time", "hours"],
            "A window needs a column and a width; there is no --half-width (draw).",
        ),
        (["draw", "table.csv", *GROUP, "--half-width", "1"], "A window needs a column and a width; there is no --time"),
        (
            ["draw", "table.csv", *GROUP, "--global-fraction", "1"],
            "A window needs a column and a width; there is no --time and no --half-width",
        ),
        (["draw", "table.csv", *GROUP, "--leak", "2"], "fraction must be at most 1; got 2.0 (LeakMixer). Pass"),
        (
            ["draw", "table.csv", "--leak", "1"],
            "A leak must come after a selection, since it brings rows from outside it;",
        ),
        (
            ["draw", "table.csv", "--group", "plate"],
            "Every column that is named must stand once in the table; 'plate' is miss",
        ),
        (
            ["draw", "twice.csv", *GROUP],
            "Every column that is named must stand once in the table; 'experiment' stands there 2 times. twice.csv has",
        ),
        (["draw", "text.csv.zst", *GROUP], "A table must be readable; 1 is not: "),
        (
            ["draw", "many.csv", *GROUP, "--repeat", "sites"],
            f"Repeated rows must fit in memory; 'sites' makes {2**49} of them (many.csv). Correct the counts,",
        ),
        (
            ["draw", "table.csv", *GROUP, "--columns", "row"],
            "A column that is added must not be named as one of ours; got",
        ),
        (
            ["draw", "table.csv", *GROUP, "--out", "a.txt"],
            "Batches are written as *.csv or *.parquet; got 'a.txt' (--out).",
        ),
        (["draw", "table.csv", *GROUP, "--out", "no/a.csv"], "A file must be there and writable; 1 is not: "),
        (
            ["draw", "table.csv", *GROUP, "--batches", "0"],
            "batches must be at least 1; got 0 (draw). Ask for one at least.",
        ),
        (
            ["draw", "table.csv", *GROUP, "--epoch", "-1"],
            "epoch must be at least 0; got -1 (draw). Count epochs from 0.",
        ),
        (
            ["draw", "table.csv", *GROUP, "--seed", "-1"],
            "seed must be at least 0; got -1 (PipelineSampler). Pass any int",
        ),
        (
            ["draw", "table.csv", *GROUP, "--batch-size", "500"],
            "A batch must fit in its table; 400 rows make none of 500 (--batch-size). Lower it.",
        ),
        (
            ["draw", "table.csv", *GROUP, "--repeat", "hours"],
            "Counts must be integers; 'hours' holds float64. Cast them",
        ),
        (
            ["draw", "table.xls", *GROUP],
            "A table must be a file of a known kind, or a saved index; got 'table.xls', none",
        ),
        (
            ["draw", "none.csv", *GROUP],
            "A table must be readable; 1 is not: [Errno 2] No such file or directory: 'none.csv'",
        ),
        (
            ["draw", "empty.csv", *GROUP],
            "A table must be readable; 1 is not: No columns to parse from file (empty.csv).",
        ),
        (["draw", "head.csv", *GROUP], "A table must have rows"),
        (
            ["draw", "words.csv", "--time", "hours", "--half-width", "1h"],
            "Times must be numbers or dates; 'hours' holds text",
        ),
        (
            ["draw", "letters.csv", "--time", "hours", "--half-width", "1h"],
            "Times must be numbers or dates; 'hours' holds text",
        ),
        (
            ["draw", "table.csv", "--chain", "none.json"],
            "A chain file must be readable text; 1 is not: [Errno 2] No such",
        ),
        (
            ["draw", "table.csv", "--chain", "bad.json"],
            "$.stages[0].fraction: fraction must be a number; got None of type",
        ),
        (
            ["draw", "index", *GROUP, "--columns", "a"],
            "An index does not have the columns of its table; 1 are asked for (--columns).",
        ),
        (
            ["draw", "index", *GROUP, "--repeat", "a"],
            "Rows of a table are repeated, not those of an index; got 'a' (index).",
        ),
        (
            ["draw", "index", "--group", "plate"],
            "A cut must name key columns of the index; 'plate' is none of its 1: 'exp",
        ),
        (
            ["index", "index", *GROUP, "--out", "new"],
            "An index is made of a table; got an index (index). Name the table,",
        ),
        (
            ["index", "table.csv", *GROUP, "--out", "index"],
            "An index is saved where nothing stands, so that none is lost;",
        ),
        (
            ["demo", "--save", "index"],
            "A folder must be new to be filled; 'index' is there (--save). Name another one.",
        ),
        (["demo", "--rows", "5"], "rows must be at least 128; got 5 (demo). A batch has 128 rows."),
    ],
)
def test_what_cannot_be_done_is_said_without_a_traceback(run: Run, arguments: list[str], message: str) -> None:
    """A complaint of four beats on standard error, and code 2."""
    Path("empty.csv").write_text("")
    Path("head.csv").write_text("experiment\n")
    Path("text.csv.zst").write_text("experiment\na\n")
    Path("twice.csv").write_text("experiment,,experiment\na,b,c\n")
    Path("many.csv").write_text(f"experiment,sites\na,{2**49}\n")
    Path("words.csv").write_text("hours\nsoon\n")
    Path("letters.csv").write_text("hours\nA\nB\n")
    Path("bad.json").write_text('{"batchwright": 1, "stages": [{"kind": "LeakMixer", "fraction": null}]}')
    MetadataIndex.from_table(TABLE, "experiment").save("index")
    complaint = run(*arguments, code=2)
    assert complaint.startswith(f"batchwright: error: {message}")
    assert "Traceback" not in complaint


def test_a_complaint_says_which_stage_or_file(run: Run) -> None:
    """What is noted of an error on its way stands below it."""
    Path("bad.json").write_text('{"batchwright": 1, "stages": []}')
    assert run("draw", "table.csv", "--chain", "bad.json", code=2).endswith("\n  in the chain file 'bad.json'\n")
    complaint = run("draw", "table.csv", "--leak", "1", code=2)
    assert complaint.endswith("\n  in stage 1 of 1, LeakMixer(fraction=1.0)\n")


@pytest.mark.parametrize(
    "arguments", [[], ["paint"], ["draw"], ["draw", "t.csv", "--seed", "x"], ["draw", "t.csv", "--sed"]]
)
def test_wrong_usage(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """What is no command or argument ends with code 2 and the usage."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert capsys.readouterr().err.startswith("usage: batchwright")


def test_help_names_all_commands(capsys: pytest.CaptureFixture[str]) -> None:
    """Help ends with code 0."""
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    printed = capsys.readouterr().out
    assert all(command in printed for command in ("explain", "audit", "draw", "index", "demo"))


def test_places_are_looked_at_first(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there is no folder for what is to be written, that is said before any table is read."""
    for command, flag in (("draw", "--out"), ("audit", "--html")):
        monkeypatch.setattr(f"batchwright.cli.{command}.read_table", None)
        complaint = run(command, "table.csv", *GROUP, flag, "no/a.csv", code=2)
        assert "A file must be there and writable; 1 is not: [Errno 2] No such file or directory: 'no'" in complaint


def test_missing_libraries(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where what an extra brings is missing, the complaint says which one to install."""
    monkeypatch.setitem(sys.modules, "anndata.io", None)
    monkeypatch.setattr(pd.DataFrame, "to_parquet", lambda *_, **__: import_module("no_such_module"))
    assert "Install batchwright[anndata] first." in run("draw", "t.h5ad", *GROUP, code=2)
    assert "Install batchwright[parquet] first." in run("draw", "table.csv", *GROUP, "--out", "a.parquet", code=2)
