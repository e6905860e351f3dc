"""Train a small model on structured batches, and show what stands in them beside plain shuffling.

By default on a table that batchwright makes itself; with `--table` on any CSV or Parquet file:

    python examples/train.py --table plates.csv --experiment source --condition plate_type --repeat n_sites
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch.utils.data import BatchSampler, DataLoader, Dataset, RandomSampler

from batchwright import (
    ConditionBalancer,
    Drawer,
    ExperimentSelector,
    LeakMixer,
    PipelineSampler,
    TemporalEnricher,
)
from batchwright.datasets import time_lapse_screen


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--table", type=Path, help="CSV or Parquet file; by default a table made here")
    parser.add_argument("--experiment", default="experiment", help="column of which each batch holds one label")
    parser.add_argument("--condition", default="condition", help="column whose labels are balanced")
    parser.add_argument("--time", help="column of times; by default only the table made here has one")
    parser.add_argument("--repeat", help="column that says how often each row of the file stands in the table")
    parser.add_argument("--leak", type=float, default=0.2, help="part of a batch from other experiments")
    parser.add_argument("--batch-size", type=int, default=128)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--steps", type=int, default=150, help="batches to train on in each epoch")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


def read_table(arguments: argparse.Namespace) -> tuple[pd.DataFrame, str | None]:
    """Return the table and the name of its column of times."""
    if arguments.table is None:
        return time_lapse_screen(rows=1_000_000), arguments.time or "hours_post_infection"
    read = pd.read_parquet if arguments.table.suffix == ".parquet" else pd.read_csv
    columns = {arguments.experiment, arguments.condition, arguments.time, arguments.repeat} - {None}
    table = read(arguments.table)[sorted(columns)].astype(
        {arguments.experiment: "category", arguments.condition: "category"}
    )
    if arguments.repeat:
        table = table.loc[table.index.repeat(table[arguments.repeat])].reset_index(drop=True)
    return table, arguments.time


class Features(Dataset[Any]):
    """A stand-in for images: what a row's condition does, what its experiment adds, and noise."""

    def __init__(self, table: pd.DataFrame, experiment: str, condition: str, width: int = 16) -> None:
        rng = np.random.default_rng(0)
        self.experiment, self.condition = (pd.factorize(table[name], sort=True)[0] for name in (experiment, condition))
        self.batch_effect = rng.normal(0, 1.0, (self.experiment.max() + 1, width))
        self.effect = rng.normal(0, 0.5, (self.condition.max() + 1, width))
        self.noise = rng.normal(0, 1.0, (4096, width))

    def __getitems__(self, rows: list[int]) -> list[tuple[torch.Tensor, torch.Tensor]]:
        """Return features and condition of many rows at once."""
        at = np.array(rows)
        values = self.effect[self.condition[at]] + self.batch_effect[self.experiment[at]] + self.noise[at % 4096]
        features, targets = torch.from_numpy(values).float(), torch.from_numpy(self.condition[at])
        return list(zip(features, targets, strict=True))


def train(sampler: PipelineSampler, data: Features, epochs: int, steps: int) -> None:
    """Train a small network to tell conditions apart; two worker processes load its batches."""
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.LazyLinear(32), torch.nn.ReLU(), torch.nn.Linear(32, len(data.effect)))
    loader = DataLoader(data, batch_sampler=sampler, num_workers=2)
    model(next(iter(loader))[0])
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    for epoch in range(epochs):
        sampler.set_epoch(epoch)
        losses = []
        for features, targets in islice(loader, steps):
            loss = torch.nn.functional.cross_entropy(model(features), targets)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        print(f"epoch {epoch}: {len(losses)} batches, mean loss {np.mean(losses):.3f}")


def show(name: str, batches: Iterable[list[int]], table: pd.DataFrame, experiment: str, condition: str) -> None:
    """Print how many experiments and how many rows of each condition stand in some batches."""
    print(f"\n{name}: largest experiment, number of experiments, rows of each condition")
    labels = sorted(table[condition].unique())
    print(" " * 24 + "".join(f"{label!s:>16.15}" for label in labels))
    for batch in batches:
        rows = table.iloc[batch]
        groups = rows[experiment].value_counts()
        groups, counts = groups[groups > 0], rows[condition].value_counts()
        print(
            f"{groups.index[0]!s:>12.12}{groups.iloc[0]:6}{len(groups):6}"
            + "".join(f"{counts.get(label, 0):16}" for label in labels)
        )


def cost(batches: BatchSampler | PipelineSampler) -> float:
    """Return the microseconds that a batch takes, over an epoch."""
    start = time.perf_counter()
    count = sum(1 for _ in batches)
    return (time.perf_counter() - start) / count * 1e6


def main() -> None:
    """Build the sampler, show its batches, train, and measure."""
    arguments = parse_arguments()
    table, hours = read_table(arguments)
    window = [] if hours is None else [TemporalEnricher(by=hours, half_width=2.0)]
    chain = [
        ExperimentSelector(by=arguments.experiment),
        LeakMixer(arguments.leak),
        ConditionBalancer(by=arguments.condition),
        *window,
        Drawer(),
    ]
    start = time.perf_counter()
    sampler = PipelineSampler(table, chain, arguments.batch_size, seed=arguments.seed)
    print(f"{sampler.plan.index} read in {time.perf_counter() - start:.2f} s")

    columns = arguments.experiment, arguments.condition
    plain = BatchSampler(RandomSampler(table.index), arguments.batch_size, drop_last=True)
    show("structured", [sampler.batch(step) for step in range(6)], table, *columns)
    show("plain shuffling", islice(plain, 6), table, *columns)
    print()
    train(sampler, Features(table, *columns), arguments.epochs, arguments.steps)

    structured, shuffled = cost(sampler), cost(plain)
    print(
        f"\na batch, over an epoch of {len(sampler)}: structured {structured:.1f} us, "
        f"plain shuffling {shuffled:.1f} us, ratio {structured / shuffled:.2f}"
    )


if __name__ == "__main__":
    main()
