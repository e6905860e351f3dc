"""torch's DataLoader: workers of every kind, epochs, whole batches, and resuming by the trainer's own count."""

import pickle
from itertools import islice
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from pages import recipe
from screen import STEPS, Batch, BulkRows, Net, Rows, make_sampler, planned
from torch.utils.data import DataLoader

from batchwright import PipelineSampler
from batchwright.errors import LoaderError
from batchwright.hosts import check

PAGE = recipe("torch")
PERSISTENT = {"num_workers": 2, "persistent_workers": True}
WORKERS: dict[str, dict[str, Any]] = {"none": {}, "two": {"num_workers": 2}, "persistent": PERSISTENT}


class Kept(PipelineSampler):
    """A sampler that cannot be pickled: whoever sends it to a worker fails."""

    def __getstate__(self) -> None:
        raise TypeError


def make_loader(dataset: Any = None, **settings: Any) -> Any:
    return DataLoader(dataset or Rows(), batch_sampler=make_sampler(), **settings)


def trained(loader: Any, epochs: int, state: Any = None, stop: int | None = None) -> tuple[list[Batch], Any]:
    """Train by the page until so many batches; return what the model has seen, and the state to save then."""
    net = Net()
    states = list(islice(PAGE.train(net, loader, loader.batch_sampler, epochs, state), stop))
    return net.seen, states[-1] if states else state


@pytest.mark.parametrize("dataset", [Rows, BulkRows])
@pytest.mark.parametrize("workers", WORKERS)
def test_epochs(workers: str, dataset: Any) -> None:
    """What is trained on is what stands at the addresses, epoch by epoch, and in the loader's length."""
    loader = make_loader(dataset(), **WORKERS[workers])
    check(loader)
    assert len(loader) == STEPS
    assert trained(loader, 2)[0] == planned(range(2))


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_ways_to_start_workers(method: str) -> None:
    """However workers are started, they are sent rows and never the sampler, and change nothing."""
    loader = make_loader(multiprocessing_context=method, **PERSISTENT)
    loader.batch_sampler.__class__ = Kept
    with pytest.raises(TypeError):
        pickle.dumps(loader.batch_sampler)
    assert trained(loader, 2)[0] == planned(range(2))


@pytest.mark.parametrize("workers", WORKERS)
def test_plain_loops_advance(workers: str) -> None:
    """Without `set_epoch`, each loop is the next epoch, also after one that was left early."""
    loader = make_loader(**WORKERS[workers])
    seen = [[batch.tolist() for batch in islice(loader, stop)] for stop in (None, 3, None)]
    assert seen == [planned(range(1)), planned(range(1, 2))[:3], planned(range(2, 3))]


@pytest.mark.parametrize("workers", ["none", "two"])
def test_two_loops_at_a_time(workers: str) -> None:
    """Two loops over one loader are two whole epochs, and the loop after them is the third."""
    loader = make_loader(**WORKERS[workers])
    pairs = list(zip(loader, loader, strict=True))
    assert [[batch.tolist() for batch in part] for part in zip(*pairs, strict=True)] == [
        planned(range(1)),
        planned(range(1, 2)),
    ]
    assert [batch.tolist() for batch in loader] == planned(range(2, 3))


@pytest.mark.parametrize("workers", WORKERS)
@pytest.mark.parametrize("stop", [0, 1, 4, STEPS - 1, STEPS, STEPS + 4, 2 * STEPS])
def test_resume(workers: str, stop: int) -> None:
    """Whatever the workers have fetched ahead, a run left after any batch and its continuation are one run."""
    before, state = trained(make_loader(**WORKERS[workers]), 3, stop=stop)
    after, _ = trained(make_loader(**WORKERS[workers]), 3, state)
    assert before + after == planned(range(3))


@pytest.mark.parametrize("workers", WORKERS)
def test_seek_in_the_same_loader(workers: str) -> None:
    """The loader that was left in mid-epoch goes on from the trainer's own count, as a new one does."""
    loader = make_loader(**WORKERS[workers])
    before, _ = trained(loader, 2, stop=4)
    loader.batch_sampler.seek(epoch=0, step=4)
    assert before + trained(loader, 2)[0] == planned(range(2))


def test_the_sampler_is_ahead_of_training() -> None:
    """Why the page counts: with workers, the sampler's own state is some batches ahead of training."""
    loader = make_loader(**WORKERS["two"])
    running = iter(loader)
    next(running)
    assert loader.batch_sampler.state_dict()["step"] == 5


def test_set_epoch_after_iter_is_too_late_with_workers() -> None:
    """Named on the page: workers have been sent the first batches by then."""
    loader = make_loader(**WORKERS["two"])
    running = iter(loader)
    loader.batch_sampler.set_epoch(1)
    assert next(running).tolist() == planned(range(1))[0]


@pytest.mark.parametrize("workers", [0, 2])
def test_whole_batches(workers: int) -> None:
    """As `sampler=` with `batch_size=None`, the dataset is asked for whole batches; resuming works as before."""
    rows = torch.arange(len(Rows()))
    seen, state = [], None
    for stop in (4, None):
        net, sampler = Net(), make_sampler()
        loader = PAGE.whole_batches(rows, sampler, workers)
        check(loader)
        *_, state = islice(PAGE.train(net, loader, sampler, 2, state), stop)
        seen += net.seen
    assert seen == planned(range(2))


def test_refused_loaders() -> None:
    """Named on the page: what torch refuses itself, and batches of batches, which our check finds."""
    for setting in ({"batch_size": 5}, {"shuffle": True}, {"drop_last": True}, {"sampler": range(60)}):
        with pytest.raises(ValueError, match="batch_sampler option is mutually exclusive"):
            make_loader(**setting)
    with pytest.raises(ValueError, match="batch_sampler attribute should not be set"):
        make_loader().batch_sampler = make_sampler()
    with pytest.raises(LoaderError, match="BatchSampler makes batches of 1 batches"):
        check(DataLoader(Rows(), sampler=make_sampler()))


def test_a_part_of_a_table() -> None:
    """Of a part, given to the sampler and to the dataset, nothing else is delivered; of one of both alone much else."""
    table = pd.DataFrame({"hospital": ["a", "b"] * 30})
    held_out = np.arange(60) % 3 == 0
    loader = PAGE.train_on(range(60), table, np.flatnonzero(~held_out), 8)
    check(loader)
    assert not held_out[np.concatenate([batch.numpy() for batch in loader])].any()
    with pytest.raises(LoaderError, match="The dataset has 60 rows where the table of the sampler has 40"):
        check(DataLoader(range(60), batch_sampler=loader.batch_sampler))
