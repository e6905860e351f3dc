"""What a batch costs, as a ratio to torch's plain shuffling in the same run; prints a Markdown table.

    python tests/bench/batch_cost.py --rows 1e4 1e5 1e6 --repeats 7

Each repetition measures both, one after the other, over a whole epoch; the ratio of a repetition is what counts, and
the median over repetitions is printed, since machines drift. "First epoch" is that of a new sampler, which opens the
nodes that it needs; "later" is the epoch after it.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterable
from statistics import median
from typing import Any

import numpy as np
from torch.utils.data import BatchSampler, RandomSampler

from batchwright import ConditionBalancer, Drawer, ExperimentSelector, LeakMixer, PipelineSampler, TemporalEnricher

CHAINS: dict[str, list[Any]] = {
    "select, leak, balance": [ExperimentSelector(), LeakMixer(0.2), ConditionBalancer(), Drawer()],
    "with a window": [
        ExperimentSelector(),
        LeakMixer(0.2),
        ConditionBalancer(),
        TemporalEnricher("hours", half_width=2),
        Drawer(),
    ],
}


def make_table(rows: int, groups: int) -> dict[str, Any]:
    """Return so many experiments x 4 conditions x 97 times, in random order."""
    rng = np.random.default_rng(0)
    return {
        "experiment": rng.integers(0, groups, rows),
        "condition": rng.integers(0, 4, rows),
        "hours": rng.integers(0, 97, rows) / 2,
    }


def seconds(batches: Iterable[list[int]]) -> float:
    """Return the time that one pass takes."""
    start = time.perf_counter()
    for _ in batches:
        pass
    return time.perf_counter() - start


def measure(rows: int, groups: int, batch_size: int, repeats: int) -> Iterable[str]:
    """Yield one row of the table for each chain."""
    table = make_table(rows, groups)
    steps = rows // batch_size
    for name, chain in CHAINS.items():
        start = time.perf_counter()
        index = PipelineSampler(table, chain, batch_size).plan.index
        build = time.perf_counter() - start
        plain, first, later, at_once = [], [], [], []
        for seed in range(repeats):
            sampler = PipelineSampler(index, chain, batch_size, seed=seed)
            start = time.perf_counter()
            next(iter(sampler))
            at_once.append(time.perf_counter() - start)
            plain.append(seconds(BatchSampler(RandomSampler(range(rows)), batch_size, drop_last=True)))
            fresh = PipelineSampler(index, chain, batch_size, seed=seed)
            first.append(seconds(fresh))
            later.append(seconds(fresh))
        ratios = [median(a / b for a, b in zip(ours, plain, strict=True)) for ours in (first, later)]
        yield (
            f"| {rows:.0e} | {name} | {ratios[0]:.2f} | {ratios[1]:.2f} | {median(later) / steps * 1e6:.1f} "
            f"| {median(plain) / steps * 1e6:.1f} | {median(at_once) * 1e3:.1f} | {build:.2f} |"
        )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=float, nargs="+", default=[1e4, 1e5, 1e6])
    parser.add_argument("--groups", type=int, default=20)
    parser.add_argument("--batch-size", type=int, default=128)
    parser.add_argument("--repeats", type=int, default=7)
    arguments = parser.parse_args()
    print("| rows | chain | first epoch / plain | later / plain | later, us | plain, us | first batch, ms | build, s |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for rows in arguments.rows:
        for line in measure(int(rows), arguments.groups, arguments.batch_size, arguments.repeats):
            print(line, flush=True)


if __name__ == "__main__":
    main()
