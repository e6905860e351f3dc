"""MONAI's ThreadDataLoader: a thread that reads ahead, worker processes and threads, and batches that repeat."""

import time
from itertools import islice
from typing import Any

import pytest
from monai.data import ThreadDataLoader
from pages import recipe
from screen import STEPS, Batch, Net, Rows, make_sampler, planned

from batchwright.hosts import check

PAGE = recipe("monai")
THREADS = {"num_workers": 2, "use_thread_workers": True}
WORKERS: dict[str, dict[str, Any]] = {"none": {}, "two": {"num_workers": 2}, "threads": THREADS}


def make_loader(**settings: Any) -> Any:
    return ThreadDataLoader(Rows(), batch_sampler=make_sampler(), buffer_size=3, **settings)


def trained(loader: Any, epochs: int, state: Any = None, stop: int | None = None) -> tuple[list[Batch], Any]:
    """Train by the page until so many batches; return what the model has seen, and the state to save then."""
    net = Net()
    *_, state = islice(PAGE.train(net, loader, loader.batch_sampler, epochs, state), stop)
    return net.seen, state


def repeated(batches: list[Batch], repeats: int) -> list[Batch]:
    return [batch for batch in batches for _ in range(repeats)]


@pytest.mark.parametrize("repeats", [1, 2])
@pytest.mark.parametrize("workers", WORKERS)
def test_epochs_and_resume(workers: str, repeats: int) -> None:
    """Left after any batch, also the last of an epoch, and resumed: each batch is seen as often as it repeats."""
    for steps in (1, 4, STEPS, STEPS + 4):
        loader = make_loader(repeats=repeats, **WORKERS[workers])
        check(loader)
        assert len(loader) == STEPS
        before, state = trained(loader, 3, stop=steps * repeats)
        after, _ = trained(make_loader(repeats=repeats, **WORKERS[workers]), 3, state)
        assert before + after == repeated(planned(range(3)), repeats)


@pytest.mark.parametrize("workers", WORKERS)
def test_plain_loops_advance(workers: str) -> None:
    """Without `set_epoch`, each loop is the next epoch, also after one that was left early."""
    loader = make_loader(**WORKERS[workers])
    seen = [[batch.tolist() for batch in islice(loader, stop)] for stop in (None, 3, None)]
    assert seen == [planned(range(1)), planned(range(1, 2))[:3], planned(range(2, 3))]


def test_a_batch_left_between_repeats_begins_anew() -> None:
    """Named on the page: after three of four times, the second batch comes twice once more."""
    _, state = trained(make_loader(repeats=2), 1, stop=3)
    after, _ = trained(make_loader(repeats=2), 1, state)
    assert after == repeated(planned(range(1))[1:], 2)


def test_the_sampler_is_ahead_of_training() -> None:
    """Why the page counts: while one batch is trained on, the thread fills its buffer with three and holds a fourth."""
    loader = make_loader()
    running = iter(loader)
    next(running)
    deadline = time.monotonic() + 10
    while loader.batch_sampler.state_dict()["step"] < 5 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert loader.batch_sampler.state_dict()["step"] == 5
