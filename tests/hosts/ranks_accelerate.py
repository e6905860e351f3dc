"""Run alone or by torchrun: train by the recipes of docs/hosts/accelerate.md, and leave what this rank saw."""

import sys
from itertools import islice
from typing import Any

from accelerate import Accelerator
from accelerate.data_loader import prepare_data_loader
from launch import write
from pages import recipe
from screen import STEPS, Batch, Net, Rows, make_sampler
from torch.utils.data import DataLoader
from torchdata.stateful_dataloader import StatefulDataLoader

from batchwright.errors import LoaderError
from batchwright.hosts import check
from batchwright.hosts.accelerate import prepare_loader

page = recipe("accelerate")
accelerator = Accelerator(cpu=True)
ranks = accelerator.num_processes
rounds = -(-STEPS // ranks)


def load(kind: Any = DataLoader, **settings: Any) -> Any:
    return prepare_loader(kind(Rows(), batch_sampler=make_sampler(), **settings))


def train(epochs: int, batches: int | None = None, **settings: Any) -> list[Batch]:
    """Return what this rank was trained on by the recipe, in all batches or in some."""
    net = Net()
    for _ in islice(page.train(net, Rows(), make_sampler(), epochs, **settings), batches):
        pass
    return net.seen


def learn(*loaders: Any) -> list[Batch]:
    net = Net()
    for loader in loaders:
        for batch in loader:
            net(batch)
    return net.seen


def stop_and_seek(batches: int, num_workers: int = 0) -> list[Batch]:
    """Train two epochs, interrupted after some batches of this rank."""
    epoch, done = divmod(batches, rounds)
    before = train(2, batches, num_workers=num_workers)
    return before + train(2, start=(epoch, done * ranks), num_workers=num_workers)


def stop_and_skip() -> list[Batch]:
    loader = load()
    loader.set_epoch(1)
    before = learn(islice(loader, 3))
    loader = load()
    rest = page.resume(loader, 1, 3)
    check(rest)
    after = learn(rest)
    loader.set_epoch(2)
    return before + after + learn(loader)


def stop_and_load() -> list[Batch]:
    loader = load(StatefulDataLoader, num_workers=1)
    loader.set_epoch(1)
    before = learn(islice(loader, 3))
    state = loader.state_dict()
    loader = load(StatefulDataLoader, num_workers=1)
    loader.load_state_dict(state)
    loader.set_epoch(1)
    check(loader)
    after = learn(loader)
    loader.set_epoch(2)
    return before + after + learn(loader)


def seek_and_prepare(kind: Any = DataLoader, **settings: Any) -> list[Batch]:
    """Seek before the loader is prepared; then nothing has to be told to the loader."""
    sampler = make_sampler()
    sampler.seek(1, 4)
    loader = prepare_loader(kind(Rows(), batch_sampler=sampler, **settings))
    return learn(loader, loader)


def prepare_once_more() -> list[Batch]:
    loader = accelerator.prepare(load())
    check(loader)
    return learn(loader, loader)


def leave_it_to_accelerate() -> list[Batch]:
    net = Net()
    sampler = make_sampler(num_replicas=1, num_batches=12)
    _, model, _, loader = page.prepare_all(net, Rows(), sampler)
    sampler.seek(1, 4)
    for epoch in (1, 2):
        loader.set_epoch(epoch)
        for batch in loader:
            model(batch)
    return net.seen


def leave_states_to_accelerate() -> list[Batch]:
    """Train in epochs 1 and 2 on a stateful loader of accelerate's own, which is stopped and goes on."""
    net, state = Net(), None
    for batches in (3, None):
        sampler = make_sampler(num_replicas=1, num_batches=12)
        sampler.set_epoch(1)  # Before it is prepared, which begins an epoch.
        loader = DataLoader(Rows(), batch_sampler=sampler, num_workers=1)
        loader = prepare_data_loader(loader, put_on_device=True, use_stateful_dataloader=True)
        if state is not None:
            loader.load_state_dict(state)
        loader.set_epoch(1)
        for batch in islice(loader, batches):
            net(batch)
        state = loader.state_dict()
    loader.set_epoch(2)
    return net.seen + learn(loader)


def step_ahead() -> int:
    """Return how far the sampler is, after three batches of each rank."""
    sampler = make_sampler()
    learn(islice(prepare_loader(DataLoader(Rows(), batch_sampler=sampler)), 3))
    return sampler.state_dict()["step"]


def gathered() -> list[int]:
    """Return how many rows are gathered of each round of full batches of eight."""
    loader = prepare_loader(DataLoader(Rows(), batch_sampler=make_sampler(batch_size=8)))
    return [len(accelerator.gather_for_metrics(batch)) for batch in loader]


def refusals() -> list[str]:
    """Return what is said of each way to go wrong."""
    said = []
    rows_of_all = DataLoader(Rows(), batch_sampler=make_sampler(num_replicas=1, num_batches=12, batch_size=6))
    for way in (
        lambda: check(accelerator.prepare(DataLoader(Rows(), batch_sampler=make_sampler()))),
        lambda: page.prepare_all(Net(), Rows(), make_sampler(num_replicas=1)),
        lambda: prepare_loader(DataLoader(Rows(), batch_sampler=make_sampler(num_replicas=1))),
        lambda: check(prepare_data_loader(rows_of_all, put_on_device=True, dispatch_batches=True)),
        lambda: check(prepare_data_loader(rows_of_all, split_batches=True)),
        lambda: prepare_loader(load()),
        lambda: prepare_loader(DataLoader(Rows(), sampler=make_sampler(), batch_size=None)),
    ):
        try:
            way()
            said.append("")
        except LoaderError as error:
            said.append(str(error))
    return said


cases = {
    "whole": lambda: train(2),
    "stop": lambda: stop_and_seek(3),
    "stop-workers": lambda: stop_and_seek(rounds + 2, num_workers=2),
    "from-0": lambda: train(1, 3),
    "from-6": lambda: train(1, 3, start=(0, 6)),
    "from-9": lambda: train(2, start=(0, 9)),
    "skip": stop_and_skip,
    "stateful": stop_and_load,
    "sought": seek_and_prepare,
    "sought-stateful": lambda: seek_and_prepare(StatefulDataLoader, num_workers=1),
    "twice": prepare_once_more,
    "accelerate": leave_it_to_accelerate,
    "accelerate-stateful": leave_states_to_accelerate,
    "ahead": step_ahead,
    "gathered": gathered,
    "refusals": refusals,
}
for name, case in cases.items():
    write(sys.argv[1], name, accelerator.process_index, case())
accelerator.end_training()
