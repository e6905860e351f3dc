"""Run alone or by torchrun: train by the recipe of docs/hosts/transformers.md, and leave what this rank saw."""

import sys
from pathlib import Path
from typing import Any

import torch
from launch import write
from pages import recipe
from screen import BATCH_SIZE, Batch, Net, Rows, make_sampler
from transformers import TrainerCallback, TrainingArguments

from batchwright.hosts import check

folder = Path(sys.argv[1])
PlannedTrainer = recipe("transformers").PlannedTrainer


class LossNet(Net):
    """The model, as the Trainer wants it."""

    def forward(self, rows: torch.Tensor) -> dict[str, torch.Tensor]:  # type: ignore[override]
        return {"loss": super().forward(rows)}


class StopAt(TrainerCallback):
    """Save and stop after some steps."""

    def __init__(self, step: int) -> None:
        self.step = step

    def on_step_end(self, _: Any, state: Any, control: Any, **__: Any) -> None:
        control.should_save = control.should_training_stop = state.global_step == self.step


def collate(rows: Batch) -> dict[str, torch.Tensor]:
    return {"rows": torch.tensor(rows)}


def train(place: Path, *callbacks: TrainerCallback, resume_from: Path | None = None, **settings: Any) -> list[Batch]:
    """Return what this rank was trained on in two epochs, or until a callback stops it."""
    arguments = TrainingArguments(
        str(place),
        per_device_train_batch_size=BATCH_SIZE,
        num_train_epochs=2,
        save_strategy="no",
        report_to="none",
        use_cpu=True,
        disable_tqdm=True,
        **settings,
    )
    net, sampler = LossNet(), make_sampler()
    trainer = PlannedTrainer(
        net, arguments, sampler=sampler, train_dataset=Rows(), data_collator=collate, callbacks=list(callbacks)
    )
    check(trainer.get_train_dataloader())
    trainer.train(resume_from_checkpoint=resume_from and str(resume_from))
    return net.seen


def stop_and_resume(place: Path, step: int, **settings: Any) -> list[Batch]:
    before = train(place, StopAt(step), **settings)
    return before + train(place, resume_from=place / f"checkpoint-{step}", **settings)


rank = TrainingArguments(str(folder), use_cpu=True, report_to="none").process_index
cases = {
    "whole": lambda: train(folder),
    "in-epoch-0": lambda: stop_and_resume(folder / "0", 4),
    "in-epoch-1": lambda: stop_and_resume(folder / "1", int(sys.argv[2])),
    "workers": lambda: stop_and_resume(folder / "w", int(sys.argv[2]) + 1, dataloader_num_workers=1),
    "at-the-end-of-epoch-0": lambda: stop_and_resume(folder / "e", int(sys.argv[2]) - 2),
    "accumulated": lambda: stop_and_resume(folder / "a", int(sys.argv[2]) // 2 + 1, gradient_accumulation_steps=2),
}
for name, case in cases.items():
    write(folder, name, rank, case())
if torch.distributed.is_initialized():
    torch.distributed.destroy_process_group()
