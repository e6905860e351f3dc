"""`check` before the loaders that hosts really make, in one process."""

from typing import Any

import pytest
import torch
from accelerate import skip_first_batches
from accelerate.data_loader import prepare_data_loader
from lightning import Fabric, LightningModule, Trainer
from lightning.fabric.utilities.distributed import DistributedSamplerWrapper
from monai.data import ThreadDataLoader
from screen import Rows, make_sampler
from torch.utils.data import DataLoader
from torchdata.stateful_dataloader import StatefulDataLoader

from batchwright import PipelineSampler
from batchwright.errors import LoaderError
from batchwright.hosts import check, find_sampler
from batchwright.hosts.accelerate import prepare_loader

TWO_RANKS = {"num_replicas": 2, "rank": 0}
EVEN = {"num_replicas": 1, "num_batches": 12, "batch_size": 6}


def load(kind: Any = DataLoader, **settings: Any) -> Any:
    return kind(Rows(), batch_sampler=make_sampler(**settings))


def shard(**settings: Any) -> Any:
    """Return what accelerate makes in the first of two processes."""
    return prepare_data_loader(load(**EVEN), num_processes=2, process_index=0, **settings)


def mend(loader: Any) -> Any:
    """Show the sampler to those who set epochs."""
    loader.batch_sampler.sampler = find_sampler(loader)
    return loader


def fit() -> Any:
    """Return the loader that a Trainer of Lightning holds."""

    class Model(LightningModule):
        def training_step(self, *_: Any) -> None: ...

        def configure_optimizers(self) -> None: ...

    trainer = Trainer(
        accelerator="cpu",
        max_epochs=1,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    trainer.fit(Model(), load())
    return trainer.train_dataloader


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(load, id="torch"),
        pytest.param(lambda: DataLoader(Rows(), sampler=make_sampler(), batch_size=None), id="torch, sampler="),
        pytest.param(lambda: load(StatefulDataLoader, **TWO_RANKS), id="torchdata"),
        pytest.param(lambda: load(ThreadDataLoader, **TWO_RANKS), id="monai"),
        pytest.param(lambda: prepare_loader(load(**TWO_RANKS)), id="accelerate, prepare_loader"),
        pytest.param(lambda: prepare_loader(load(StatefulDataLoader)), id="accelerate, stateful"),
        pytest.param(lambda: skip_first_batches(prepare_loader(load(**TWO_RANKS)), 3), id="accelerate, skipping"),
        pytest.param(shard, id="accelerate, sharded"),
        pytest.param(lambda: mend(skip_first_batches(shard(), 3)), id="accelerate, sharded, skipping"),
        pytest.param(lambda: Fabric(accelerator="cpu", devices=1).setup_dataloaders(load()), id="fabric"),
        pytest.param(fit, id="lightning"),
    ],
)
def test_what_recipes_make_raises_no_alarm(make: Any) -> None:
    """Every loader that delivers what is planned passes, and its sampler is found."""
    loader = make()
    check(loader)
    assert isinstance(find_sampler(loader), PipelineSampler)


@pytest.mark.parametrize(
    ("make", "fault"),
    [
        pytest.param(
            lambda: prepare_data_loader(load(**TWO_RANKS), num_processes=2, process_index=0),
            "BatchSamplerShard divides the batches of one rank among 2 processes",
            id="accelerate, sharded twice",
        ),
        pytest.param(
            lambda: prepare_data_loader(load(num_replicas=1), num_processes=2, process_index=1),
            "BatchSamplerShard repeats batches where 2 processes share 11 batches",
            id="accelerate, evened out",
        ),
        pytest.param(
            lambda: prepare_data_loader(load(num_replicas=1), num_processes=2, process_index=1, even_batches=False),
            "BatchSamplerShard is uneven where 2 processes share 11 batches",
            id="accelerate, uneven",
        ),
        pytest.param(
            lambda: shard(split_batches=True),
            "BatchSamplerShard cuts each batch into 2 parts",
            id="accelerate, split",
        ),
        pytest.param(
            lambda: skip_first_batches(shard(), 3),
            "set_epoch does not reach the sampler through BatchSamplerShard",
            id="accelerate, sharded, skipping",
        ),
        pytest.param(
            lambda: skip_first_batches(load(), 3),
            "set_epoch does not reach the sampler through SkipBatchSampler",
            id="torch, skipping",
        ),
        pytest.param(
            lambda: prepare_data_loader(DataLoader(Rows(), sampler=make_sampler(), batch_size=None)),
            "a host has put another in the place (DataLoaderShard)",
            id="accelerate, lost",
        ),
        pytest.param(
            lambda: DataLoader(
                Rows(), sampler=DistributedSamplerWrapper(make_sampler(num_replicas=1), 2, 0), batch_size=None
            ),
            "DistributedSamplerWrapper deals batches out among 2 processes",
            id="lightning, wrapped",
        ),
    ],
)
def test_what_hosts_do_to_a_sampler_is_found(make: Any, fault: str) -> None:
    """Every default that breaks what is planned is named."""
    with pytest.raises(LoaderError) as raised:
        check(make())
    assert fault in str(raised.value)


def test_a_loader_is_put_where_it_is_told() -> None:
    """A device that is passed wins over accelerate's own."""
    batch = next(iter(prepare_loader(load(), torch.device("meta"))))
    assert batch.device.type == "meta"
