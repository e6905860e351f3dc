"""Lightning's other ways to loaders: hooks, stateful loaders, validation, prediction, fixed batches; and Fabric."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from launch import run
from lightning.fabric import Fabric
from lightning.pytorch import LightningDataModule, Trainer
from ranks_lightning import EPOCHS, PAGE, QUIET, Trained, every, kept
from screen import STEPS, Batch, BulkRows, Net, Rows, make_sampler, planned
from torch.utils.data import DataLoader
from torchdata.stateful_dataloader import StatefulDataLoader

from batchwright import PipelineSampler

WHOLE = planned(range(EPOCHS))
SETTINGS = {"use_distributed_sampler": False, "max_epochs": EPOCHS} | QUIET


class Recorder(PAGE.Module):
    """The module of the page; it notes what it validates, and predicts what it is given."""

    def __init__(self) -> None:
        super().__init__(Net())
        self.validated: list[Batch] = []

    def validation_step(self, batch: torch.Tensor) -> None:
        self.validated.append(batch.tolist())

    def predict_step(self, batch: torch.Tensor) -> Batch:
        return batch.tolist()


class Data(LightningDataModule):
    """Makes its loader and its sampler anew whenever it is asked."""

    def train_dataloader(self) -> DataLoader[int]:
        return DataLoader(BulkRows(), batch_sampler=make_sampler(), num_workers=2)


class Opaque:
    """A loader behind which no sampler can be seen, and no length."""

    def __init__(self, sampler: PipelineSampler) -> None:
        self.draw = DataLoader(Rows(), batch_sampler=sampler).__iter__

    def __iter__(self) -> Iterator[torch.Tensor]:
        return self.draw()


def in_hook() -> tuple[Any, Any]:
    return Data(), PAGE.SamplerState()


def opaque() -> tuple[Any, Any]:
    sampler = make_sampler()
    return Opaque(sampler), PAGE.SamplerState(sampler)


def stateful() -> tuple[Any, Any]:
    return StatefulDataLoader(Rows(), batch_sampler=make_sampler(), num_workers=2), PAGE.SamplerState()


@pytest.mark.parametrize("make", [in_hook, opaque, stateful])
@pytest.mark.parametrize("when", [{"every_n_train_steps": 1}, {"every_n_epochs": 1, "save_on_train_epoch_end": True}])
def test_other_loaders_are_resumed_alike(
    make: Callable[[], tuple[Any, Any]], when: dict[str, Any], tmp_path: Path
) -> None:
    """Made in a hook, made anew for each epoch, hidden, with a state of its own: the callback decides."""

    def fit(path: Path | None, *keep: Any) -> list[Batch]:
        module, (data, state) = Recorder(), make()
        settings = SETTINGS | {
            "reload_dataloaders_every_n_epochs": int(make is in_hook),
            "enable_checkpointing": bool(keep),
        }
        Trainer(callbacks=[state, *keep], **settings).fit(module, data, ckpt_path=path)
        return module.model.seen

    assert fit(None, Trained(), every(tmp_path, **when)) == WHOLE
    for trained, path in kept(tmp_path).items():
        if trained in (3, 10, 11, 12, 22):
            assert fit(path) == WHOLE[trained:]


@pytest.mark.parametrize("num_workers", [0, 2])
def test_a_stateful_loader_is_exact_within_an_epoch_without_the_callback(num_workers: int, tmp_path: Path) -> None:
    """Its own state is that of the batches that were delivered, not of those that were asked for."""

    def fit(path: Path | None, *keep: Any) -> list[Batch]:
        module, loader = Recorder(), StatefulDataLoader(Rows(), batch_sampler=make_sampler(), num_workers=num_workers)
        Trainer(callbacks=list(keep), **SETTINGS, enable_checkpointing=bool(keep)).fit(module, loader, ckpt_path=path)
        return module.model.seen

    assert fit(None, Trained(), every(tmp_path, every_n_train_steps=4)) == WHOLE
    for trained, path in kept(tmp_path).items():
        assert fit(path) == WHOLE[trained:]


def test_validation_sees_the_batches_of_the_training_epoch() -> None:
    """Lightning sets the epoch of validation loaders, too; validated alone, it is the first one."""
    module, validation = Recorder(), DataLoader(Rows(), batch_sampler=make_sampler())
    trainer = Trainer(**SETTINGS, enable_checkpointing=False, num_sanity_val_steps=0)
    trainer.fit(module, DataLoader(Rows(), batch_sampler=make_sampler(seed=8)), validation)
    assert module.validated == WHOLE
    assert module.model.seen == planned(range(EPOCHS), seed=8)
    module.validated.clear()
    Trainer(**QUIET).validate(module, validation)
    assert module.validated == planned(range(1))


@pytest.mark.parametrize("num_workers", [0, 2])
def test_prediction_leaves_the_sampler_as_it_is(num_workers: int) -> None:
    """Lightning wraps batch samplers for prediction; ours is not made anew, which would lose its arguments."""
    sampler = make_sampler()
    loader = DataLoader(Rows(), batch_sampler=sampler, num_workers=num_workers)
    for epoch in (0, 2, 2):
        sampler.set_epoch(epoch)
        assert Trainer(**QUIET).predict(Recorder(), loader) == planned(range(epoch, epoch + 1))


def test_fixed_batches_stay() -> None:
    """The same batches in each epoch, to overfit or to validate."""
    module = Recorder()
    loader = PAGE.fixed_loader(Rows(), make_sampler(), batches=2)
    Trainer(**SETTINGS, enable_checkpointing=False, overfit_batches=2).fit(module, loader)
    assert module.model.seen == EPOCHS * WHOLE[:2]


def fabric(start: tuple[int, int] = (0, 0), stop: int | None = None, num_workers: int = 0) -> list[Batch]:
    """Return what is trained on by the recipe for Fabric, from a start on and for so many batches."""
    net = Net()
    host = Fabric(accelerator="cpu", devices=1)
    batches = PAGE.train_with_fabric(host, net, Rows(), make_sampler(), EPOCHS, start, num_workers)
    for number, _ in enumerate(batches, 1):
        if number == stop:
            break
    return net.seen


@pytest.mark.parametrize("num_workers", [0, 2])
@pytest.mark.parametrize("stop", [1, 10, 11, 15])
def test_fabric_goes_on_where_it_stopped(stop: int, num_workers: int) -> None:
    """By the number of batches that were trained."""
    begun = fabric(stop=stop, num_workers=num_workers)
    assert begun + fabric(divmod(stop, STEPS), num_workers=num_workers) == WHOLE


def test_a_loader_that_fabric_sets_up_begins_at_the_first_epoch() -> None:
    """Fabric counts epochs by itself, which is the plan, but not what a resumed run wants."""
    sampler = make_sampler()
    host, loader = Fabric(accelerator="cpu", devices=1), DataLoader(Rows(), batch_sampler=sampler)
    fresh = host.setup_dataloaders(loader)
    assert [batch.tolist() for _ in range(EPOCHS) for batch in fresh] == WHOLE
    sampler.seek(epoch=1, step=4)
    assert [batch.tolist() for batch in host.setup_dataloaders(loader)] == WHOLE[:STEPS]


ALONE = """
import sys
sys.modules["lightning"] = None  # As if it were not installed.
import pytorch_lightning
import batchwright.hosts.lightning
sys.modules["lightning.pytorch"] = pytorch_lightning  # For the imports of the page.
sys.path.insert(0, sys.argv[1])
from pages import recipe
from screen import Net, Rows, make_sampler, planned
net = Net()
settings = {"max_epochs": 2, "logger": False, "enable_checkpointing": False}
recipe("lightning").train(net, Rows(), make_sampler(), num_workers=2, **settings)
assert isinstance(batchwright.hosts.lightning.SamplerState(), pytorch_lightning.Callback)
assert net.seen == planned(range(2))
"""


def test_pytorch_lightning_will_do_alone() -> None:
    """Where the same trainer is installed under its older name only."""
    run("-c", ALONE, str(Path(__file__).parent))
