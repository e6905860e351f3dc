"""JUMP Cell Painting at full scale: an index over 1.54 billion cells, on one machine; prints a Markdown table.

    python tests/bench/jump.py --counts plates.csv
    python tests/bench/jump.py --rows 1e6

The file has one row a plate: source, plate_type, and n_cells_est, which may be empty. Without one, counts of the same
shape are made. With `--rows`, plates are thinned to so many cells in all. There are two ways:

- "plate order": cells stand plate by plate, so the counts of the plates are all that the index needs;
- "random order": cells stand in any order, in chunks that come one after the other, as from files; the index is built
  in a folder, out of core, or with `--in-memory` without one.

Each way has a process of its own, whose memory is watched from outside: all pages, and those that no file backs.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from batchwright import ConditionBalancer, Drawer, ExperimentSelector, LeakMixer, MetadataIndex, PipelineSampler

__all__ = ["chunks", "made_counts", "measure", "read_counts", "run"]

BY = ["source", "plate_type"]
CELLS = 1_539_797_131
CHUNK = 1 << 22
WAYS = ("plate order", "random order")
HEADS = {
    "rows": "cells",
    "build": "build, s",
    "peak": "peak memory, GB",
    "anonymous": "of it not of files, GB",
    "files": "files, GB",
    "open": "reopen, ms",
    "first": "first batch, ms",
    "batch": "a batch, us",
}


def made_counts() -> pd.DataFrame:
    """Return 2,400 plates of 12 sources, of which each has a few of eight very uneven types."""
    rng = np.random.default_rng(0)
    source = np.sort(rng.choice(12, 2400, p=rng.dirichlet(np.full(12, 8))))
    types = rng.choice(8, 2400, p=[0.73, 0.105, 0.06, 0.06, 0.03, 0.009, 0.004, 0.002])
    # A source lacks about half of the rare types; its plates of these are of the common one.
    types[rng.random((12, 8))[source, types] < np.where(types > 0, 0.5, 0)] = 0
    cells = rng.gamma(4, size=2400)
    names = [f"source_{number}" for number in source], [f"type_{number}" for number in types]
    return pd.DataFrame({"source": names[0], "plate_type": names[1], "n_cells_est": cells / cells.sum() * CELLS})


def read_counts(path: Path | None, rows: int | None = None) -> pd.DataFrame:
    """Return the whole numbers of cells of the plates that have any, in order; thinned to so many in all."""
    plates = (made_counts() if path is None else pd.read_csv(path))[[*BY, "n_cells_est"]].dropna()
    if rows is not None:
        plates["n_cells_est"] *= rows / plates["n_cells_est"].sum()
    ends = plates["n_cells_est"].cumsum().round().astype(np.int64)
    return plates.assign(n_cells_est=np.diff(ends, prepend=0))


def chunks(counts: pd.DataFrame, size: int = CHUNK) -> Iterator[pd.DataFrame]:
    """Yield as many cells as there are, of plates in proportion to theirs; the same ones each time."""
    rng = np.random.default_rng(0)
    cells = counts["n_cells_est"].to_numpy()
    # One of 2^22 equally likely tickets is drawn for each cell, which is much faster than a search for its plate.
    ends = np.round(np.cumsum(cells) / cells.sum() * 2**22).astype(np.int64)
    plate_of_ticket = np.repeat(np.arange(cells.size, dtype=np.int16), np.diff(ends, prepend=0))
    columns = {name: pd.Categorical(counts[name]) for name in BY}
    for start in range(0, cells.sum(), size):
        plates = plate_of_ticket[rng.integers(0, 2**22, min(size, cells.sum() - start), dtype=np.uint32)]
        yield pd.DataFrame({name: column.take(plates) for name, column in columns.items()})


def measure(way: str, counts: pd.DataFrame, folder: Path | None, batches: int = 20_000) -> dict[str, float]:
    """Build the index in one way, open it again if it has a folder, and draw; return seconds and bytes."""
    start = time.perf_counter()
    if way == "plate order":
        index = MetadataIndex.from_counts(counts, by=BY, count="n_cells_est")
    else:
        index = MetadataIndex.from_chunks(chunks(counts), by=BY, **({"folder": folder} if folder else {}))
    found = {"rows": index.size, "build": time.perf_counter() - start}
    if folder is not None:
        if way == "plate order":
            index.save(folder)
        start = time.perf_counter()
        index = MetadataIndex.open(folder, verify=False)
        found["open"] = time.perf_counter() - start
        found["files"] = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    return {**found, **_draw(index, batches)}


def _draw(index: MetadataIndex, batches: int) -> dict[str, float]:
    """Return the seconds to the first batch, the sampler included, and those of a batch of a later epoch."""
    chain = [ExperimentSelector("source"), LeakMixer(0.2), ConditionBalancer("plate_type"), Drawer()]
    start = time.perf_counter()
    sampler = PipelineSampler(index, chain, batch_size=128, num_batches=batches)
    next(iter(sampler))
    first = time.perf_counter() - start
    # Behind one epoch all nodes are open, and the pages of the files that are drawn from are in memory.
    for _ in sampler:
        pass
    start = time.perf_counter()
    taken = sum(1 for _ in islice(sampler, batches))
    return {"first": first, "batch": (time.perf_counter() - start) / taken}


def run(way: str, arguments: list[str]) -> dict[str, float]:
    """Measure one way in a process of its own, and the peaks of its memory."""
    command = [sys.executable, __file__, "--way", way, *arguments]
    anonymous = 0
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - our own script.
        while process.poll() is None:
            anonymous = max(anonymous, _anonymous(process.pid))
            time.sleep(0.02)
        printed = process.stdout.read() if process.stdout else ""
    if process.returncode:
        sys.exit(process.returncode)
    return {**json.loads(printed), "anonymous": anonymous}


def _anonymous(pid: int) -> int:
    """Return the bytes of a process's memory that no file backs; 0 where the system does not say."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("RssAnon")), 0)


def row(way: str, found: dict[str, Any]) -> str:
    """Return a row of the table."""
    scales = dict.fromkeys(("peak", "anonymous", "files"), 1e-9) | {"open": 1e3, "first": 1e3, "batch": 1e6}
    cells = (f"{found[name] * scales.get(name, 1):,.3g}" if name in found else "-" for name in list(HEADS)[1:])
    return f"| {way} | {found['rows']:,} | {' | '.join(cells)} |"


def main() -> None:
    """Measure one way, or both of them in processes of their own."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--counts", type=Path, help="CSV file of the plates; by default counts are made")
    parser.add_argument("--rows", type=float, help="cells in all; by default those of the counts")
    parser.add_argument("--folder", type=Path, help="where files are made for the time being: 10 GB at full scale")
    parser.add_argument("--in-memory", action="store_true", help="make no files")
    parser.add_argument("--way", choices=WAYS, help="measure this way in this process and print what was found")
    arguments = parser.parse_args()
    if arguments.way is None:
        print(f"| way | {' | '.join(HEADS.values())} |\n|{' --- |' * (len(HEADS) + 1)}")
        for way in WAYS:
            print(row(way, run(way, sys.argv[1:])), flush=True)
        return
    counts = read_counts(arguments.counts, None if arguments.rows is None else int(arguments.rows))
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        found = measure(arguments.way, counts, None if arguments.in_memory else Path(folder) / "index")
    found["peak"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps(found))


if __name__ == "__main__":
    main()
