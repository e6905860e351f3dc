"""torchdata's StatefulDataLoader: 48 ways to save a state, each of which goes on in another process."""

import json
from itertools import islice, product
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
from launch import read, run
from pages import recipe
from screen import STEPS, Batch, Net, Rows, make_sampler, planned
from torch.utils.data import BatchSampler
from torchdata.stateful_dataloader import StatefulDataLoader

from batchwright.errors import StateError

PAGE = recipe("stateful")
PERSISTENT = {"num_workers": 2, "persistent_workers": True}
WORKERS: dict[str, dict[str, Any]] = {"none": {}, "two": {"num_workers": 2}, "persistent": PERSISTENT}
LAST = 2 * STEPS


class Case(NamedTuple):
    """How a run is set up, and after how many batches it is left; None is when the loop of two epochs has ended."""

    workers: str
    every: int
    sets_epoch: bool
    stop: int | None


CASES = [Case(*case) for case in product(WORKERS, (1, 3), (True, False), (0, STEPS + 4, LAST, None))]


def make_loader(workers: str = "none", every: int = 1) -> Any:
    settings = WORKERS[workers] | {"snapshot_every_n_steps": every}
    return StatefulDataLoader(Rows(), batch_sampler=make_sampler(), **settings)


def begin(case: Case) -> tuple[list[Batch], Any]:
    """Train for a part of two epochs, or both; return what was seen, and the state."""
    loader, net = make_loader(case.workers, case.every), Net()
    for _ in islice((PAGE.train if case.sets_epoch else PAGE.train_on)(net, loader, 2), case.stop):
        pass
    return net.seen, loader.state_dict()


def finish(case: Case, state: Any) -> list[Batch]:
    """Train what is left of four epochs; return what was seen."""
    loader, net = make_loader(case.workers, case.every), Net()
    start = {None: 2, 0: 0}.get(case.stop, 1)
    for _ in (
        PAGE.train(net, loader, 4, start, state) if case.sets_epoch else PAGE.train_on(net, loader, 4 - start, state)
    ):
        pass
    return net.seen


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[Case, list[Batch]]:
    """Begin every case here, and finish all of them in one other process."""
    folder = tmp_path_factory.mktemp("states")
    before = []
    for number, case in enumerate(CASES):
        seen, state = begin(case)
        torch.save(state, folder / f"{number}.pt")
        before.append(seen)
    run(str(Path(__file__).with_name("resume_stateful.py")), str(folder))
    (after,) = read(folder, "after")
    assert [len(seen) for seen in before] == [LAST if case.stop is None else case.stop for case in CASES]
    return {case: before[number] + after[number] for number, case in enumerate(CASES)}


@pytest.mark.parametrize("case", CASES, ids=str)
def test_resume(runs: dict[Case, list[Batch]], case: Case) -> None:
    """A run that is left and one that goes on from its state, elsewhere, are one undisturbed run of four epochs."""
    assert runs[case] == planned(range(4))


@pytest.mark.parametrize("workers", WORKERS)
def test_the_end_of_an_epoch_is_of_that_epoch(workers: str) -> None:
    """Named on the page: who starts at the next epoch with the state of the last batch leaves that epoch out."""
    _, state = begin(Case(workers, 1, sets_epoch=True, stop=STEPS))
    net = Net()
    list(PAGE.train(net, make_loader(workers), 3, start=1, state=state))
    assert net.seen == planned(range(2, 3))


@pytest.mark.parametrize(
    ("workers", "other", "said"), [("none", 2, "_snapshot"), ("two", 0, "_num_yielded"), ("two", 3, "")]
)
def test_the_number_of_workers_must_stay(workers: str, other: int, said: str) -> None:
    """Named on the page: torchdata refuses the state; the trainer's own count goes on with any number of workers."""
    seen, state = begin(Case(workers, 1, sets_epoch=True, stop=4))
    loader, net = StatefulDataLoader(Rows(), batch_sampler=make_sampler(), num_workers=other), Net()
    loader.load_state_dict(state)
    with pytest.raises(AssertionError, match=said):
        iter(loader)
    loader = StatefulDataLoader(Rows(), batch_sampler=make_sampler(), num_workers=other)
    loader.batch_sampler.seek(epoch=0, step=4)
    list(PAGE.train(net, loader, 2))
    assert seen + net.seen == planned(range(2))


def left_by(workers: int, **settings: Any) -> Any:
    """Return the state of a loader over another sampler, after four batches."""
    running = StatefulDataLoader(Rows(), num_workers=workers, **settings)
    list(islice(running, 4))
    return running.state_dict()


@pytest.mark.parametrize("workers", ["none", "two"])
def test_states_of_other_samplers(workers: str) -> None:
    """Named on the page: torchdata's own sampler left a state, which is refused; torch's left none, no harm."""
    number = WORKERS[workers].get("num_workers", 0)
    net = Net()
    with pytest.raises(StateError, match="must be one that a sampler wrote; of its 4 entries 0"):
        list(PAGE.train(net, make_loader(workers), 2, 1, left_by(number, batch_size=5)))
    assert net.seen == []
    plain = BatchSampler(range(60), 5, drop_last=False)
    list(PAGE.train(net, make_loader(workers), 2, 1, left_by(number, batch_sampler=plain)))
    assert net.seen == planned(range(1, 2))


def test_states_are_small() -> None:
    """A state holds two positions and what torchdata keeps for each worker, however far the run is."""
    _, state = begin(Case("two", 1, sets_epoch=True, stop=STEPS + 4))
    assert len(json.dumps(state)) < 1000
