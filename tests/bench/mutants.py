"""How many mutants the tests kill, file by file; prints a Markdown table, and fails below 90 % in any line of it.

    mutmut run
    python tests/bench/mutants.py

A mutant is the source with one small change; it is killed if some test fails with it, or does not come to an end.
The stages are one line together. What survives is listed on the page about mutation, docs/mutation.md.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path

ROOT = Path("mutants/src/batchwright")
LEAST = 0.9

# How pytest ends with a killed mutant: a failure, or an error of its own; else the signal that stops an endless run.
KILLED = {1, 3, -24}


def main() -> int:
    """Print the table and return 1 if too many mutants survive, else 0."""
    total: Counter[str] = Counter()
    killed: Counter[str] = Counter()
    for path in sorted(ROOT.rglob("*.py.meta")):
        name = "stages/*.py" if path.parent.name == "stages" else path.stem
        codes = json.loads(path.read_text())["exit_code_by_key"].values()
        total[name] += len(codes)
        killed[name] += sum(code in KILLED for code in codes)
    print("| file | killed | all | percent |\n| --- | --- | --- | --- |")
    for name, count in total.items():
        print(f"| {name} | {killed[name]} | {count} | {100 * killed[name] / count:.1f} |")
    return int(not total or any(killed[name] < LEAST * count for name, count in total.items()))


if __name__ == "__main__":
    sys.exit(main())
