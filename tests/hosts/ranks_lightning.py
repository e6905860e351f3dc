"""Train by the recipe of docs/hosts/lightning.md; run as a script, in two processes, and leave what each rank saw."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from launch import write
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.callbacks import ModelCheckpoint
from pages import recipe
from screen import Batch, Net, Rows, make_sampler
from torch.utils.data import DataLoader

EPOCHS = 3
PAGE = recipe("lightning")
QUIET = {"logger": False, "enable_progress_bar": False, "enable_model_summary": False, "accelerator": "cpu"}
PAIR = {"devices": 2, "strategy": "ddp"}


class Trained(Callback):
    """Notes in a checkpoint how many batches the model has been trained on, by the model's own count."""

    def on_save_checkpoint(self, trainer: Trainer, module: LightningModule, checkpoint: dict[str, Any]) -> None:  # noqa: ARG002
        checkpoint["trained"] = len(module.model.seen)


def fit(
    resume: Path | None = None, keep: ModelCheckpoint | None = None, net: Net | None = None, **settings: Any
) -> list[Batch]:
    """Return what this process is trained on by the recipe, for some epochs if nothing else is said."""
    net = net or Net()
    callbacks = [Trained(), keep] if keep else []
    settings = {**QUIET, "max_epochs": EPOCHS, "enable_checkpointing": bool(keep)} | settings
    PAGE.train(net, Rows(), make_sampler(), resume=resume, callbacks=callbacks, **settings)
    return net.seen


def every(folder: Path, **when: Any) -> ModelCheckpoint:
    """Return a callback that makes checkpoints and keeps them all."""
    return ModelCheckpoint(folder, "{step}", save_top_k=-1, **when)


def kept(folder: Path) -> dict[int, Path]:
    """Return the checkpoints in a folder by how many batches had been trained on."""
    paths = {torch.load(path, weights_only=False)["trained"]: path for path in folder.glob("*.ckpt")}
    return dict(sorted(paths.items()))


def refusals() -> Iterator[str]:
    """Give what is said where Lightning is left to divide batches among ranks."""
    for how in ({"batch_sampler": make_sampler()}, {"sampler": make_sampler(), "batch_size": None}):
        trainer = Trainer(callbacks=[PAGE.SamplerState()], enable_checkpointing=False, **QUIET, **PAIR)
        try:
            trainer.fit(PAGE.Module(Net()), DataLoader(Rows(), **how))
        except (TypeError, ValueError) as error:
            yield f"{type(error).__name__}: {error}"


def main(folder: Path, *checkpoints: Path) -> None:
    """Train from the start and on from all checkpoints: those made here, and others."""
    seen = fit(keep=every(folder, every_n_train_steps=1), **PAIR)
    rank = torch.distributed.get_rank()
    write(folder, "seen", rank, seen)
    if not checkpoints:
        return
    resumed = {str(path): fit(path, **PAIR) for path in kept(folder).values()}
    resumed |= {str(path): fit(path, num_workers=2, **PAIR) for path in checkpoints[1:]}
    # The first of the others is kept again, to be resumed by one process.
    resumed |= {
        str(path): fit(path, every(folder / "again", every_n_train_steps=1), **PAIR) for path in checkpoints[:1]
    }
    write(folder, "resumed", rank, resumed)
    write(folder, "refusals", rank, list(refusals()))


class Left(Callback):
    """Leaves what a rank saw, since a process that was spawned gives back nothing."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def on_fit_end(self, trainer: Trainer, module: LightningModule) -> None:
        write(self.folder, "spawned", trainer.global_rank, module.model.seen)


def spawn(folder: Path) -> None:
    """Train in two processes to which the sampler is sent, after an epoch here."""
    sampler = make_sampler()
    assert len(list(sampler)) == len(sampler)
    settings = {"max_epochs": EPOCHS, "enable_checkpointing": False, "devices": 2, "strategy": "ddp_spawn"} | QUIET
    PAGE.train(Net(), Rows(), sampler, callbacks=[Left(folder)], **settings)


if __name__ == "__main__":
    if sys.argv[1] == "spawn":
        spawn(Path(sys.argv[2]))
    else:
        main(*map(Path, sys.argv[1:]))
