"""What an index takes to be built, kept, opened and explained; prints three Markdown tables.

    python tests/bench/build_cost.py --rows 1.6e7 --groups 1e6

The first is of tables in memory with 20 experiments x 4 conditions. Times are ratios, taken in one run: to the lists of
rows that the cascade keeps from which batchwright comes, by experiment, by condition, and by both, as intersections; to
those by experiment, and by both, that a sampler keeps which looks groups up by `DataFrame.groupby`; and to
`pandas.factorize` of both key columns. Memory is what was allocated besides the table, at most and in the end.
The second is what a plan with a window over the 97 times takes to be explained, and to say what it does to each row.
The third is of the counts of very many groups, in sets of a thousand conditions, that stand for 10**12 rows.
"""

from __future__ import annotations

import argparse
import gc
import itertools
import tempfile
import time
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from batchwright import (
    ConditionBalancer,
    Drawer,
    ExperimentSelector,
    LeakMixer,
    MetadataIndex,
    Pipeline,
    PipelineSampler,
    Plan,
    TemporalEnricher,
)

BY = ["experiment", "condition"]
PEERS = ["the cascade", "groupby", "factorize"]
REPEATS = 3


def seconds(work: Callable[[], Any]) -> float:
    """Return the shortest of some times that work takes."""
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def memory(work: Callable[[], Any]) -> tuple[int, int]:
    """Return the bytes that work allocates at most, and those that its result keeps."""
    gc.collect()
    tracemalloc.start()
    result = work()
    kept, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    del result
    return most, kept


def make_tables(rows: int) -> Iterator[tuple[str, pd.DataFrame, str | None]]:
    """Yield the same table with keys of several types, and once in order of its groups."""
    rng = np.random.default_rng(0)
    codes = pd.DataFrame({"experiment": rng.integers(0, 20, rows), "condition": rng.integers(0, 4, rows)})
    categories = pd.DataFrame(
        {name: pd.Categorical.from_codes(codes[name], [f"{name} {k:02d}" for k in range(20)]) for name in BY}
    )
    hours = rng.integers(0, 97, rows) / 2
    yield "categories", categories, None
    yield "integers", codes, None
    yield "text", categories.astype("str"), None
    yield "integers, grouped", codes.sort_values(BY[::-1], ignore_index=True), None
    yield "integers, and times that never repeat", codes.assign(hours=rng.random(rows)), "hours"
    yield "integers, and 97 times", codes.assign(hours=hours), "hours"


def by_intersection(table: pd.DataFrame) -> list[Any]:
    """Return the rows of each experiment, of each condition, and of each pair of them."""
    experiments, conditions = (table.groupby(name, observed=True).indices for name in BY)
    pairs = itertools.product(experiments.items(), conditions.items())
    both = {(one, two): np.intersect1d(rows, others, assume_unique=True) for (one, rows), (two, others) in pairs}
    return [experiments, conditions, both]


def by_groups(table: pd.DataFrame) -> list[Any]:
    """Return the rows of each experiment, and of each experiment and condition."""
    return [{label: group.index.to_numpy() for label, group in table.groupby(by, observed=True)} for by in (BY[0], BY)]


def builds(rows: int) -> Iterator[str]:
    """Yield the lines of the first table."""
    for name, table, order_by in make_tables(rows):

        def build(table: pd.DataFrame = table, order_by: str | None = order_by) -> MetadataIndex:
            return MetadataIndex.from_table(table, BY, order_by)

        ours = seconds(build)
        cascade = seconds(lambda table=table: by_intersection(table))  # type: ignore[misc]
        groups = seconds(lambda table=table: by_groups(table))  # type: ignore[misc]
        factorized = seconds(lambda table=table: [pd.factorize(table[by], sort=True) for by in BY])  # type: ignore[misc]
        most, kept = memory(build)
        ratios = " | ".join(f"{ours / theirs:.2f}" for theirs in (cascade, groups, factorized))
        yield f"| {name} | {ours:.2f} | {ratios} | {kept / rows:.1f} | {most / rows:.1f} |"


def explained(rows: int) -> Iterator[str]:
    """Yield the lines of the second table."""
    *_, (_, table, order_by) = make_tables(rows)
    chain = Pipeline(
        [ExperimentSelector(), LeakMixer(0.2), ConditionBalancer(), TemporalEnricher("hours", half_width=2), Drawer()]
    )
    plan = Plan(chain, MetadataIndex.from_table(table, BY, order_by), batch_size=128)
    yield f"| `explain`, s | {seconds(lambda: str(plan.explain())):.2f} |"
    yield f"| `expectation`, s | {seconds(plan.expectation):.2f} |"


def trillion(groups: int) -> Iterator[str]:
    """Yield the lines of the third table."""
    plates = np.arange(groups)
    counts = {
        "experiment": [f"e{plate // 1000:06d}" for plate in plates.tolist()],
        "condition": [f"c{plate % 1000:03d}" for plate in plates.tolist()],
        "count": np.full(groups, 10**12 // groups),
    }
    start = time.perf_counter()
    index = MetadataIndex.from_counts(counts)
    yield f"| `from_counts`, s | {time.perf_counter() - start:.2f} |"
    with tempfile.TemporaryDirectory() as folder:
        index.save(Path(folder) / "index")
        start = time.perf_counter()
        MetadataIndex.open(Path(folder) / "index")
        yield f"| `open`, s | {time.perf_counter() - start:.3f} |"
    chain = [ExperimentSelector(), LeakMixer(0.2), ConditionBalancer(), Drawer()]
    sampler = PipelineSampler(index, chain, 128, num_batches=10_000)
    start = time.perf_counter()
    next(iter(sampler))
    yield f"| first batch, ms | {(time.perf_counter() - start) * 1e3:.1f} |"
    yield f"| a batch of 128, us | {seconds(lambda: list(sampler)) / 10_000 * 1e6:.1f} |"


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=float, default=1.6e7)
    parser.add_argument("--groups", type=float, default=1e6)
    arguments = parser.parse_args()
    ratios = " | ".join(f"over {peer}" for peer in PEERS)
    print(f"| keys | build, s | {ratios} | bytes a row kept | bytes a row at most |\n{'| --- ' * 7}|")
    for line in builds(int(arguments.rows)):
        print(line, flush=True)
    print(f"\n| a plan over {arguments.rows:,.0f} rows | |\n| --- | --- |")
    for line in explained(int(arguments.rows)):
        print(line, flush=True)
    print(f"\n| {arguments.groups:,.0f} groups for 10^12 rows | |\n| --- | --- |")
    for line in trillion(int(arguments.groups)):
        print(line, flush=True)


if __name__ == "__main__":
    main()
