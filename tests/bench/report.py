"""From what test_cost.py measured to the tables and the plot of docs/cost.md.

    python tests/bench/report.py cost.json          # prints the tables
    python tests/bench/report.py cost.json --write  # writes them into the page, and draws docs/cost.svg

Each figure is a median over repetitions of a ratio within a repetition; microseconds are medians too.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
from lines import BEHIND, CHAINS, EPOCHS, FIRST, FLOOR, LATER, LEAKING, LEFT, PEERS, PLAIN, RANKS, SPLIT, STARTS, Line
from plot import draw

__all__ = ["main", "read", "render", "write_between"]

DOCS = Path(__file__).parents[2] / "docs"
MARKS = "<!-- written by nox -s bench -->", "<!-- end of what nox -s bench wrote -->"
SIZES = [(32, "batch size"), (128, "rows"), (1024, "batch size")]
OURS = [phase[chain] for chain in CHAINS for phase in (FIRST, LATER)]


def read(path: Path) -> pd.DataFrame:
    """Return one row for each measurement."""
    runs = [run["extra_info"] for run in json.loads(path.read_text())["benchmarks"]]
    return pd.DataFrame([run | run["setting"] for run in runs]).drop(columns="setting")


def render(runs: pd.DataFrame) -> str:
    """Return all tables in Markdown."""
    return "\n\n".join(f"{text}\n\n{table}" for text, table in _tables(runs) if table)


def _tables(runs: pd.DataFrame) -> Iterator[tuple[str, str]]:
    yield (
        "Batches of 128, 3 experiments: cost over torch's plain shuffling, and microseconds a batch",
        _pivot(runs, "rows", [*OURS, *PEERS, PLAIN, LEFT, BEHIND, FLOOR], PLAIN, "rows"),
    )
    yield "Batches of 128, 3 experiments: over the floor", _pivot(runs, "rows", OURS, FLOOR, "rows")
    some = [FIRST[LEAKING], *LATER.values()]
    for size in (32, 1024):
        part = runs[runs.batch_size == size]
        yield (
            f"Batches of {size}, over plain shuffling",
            _pivot(part, "batch size", [*some, PLAIN, LEFT], PLAIN, "rows"),
        )
        yield f"Batches of {size}, over the floor", _pivot(part, "batch size", some, FLOOR, "rows")
    for size, topic in SIZES:
        part = runs[(runs.batch_size == size) & (runs.rows <= STARTS[0].most_rows)]
        text = f"Batches of {size} of the first {EPOCHS} epochs together, over plain shuffling"
        yield text, _pivot(part, topic, STARTS, PLAIN, "rows")
    yield "100,000 experiments, over plain shuffling", _pivot(runs, "groups", [*OURS, PLAIN, LEFT], PLAIN, "rows")
    yield "100,000 experiments, over the floor", _pivot(runs, "groups", OURS, FLOOR, "rows")
    yield "2,000 conditions, over plain shuffling", _pivot(runs, "conditions", [*OURS, PLAIN, LEFT], PLAIN, "rows")
    pools = runs.assign(pool=runs.rows // (16 * 4))
    yield (
        "32 rows from each of four pools of so many rows, over the floor",
        _pivot(pools, "pools", [LATER["select, balance"], PLAIN], FLOOR, "pool"),
    )
    for size, topic in SIZES:
        part = runs[runs.batch_size == size]
        own = f"Own batches of {size} of a rank"
        yield f"{own}, over those of a single process", _pivot(part, topic, RANKS, LATER[LEAKING], "rows")
        yield f"{own}, over plain shuffling in a single process", _pivot(part, topic, [*RANKS, SPLIT], PLAIN, "rows")


def _pivot(runs: pd.DataFrame, topic: str, lines: list[Line], yardstick: Line, across: str) -> str:
    """Return a table of the lines of a topic, a column for each value of `across` that has the yardstick."""
    runs = runs[runs.topic == topic]
    costs = runs.set_index([across, "repeat", "line"])["batch"]
    columns = sorted(runs[across][runs.line == yardstick.name].unique())
    lines = [line for line in lines if line.name in set(runs.line)]
    if not columns or not lines:
        return ""
    rows = [[line.name, *(_entry(costs[value], line, yardstick) for value in columns)] for line in lines]
    heads = [across, *(f"{value:,}" for value in columns)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in [heads, ["---"] * len(heads), *rows])


def _entry(costs: Any, line: Line, yardstick: Line) -> str:
    """Return the ratio to a yardstick and the microseconds; a dash where it was not measured."""
    table = costs.unstack()  # noqa: PD010 - there is nothing to aggregate.
    if line.name not in table:
        return "-"
    ratio = (table[line.name] / table[yardstick.name]).median()
    return f"{ratio:.3g} ({table[line.name].median() * 1e6:.3g})"


def write_between(page: Path, text: str) -> None:
    """Replace what stands between the marks of a page."""
    before, _, rest = page.read_text().partition(MARKS[0])
    _, _, after = rest.partition(MARKS[1])
    page.write_text(f"{before}{MARKS[0]}\n\n{text}\n\n{MARKS[1]}{after}")


def main() -> None:
    """Print the tables, and write them if asked to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", type=Path, help="the file of --benchmark-json")
    parser.add_argument("--write", action="store_true", help="rewrite docs/cost.md and docs/cost.svg")
    arguments = parser.parse_args()
    runs = read(arguments.results)
    text = render(runs)
    print(text)
    if arguments.write:
        write_between(DOCS / "cost.md", text)
        draw(runs, DOCS / "cost.svg")


if __name__ == "__main__":
    main()
