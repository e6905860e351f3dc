"""How many mutants the tests kill, file by file; prints a Markdown table, and fails below 95 % of all.

    mutmut run
    python tests/bench/mutants.py

A mutant is the source with one small change; it is killed if some test fails with it, or does not come to an end.
Mutants that were not run do not count. The stages are one line together. Why some survive is told on the page about
mutation, docs/mutation.md.
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from pathlib import Path

ROOT = Path("mutants/src/batchwright")
LEAST = 0.95

# A test failed, or pytest itself; and what mutmut notes of a run that did not end in time.
KILLED = {1, 3, 24, -24, 36, 152, 255}


def main() -> int:
    """Print the table and the survivors; return 1 if too many survive, else 0."""
    found: defaultdict[str, list[int | None]] = defaultdict(list)
    survivors: list[str] = []
    for path in sorted(ROOT.rglob("*.py.meta")):
        codes = json.loads(path.read_text())["exit_code_by_key"]
        found["stages/*.py" if path.parent.name == "stages" else path.stem] += codes.values()
        survivors += [name for name, code in codes.items() if code not in KILLED | {None}]
    print("| file | killed | run | all | percent of those run |\n| --- | --- | --- | --- | --- |")
    found["all"] = [code for codes in found.values() for code in codes]
    for name, codes in found.items():
        run = len(codes) - codes.count(None)
        killed = sum(code in KILLED for code in codes)
        print(f"| {name} | {killed} | {run} | {len(codes)} | {100 * killed / max(run, 1):.1f} |")
    print("\nWhat survives, as `mutmut show` takes it:\n", *survivors, sep="\n")
    return int(killed < LEAST * run or not run)


if __name__ == "__main__":
    sys.exit(main())
