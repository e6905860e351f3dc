"""The command line: tables of all kinds, chains from files and flags, what is printed, and how it ends."""

import subprocess
import sys
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from batchwright import (
    ConditionBalancer,
    Drawer,
    ExperimentSelector,
    LeakMixer,
    MetadataIndex,
    Pipeline,
    PipelineSampler,
    TemporalEnricher,
)
from batchwright.chainfile import dump_chain
from batchwright.cli import main, progress
from batchwright.cli.arguments import chain_of, make_parser
from batchwright.datasets import time_lapse_screen

needs_pyarrow = pytest.mark.skipif(find_spec("pyarrow") is None, reason="pyarrow is missing")

TABLE = time_lapse_screen(rows=400, experiments=3).rename(columns={"hours_post_infection": "hours"})
STAGES = [ExperimentSelector(), LeakMixer(0.25), ConditionBalancer(), TemporalEnricher("hours", 2), Drawer()]
FLAGS = ["--group", "experiment", "--leak", "0.25", "--balance", "condition", "--time", "hours", "--half-width", "2"]

Run = Callable[..., str]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder that has a table and a chain, and is where commands run."""
    monkeypatch.chdir(tmp_path)
    TABLE.to_csv("table.csv", index=False)
    Path("chain.json").write_text(dump_chain(Pipeline(STAGES)))
    return tmp_path


@pytest.fixture
def run(folder: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Return what runs a command in the folder, expects its code, and gives what it printed, or its complaint."""

    def run_command(*arguments: str, code: int = 0) -> str:
        assert folder.exists()
        capsys.readouterr()
        assert main(arguments) == code
        printed = capsys.readouterr()
        return printed.err if code == 2 else printed.out

    return run_command


def rows_of(printed: str) -> list[list[int]]:
    """Return the batches in a table that was drawn."""
    drawn = pd.read_csv(StringIO(printed))
    return [batch["row"].tolist() for _, batch in drawn.groupby(["epoch", "step"])]


def expected(count: int, table: Any = TABLE, stages: Any = STAGES, size: int = 16, **more: Any) -> list[list[int]]:
    sampler = PipelineSampler(table, stages, size, **more)
    return [sampler.batch(step) for step in range(count)]


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


GROUP = ["--group", "experiment"]


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


def test_interrupted(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C ends a command without a word, with the code that shells know."""

    def interrupt(_: Any) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr("batchwright.cli.draw.run", interrupt)
    assert run("draw", "table.csv", *GROUP, code=130) == ""


def test_missing_libraries(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where what an extra brings is missing, the complaint says which one to install."""
    monkeypatch.setitem(sys.modules, "anndata.io", None)
    monkeypatch.setattr(pd.DataFrame, "to_parquet", lambda *_, **__: import_module("no_such_module"))
    assert "Install batchwright[anndata] first." in run("draw", "t.h5ad", *GROUP, code=2)
    assert "Install batchwright[parquet] first." in run("draw", "table.csv", *GROUP, "--out", "a.parquet", code=2)


def test_demo(run: Run) -> None:
    """The demo shows batches of one experiment beside shuffled ones, and saves what it names."""
    printed = run("demo", "--rows", "5000", "--save", "screen")
    assert "2026-03-01  " in printed
    assert "    103         25 " in printed
    command = printed.strip().splitlines()[-1].removeprefix("Saved. Go on with: batchwright explain ").split()
    assert len(rows_of(run("draw", *command, "--batches", "2"))) == 2


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


def start(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own."""
    command = [sys.executable, "-m", "batchwright", *arguments]
    return subprocess.run(command, text=True, capture_output=True, check=False)  # noqa: S603 - our own command.


def test_the_real_command(folder: Path) -> None:
    """A process of its own prints the batches, or complains and ends with code 2."""
    assert folder.exists()
    drawn = start("draw", "table.csv", *FLAGS, "--batch-size", "16", "--batches", "2")
    assert (drawn.returncode, rows_of(drawn.stdout)) == (0, expected(2))
    failed = start("draw", "table.csv", "--group", "plate")
    assert (failed.returncode, failed.stdout) == (2, "")
    assert failed.stderr.startswith("batchwright: error: Every column that is named must stand once in the table;")
    assert failed.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("shell", "code", "complaint"),
    [
        (
            "PYTHONIOENCODING=ascii {} demo --rows 128 --save '\N{MICRO SIGN}'",
            2,
            "ascii, lacks '\\xb5' (batchwright). Set",
        ),
        ("{} demo --rows 128 >&-", 0, ""),
    ],
    ids=["ASCII", "closed"],
)
def test_any_standard_output_will_do(folder: Path, shell: str, code: int, complaint: str) -> None:
    """Text that it cannot take is complained of, and where it is closed nobody is told."""
    command = ["/bin/bash", "-c", shell.format(f"{sys.executable} -m batchwright")]
    ended = subprocess.run(command, cwd=folder, text=True, capture_output=True, check=False)  # noqa: S603 - our own.
    assert ended.returncode == code
    assert complaint in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    ("arguments", "reader"),
    [("draw table.csv --group experiment --batch-size 16 --batches 5000", "head -1"), ("demo --rows 5000", "true")],
)
def test_a_reader_may_stop_early(folder: Path, arguments: str, reader: str) -> None:
    """Who reads may close the pipe, in the middle or before the little that there is; nothing is complained of."""
    assert folder.exists()
    shell = [
        "/bin/bash",
        "-o",
        "pipefail",
        "-c",
        f"unset PYTHONUNBUFFERED; {sys.executable} -m batchwright {arguments} | {reader}",
    ]
    ended = subprocess.run(shell, text=True, capture_output=True, check=False)  # noqa: S603 - our own command.
    assert ended.returncode == 0
    assert "BrokenPipe" not in ended.stderr
    assert ended.stdout in ("", "epoch,step,row\n")


@pytest.mark.parametrize(
    ("arguments", "loads_torch"),
    [
        (["--help"], False),
        (["draw", "table.csv"], True),
        (["index", "table.csv", "--group", "experiment", "--out", "made"], False),
    ],
)
def test_torch_is_loaded_where_it_is_needed(folder: Path, arguments: list[str], loads_torch: bool) -> None:
    """Help, and reading a table, start without torch, whose import takes a second."""
    assert folder.exists()
    code = (
        "import sys\nfrom batchwright.cli import main\ntry: main(sys.argv[1:])\nexcept SystemExit: pass\n"
        "print('torch' in sys.modules, 'matplotlib' in sys.modules, 'yaml' in sys.modules, file=sys.stderr)"
    )
    command = [sys.executable, "-c", code, *arguments]
    ended = subprocess.run(command, text=True, capture_output=True, check=True)  # noqa: S603 - our own code.
    assert ended.stderr.splitlines()[-1] == f"{loads_torch} False False"


def test_the_script_is_installed() -> None:
    """The project names the function that the console script runs."""
    project = (Path(__file__).parents[2] / "pyproject.toml").read_text()
    assert '[project.scripts]\nbatchwright = "batchwright.cli:main"' in project
    assert import_module("batchwright.cli").main is main
