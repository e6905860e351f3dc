"""The arguments of all commands, and the chain that they describe."""

from __future__ import annotations

import argparse
from importlib.metadata import version
from pathlib import Path

from batchwright.chainfile import load_chain
from batchwright.errors import SettingError
from batchwright.pipeline import Pipeline
from batchwright.stages import ConditionBalancer, Drawer, ExperimentSelector, LeakMixer, TemporalEnricher
from batchwright.stages.base import Element

__all__ = ["chain_of", "make_parser"]

_FLAGS = ("group", "leak", "balance", "time", "half_width", "global_fraction")


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser("batchwright", description="Which rows stand together in each training batch.")
    parser.add_argument("--version", action="version", version=version("batchwright"))
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    explain = commands.add_parser("explain", help="say what a chain will do to a table, stage by stage, exactly")
    audit = commands.add_parser("audit", help="draw batches and show what they hold beside what they should")
    draw = commands.add_parser("draw", help="write batches as CSV or Parquet: epoch, step and row")
    index = commands.add_parser("index", help="read a table once and save what batches need of it in a folder")
    demo = commands.add_parser("demo", help="show batches of a table that is made up")
    for command in (explain, audit, draw, index):
        _add_table(command)
        _add_chain(command)
    for command in (explain, audit, draw):
        command.add_argument("--batch-size", type=int, default=128, metavar="ROWS", help="default 128")
    for command in (explain, audit):
        command.add_argument("--json", action="store_true", help="print JSON")
        command.add_argument("--strict", action="store_true", help="end with code 1 where there is a warning or worse")
    for command in (audit, draw):
        command.add_argument("--seed", type=int, default=0, help="default 0")
    _add_audit(audit)
    _add_draw(draw)
    _add_index(index)
    demo.add_argument("--rows", type=int, default=100_000, help="rows of the table, by default 100000")
    demo.add_argument("--save", type=Path, metavar="FOLDER", help="write table.csv and chain.json into a new folder")
    return parser


def chain_of(arguments: argparse.Namespace) -> Pipeline:
    """Return the chain that the arguments describe: a file, or flags.

    Raises
    ------
    SettingError
        If there are both or neither, or a width without a time.
    BatchwrightError
        If the file or a setting cannot be used.
    """
    flags = ["--" + name.replace("_", "-") for name in _FLAGS if getattr(arguments, name) is not None]
    if (arguments.chain is None) == (not flags):
        msg = (
            f"A chain must come from a file or from flags; got {'--chain and ' if flags else 'neither'}"
            f"{', '.join(flags)} ({arguments.command}). Name a file with --chain, or columns with --group or --balance."
        )
        raise SettingError(msg)
    return Pipeline(_stages_of(arguments)) if flags else load_chain(arguments.chain)


def _stages_of(arguments: argparse.Namespace) -> list[Element]:
    stages: list[Element] = []
    if arguments.group is not None:
        stages.append(ExperimentSelector(_one_or_several(arguments.group)))
    if arguments.leak is not None:
        stages.append(LeakMixer(arguments.leak))
    if arguments.balance is not None:
        stages.append(ConditionBalancer(_one_or_several(arguments.balance)))
    if arguments.time is not None or arguments.half_width is not None or arguments.global_fraction is not None:
        stages.append(_window_of(arguments))
    return [*stages, Drawer()]


def _window_of(arguments: argparse.Namespace) -> TemporalEnricher:
    lacking = [
        flag for flag, value in (("--time", arguments.time), ("--half-width", arguments.half_width)) if not value
    ]
    if lacking:
        msg = (
            f"A window needs a column and a width; there is no {' and no '.join(lacking)} ({arguments.command}). "
            "Write for instance --time hours --half-width 2."
        )
        raise SettingError(msg)
    more = {} if arguments.global_fraction is None else {"global_fraction": arguments.global_fraction}
    return TemporalEnricher(arguments.time, _width(arguments.half_width), **more)


def _one_or_several(columns: list[str]) -> str | list[str]:
    return columns[0] if len(columns) == 1 else columns


def _width(text: str) -> float | str:
    """Return a width as a number where it is one; a duration stays text."""
    try:
        return float(text)
    except ValueError:
        return text


def _add_table(command: argparse.ArgumentParser) -> None:
    command.add_argument("table", help="CSV, Parquet (also a folder or pattern) or .h5ad file, or a saved index")
    command.add_argument("--repeat", metavar="COLUMN", help="how often each row of the file stands in the table")


def _add_chain(command: argparse.ArgumentParser) -> None:
    chain = command.add_argument_group("chain", "a file, or flags; --group and --balance may be given several times")
    chain.add_argument("--chain", metavar="FILE", help="a chain file, in YAML or JSON")
    chain.add_argument("--group", action="append", metavar="COLUMN", help="all rows of a batch from one group")
    chain.add_argument("--leak", type=float, metavar="FRACTION", help="part of a batch from other groups")
    chain.add_argument("--balance", action="append", metavar="COLUMN", help="equal parts of each label")
    chain.add_argument("--time", metavar="COLUMN", help="much of a batch from around one value of it")
    chain.add_argument("--half-width", metavar="WIDTH", help="a number, or a duration such as 2h where times are dates")
    chain.add_argument("--global-fraction", type=float, metavar="FRACTION", help="part from other times, default 0.3")


def _add_audit(command: argparse.ArgumentParser) -> None:
    command.add_argument("--batches", type=int, default=256, metavar="NUMBER", help="default 256")
    command.add_argument(
        "--by", action="append", metavar="COLUMN", help="columns to count, by default those of the chain"
    )
    command.add_argument("--html", type=Path, metavar="FILE", help="write a page with figures")


def _add_draw(command: argparse.ArgumentParser) -> None:
    command.add_argument("--batches", type=int, default=10, metavar="NUMBER", help="default 10")
    command.add_argument("--epoch", type=int, default=0, help="the epoch to begin with, default 0")
    command.add_argument("--columns", nargs="+", default=[], metavar="COLUMN", help="columns of the table to add")
    command.add_argument(
        "--out", type=Path, metavar="FILE", help="a file *.csv or *.parquet; by default CSV is printed"
    )


def _add_index(command: argparse.ArgumentParser) -> None:
    command.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="where to save it; must be new")
    command.add_argument("--by", action="append", default=[], metavar="COLUMN", help="further key columns")
