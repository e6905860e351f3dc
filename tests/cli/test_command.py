"""The command in a process of its own: how it starts, what it prints to, and how it ends."""

import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from commands import FLAGS, GROUP, Run, expected, rows_of

from batchwright.cli import main


def test_interrupted(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C ends a command without a word, with the code that shells know."""

    def interrupt(_: Any) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr("batchwright.cli.draw.run", interrupt)
    assert run("draw", "table.csv", *GROUP, code=130) == ""


def test_demo(run: Run) -> None:
    """The demo shows batches of one experiment beside shuffled ones, and saves what it names."""
    printed = run("demo", "--rows", "5000", "--save", "screen")
    assert "2026-03-01  " in printed
    assert "    103         25 " in printed
    command = printed.strip().splitlines()[-1].removeprefix("Saved. Go on with: batchwright explain ").split()
    assert len(rows_of(run("draw", *command, "--batches", "2"))) == 2


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
