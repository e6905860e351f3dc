"""What every host is given: a small screen, a chain over it, its rows as a dataset, a model that notes what it sees."""

from typing import Any

import pandas as pd
import torch
from torch.utils.data import Dataset

from batchwright import ConditionBalancer, Drawer, ExperimentSelector, LeakMixer, PipelineSampler

BATCH_SIZE = 5
STEPS = 11  # Odd, so that two ranks have to be evened out.

Batch = list[int]


def table() -> pd.DataFrame:
    """Return 60 rows of three unequal experiments, two conditions each."""
    names = ["a"] * 30 + ["b"] * 20 + ["c"] * 10
    return pd.DataFrame({"experiment": names, "condition": ["mock", "virus", "virus"] * 20})


def make_sampler(**settings: Any) -> PipelineSampler:
    """Return a sampler with a leak and a balance; its settings may be overruled."""
    chain = [ExperimentSelector(), LeakMixer(0.2), ConditionBalancer(), Drawer()]
    return PipelineSampler(table(), chain, **{"batch_size": BATCH_SIZE, "num_batches": STEPS, "seed": 7} | settings)


def planned(epochs: range, rank: int = 0, ranks: int = 1, **settings: Any) -> list[Batch]:
    """Return what a rank has to see in some epochs, one after another: read off by address, not by iterating."""
    sampler = make_sampler(**settings)
    filled = make_sampler(**{"num_batches": STEPS + ranks} | settings)  # For steps that fill the last round.
    rounds = -(-STEPS // ranks)
    steps = range(rank, rounds * ranks, ranks)
    return [(sampler if step < STEPS else filled).batch(step, epoch) for epoch in epochs for step in steps]


class Rows(Dataset[int]):
    """Rows that are their own numbers, one by one."""

    def __len__(self) -> int:
        return len(table())

    def __getitem__(self, row: int) -> int:
        return row


class BulkRows(Rows):
    """The same, many at a time; it takes lists of Python ints only."""

    def __getitems__(self, rows: Batch) -> Batch:
        """Return the rows as they were asked for."""
        if type(rows) is not list or not all(type(row) is int for row in rows):
            raise TypeError(rows)
        return rows


class Net(torch.nn.Module):
    """A model of one weight that notes every batch it is trained on."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(()))
        self.seen: list[Batch] = []

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        """Return a loss over a batch of row numbers."""
        if self.training:
            self.seen.append(rows.tolist())
        return (self.weight * rows.float() / len(table())).square().mean()
