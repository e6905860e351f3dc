"""A training run that is going to be killed, and a model that remembers all its lives."""

from typing import Any

import torch
from pages import recipe
from screen import BATCH_SIZE, Batch, Net, Rows, make_sampler
from torch.utils.data import DataLoader
from torchdata.stateful_dataloader import StatefulDataLoader

STEPS = 200
EPOCHS = 3
EVERY = 3
PAGE = recipe("faults")
LOADERS: dict[str, Any] = {"plain": (DataLoader, PAGE.train), "stateful": (StatefulDataLoader, PAGE.train_stateful)}

torch.set_num_threads(1)


class Diary(Net):
    """A model whose state holds all that it was trained on: what its checkpoint says is what counts."""

    def __init__(self, steps: int) -> None:
        super().__init__()
        self.register_buffer("pages", torch.full((steps, BATCH_SIZE), -1))
        self.register_buffer("written", torch.zeros((), dtype=torch.int64))

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        """Return a loss, and write the rows down."""
        self.write_down(rows)
        return super().forward(rows)

    def write_down(self, rows: torch.Tensor) -> None:
        """Add a batch to what was trained on."""
        self.pages[self.written] = rows
        self.written += 1


def train(kind: str, path: Any, workers: int) -> Diary:
    """Train by the page, from the last checkpoint on."""
    make_loader, run = LOADERS[kind]
    diary = Diary(EPOCHS * STEPS)
    loader = make_loader(Rows(), batch_sampler=make_sampler(num_batches=STEPS), num_workers=workers)
    run(diary, loader, EPOCHS, path, EVERY)
    return diary


def planned() -> list[Batch]:
    """Return all that has to be trained on, in order."""
    sampler = make_sampler(num_batches=STEPS)
    return [sampler.batch(step, epoch) for epoch in range(EPOCHS) for step in range(STEPS)]
