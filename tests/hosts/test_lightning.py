"""Lightning in one process, by the recipe of docs/hosts/lightning.md: what is trained on, also by resumed runs."""

from pathlib import Path
from typing import Any

import pytest
import torch
from lightning.pytorch import Trainer
from lightning.pytorch.callbacks import Callback, ModelCheckpoint, OnExceptionCheckpoint
from ranks_lightning import EPOCHS, PAGE, QUIET, every, fit, kept
from screen import STEPS, Batch, Net, Rows, make_sampler, planned
from torch.utils.data import DataLoader

from batchwright import LoaderError, StateError

WHOLE = planned(range(EPOCHS))
EACH = {"every_n_train_steps": 1}
ENDS = {"every_n_epochs": 1, "save_on_train_epoch_end": True}
# Where to stop: within an epoch, before its last batch, after it, and after the first of the next one.
STOPS = (4, 10, 11, 12)


def validation() -> DataLoader[int]:
    return DataLoader(Rows(), batch_size=20)


def whole(steps: int) -> list[Batch]:
    """Return all batches where so many steps are made of each epoch."""
    return [batch for epoch in range(EPOCHS) for batch in planned(range(epoch, epoch + 1))[:steps]]


@pytest.mark.parametrize("num_workers", [0, 2])
def test_epochs_differ_and_are_the_planned_ones(num_workers: int) -> None:
    """What is trained on is what stands at the addresses, epoch by epoch."""
    assert fit(num_workers=num_workers) == WHOLE
    assert WHOLE[:STEPS] != WHOLE[STEPS : 2 * STEPS]


def test_a_sampler_that_was_used_before_begins_where_the_trainer_does() -> None:
    """The trainer's count decides, also over batches that workers have asked for before, and in a second fit."""
    sampler, net = make_sampler(), Net()
    sampler.seek(epoch=5, step=3)
    trainer = PAGE.train(net, Rows(), sampler, num_workers=2, max_epochs=1, enable_checkpointing=False, **QUIET)
    trainer.fit_loop.max_epochs = EPOCHS
    trainer.fit(PAGE.Module(net), trainer.train_dataloader)
    assert net.seen == WHOLE


@pytest.mark.parametrize("num_workers", [0, 2])
@pytest.mark.parametrize(
    ("when", "settings", "steps"),
    [
        (EACH, {}, STEPS),
        (EACH, {"accumulate_grad_batches": 2}, STEPS),
        (EACH, {"limit_train_batches": 4}, 4),
        (EACH, {"limit_train_batches": 0.5}, 5),
        (EACH, {"max_epochs": -1, "max_steps": EPOCHS * STEPS}, STEPS),
        (EACH, {"validation": validation(), "val_check_interval": 5}, STEPS),
        ({}, {"validation": validation(), "val_check_interval": 0.5}, STEPS),  # In validations and at ends of epochs.
        (ENDS, {}, STEPS),
        (ENDS, {"max_epochs": -1, "max_steps": EPOCHS * STEPS, "validation": validation()}, STEPS),
        (ENDS, {"reload_dataloaders_every_n_epochs": 1}, STEPS),
    ],
)
def test_a_resumed_run_goes_on_with_the_next_batch(
    when: dict[str, Any], settings: dict[str, Any], steps: int, num_workers: int, tmp_path: Path
) -> None:
    """Wherever a checkpoint is made, what was trained before and after it is what an undisturbed run is trained on."""
    assert fit(None, every(tmp_path, **when), num_workers=num_workers, **settings) == whole(steps)
    checkpoints = kept(tmp_path)
    assert len(checkpoints) >= EPOCHS
    for trained, path in checkpoints.items():
        if when != EACH or trained in STOPS:
            assert fit(path, num_workers=num_workers, **settings) == whole(steps)[trained:]


@pytest.mark.parametrize("stop", [1, 10, 11, 12, 22])
def test_a_run_that_was_resumed_can_be_resumed(stop: int, tmp_path: Path) -> None:
    """Positions are right also after a resumption, at the last batch of an epoch too."""
    fit(None, every(tmp_path / "first", **EACH))
    fit(kept(tmp_path / "first")[stop], every(tmp_path / "second", **EACH))
    again = kept(tmp_path / "second")
    assert len(again) == len(WHOLE) - stop
    for trained, path in again.items():
        assert fit(path) == WHOLE[stop + trained :]


class Stop(Callback):
    """Stops a trainer early."""

    def __init__(self, after: int) -> None:
        self.after = after

    def on_train_batch_end(self, trainer: Trainer, *_: Any) -> None:
        trainer.should_stop = trainer.global_step == self.after


@pytest.mark.parametrize("stop", STOPS)
@pytest.mark.parametrize("then", [{"max_epochs": EPOCHS}, {"max_epochs": -1, "max_steps": EPOCHS * STEPS}])
@pytest.mark.parametrize("early", [False, True])
def test_a_run_that_was_cut_is_finished(early: bool, then: dict[str, int], stop: int, tmp_path: Path) -> None:
    """Where `max_steps` or an early stop has cut an epoch, the run that resumes it does the rest."""
    net, path = Net(), tmp_path / "cut.ckpt"
    cut = {"max_steps": -1 if early else stop, "max_epochs": -1, "enable_checkpointing": False}
    PAGE.train(net, Rows(), make_sampler(), callbacks=[Stop(stop)] if early else [], **cut, **QUIET).save_checkpoint(
        path
    )
    assert net.seen == WHOLE[:stop]
    assert fit(path, **then) == WHOLE[stop:]


class Crash(Net):
    """Fails where it should be trained on one batch more."""

    def __init__(self, after: int) -> None:
        super().__init__()
        self.after = after

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        if len(self.seen) == self.after:
            raise InterruptedError
        return super().forward(rows)


@pytest.mark.parametrize("after", [0, 4, 10, 11, 21, 22])
def test_a_crashed_run_goes_on_with_the_batch_it_crashed_at(after: int, tmp_path: Path) -> None:
    """The batch that was begun and not trained comes again, also the first and the last one of an epoch."""
    crash, checkpoint = Crash(after), OnExceptionCheckpoint(tmp_path, "crash")
    with pytest.raises(InterruptedError):
        PAGE.train(crash, Rows(), make_sampler(), callbacks=[checkpoint], max_epochs=EPOCHS, **QUIET)
    assert crash.seen + fit(tmp_path / "crash.ckpt") == WHOLE


@pytest.mark.parametrize("num_workers", [0, 2])
def test_a_second_fit_begins_the_next_epoch(num_workers: int) -> None:
    """Where `max_steps` has cut an epoch, the trainer does not go back to it by itself."""
    net = Net()
    cut = {"max_steps": 5, "enable_checkpointing": False}
    trainer = PAGE.train(net, Rows(), make_sampler(), num_workers, **cut, **QUIET)
    trainer.fit_loop.epoch_loop.max_steps = 20
    trainer.fit(PAGE.Module(net), trainer.train_dataloader)
    assert net.seen == [*WHOLE[:5], *WHOLE[STEPS : STEPS + 15]]


@pytest.mark.parametrize("num_workers", [0, 2])
def test_a_checkpoint_made_without_the_callback_is_resumed_by_the_count_of_the_trainer(
    num_workers: int, tmp_path: Path
) -> None:
    """The callback may be added late; an epoch that was cut counts as the trainer counts it."""
    keep = ModelCheckpoint(tmp_path, "{step}", save_top_k=-1, every_n_train_steps=8)
    trainer = Trainer(max_steps=16, max_epochs=-1, callbacks=[keep], **QUIET)
    trainer.fit(PAGE.Module(Net()), DataLoader(Rows(), batch_sampler=make_sampler()))
    trainer.save_checkpoint(tmp_path / "cut.ckpt")
    for name, trained in (("step=8", 8), ("step=16", 16), ("cut", 2 * STEPS)):
        assert fit(tmp_path / f"{name}.ckpt", num_workers=num_workers) == WHOLE[trained:]


def test_a_run_that_was_validated_after_its_end_keeps_its_position(tmp_path: Path) -> None:
    """It began in the middle of a round of two ranks, which the trainer's count does not show."""
    fit(None, every(tmp_path, **EACH), max_steps=3)
    sampler, cut = make_sampler(num_replicas=2, rank=0), {"max_steps": 5, "enable_checkpointing": False}
    trainer = PAGE.train(Net(), Rows(), sampler, resume=kept(tmp_path)[3], **cut, **QUIET)
    trainer.validate(PAGE.Module(Net()), validation(), verbose=False)
    trainer.save_checkpoint(tmp_path / "later.ckpt")
    assert fit(tmp_path / "later.ckpt") == WHOLE[3 + 2 * 2 :]


def test_a_run_that_fails_before_it_trains_has_no_position(tmp_path: Path) -> None:
    """Where a callback serves another run, nothing of the sampler before is written into its checkpoints."""

    class Refuse(Callback):
        def on_sanity_check_start(self, *_: Any) -> None:
            raise InterruptedError

    state, path = PAGE.SamplerState(), tmp_path / "early.ckpt"
    settings = {"max_epochs": 1, "enable_checkpointing": False} | QUIET
    Trainer(callbacks=[state], **settings).fit(PAGE.Module(Net()), DataLoader(Rows(), batch_sampler=make_sampler()))
    trainer = Trainer(callbacks=[state, Refuse()], **settings)
    with pytest.raises(InterruptedError):
        trainer.fit(PAGE.Module(Net()), DataLoader(Rows(), batch_sampler=make_sampler(seed=8)), validation())
    trainer.save_checkpoint(path)
    assert "batchwright" not in torch.load(path, weights_only=False)


def test_a_foreign_checkpoint_is_refused(tmp_path: Path) -> None:
    """A position in batches of another seed means nothing."""
    fit(None, every(tmp_path, every_n_train_steps=8))
    with pytest.raises(StateError, match="seed=7 for 8"):
        PAGE.train(Net(), Rows(), make_sampler(seed=8), resume=kept(tmp_path)[8], max_epochs=EPOCHS, **QUIET)


@pytest.mark.parametrize("kept_entries", [[], ["version", "epoch"], ["step", "checksum"]], ids=str)
def test_a_checkpoint_that_lost_a_part_of_the_position_is_refused(tmp_path: Path, kept_entries: list[str]) -> None:
    """Nothing is guessed in its place."""
    fit(None, every(tmp_path, every_n_train_steps=8))
    path = kept(tmp_path)[8]
    checkpoint = torch.load(path, weights_only=False)
    checkpoint["batchwright"] = {name: checkpoint["batchwright"][name] for name in kept_entries}
    torch.save(checkpoint, path)
    with pytest.raises(StateError):
        fit(path)


def test_an_epoch_past_its_new_limit_is_refused(tmp_path: Path) -> None:
    """Where less is asked of an epoch than was trained of it, nobody can say what should come next."""
    fit(None, every(tmp_path, every_n_train_steps=8))
    with pytest.raises(StateError, match="8 of 4 are done"):
        fit(kept(tmp_path)[8], limit_train_batches=4)
    assert fit(kept(tmp_path)[8], limit_train_batches=9) == [*WHOLE[8:9], *whole(9)[9:]]


def test_several_training_loaders_are_refused() -> None:
    """One count says nothing of where each of them is."""
    loaders = [DataLoader(Rows(), batch_sampler=make_sampler()) for _ in range(2)]
    trainer = Trainer(callbacks=[PAGE.SamplerState()], enable_checkpointing=False, **QUIET)
    with pytest.raises(LoaderError, match="0 of them stand behind this one"):
        trainer.fit(PAGE.Module(Net()), loaders)
