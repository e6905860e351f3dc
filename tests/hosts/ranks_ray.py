"""Train by the recipe of docs/hosts/ray.md in two workers that fail once, and leave what each of them saw."""

import json
import sys
from pathlib import Path
from typing import Any

import ray
import torch
from launch import write
from pages import recipe
from ray.train import FailureConfig, RunConfig, ScalingConfig, get_context
from ray.train.torch import TorchTrainer, prepare_data_loader
from screen import Net, Rows, make_sampler
from torch.utils.data import DataLoader

from batchwright.errors import LoaderError
from batchwright.hosts import check


class FailingNet(Net):
    """The model; it notes what it is trained on where a failure does not reach, and fails in place of one batch."""

    def __init__(self, file: Path, fail_at: int) -> None:
        super().__init__()
        self.file = file
        self.seen = json.loads(file.read_text()) if file.exists() else []
        self.fail_at = fail_at if not self.seen else None

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        if len(self.seen) == self.fail_at:
            msg = "A worker fails."
            raise RuntimeError(msg)
        loss = super().forward(rows)
        self.file.write_text(json.dumps(self.seen))
        return loss


def train(settings: dict[str, Any]) -> None:
    """Train two epochs, and fail once on the way; note what is said of a loader that is prepared by default."""
    folder, rank = settings["folder"], get_context().get_world_rank()
    try:
        check(prepare_data_loader(DataLoader(Rows(), batch_sampler=make_sampler())))
    except LoaderError as error:
        write(folder, "refusal", rank, str(error))
    net = FailingNet(Path(folder, f"seen-{rank}.json"), fail_at=8)
    recipe("ray").train(net, Rows(), make_sampler(), epochs=2, save_every=2)
    write(folder, "runs", rank, "resumed" if net.fail_at is None else "undisturbed")


if __name__ == "__main__":
    folder = sys.argv[1]
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    try:
        TorchTrainer(
            train,
            train_loop_config={"folder": folder},
            scaling_config=ScalingConfig(num_workers=2),
            run_config=RunConfig(storage_path=f"{folder}/ray", failure_config=FailureConfig(max_failures=1)),
        ).fit()
    finally:
        ray.shutdown()
