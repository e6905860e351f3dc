"""`PipelineSampler` in loaders, in processes and beside what else goes on there."""

from typing import Any

import numpy as np
import pytest
import torch
from samplers import ROWS, TABLE, epoch_of, make_sampler
from torch.utils.data import DataLoader, Dataset, Sampler

from batchwright import ConditionBalancer, Drawer, ExperimentSelector, MetadataIndex, PipelineSampler, TemporalEnricher


class Rows(Dataset[Any]):
    """A dataset whose items are their own numbers."""

    def __getitem__(self, row: int) -> int:
        return row


@pytest.mark.parametrize("workers", [0, 2])
def test_in_a_loader(workers: int) -> None:
    """A DataLoader delivers epoch after epoch what the addresses say, also with worker processes."""
    sampler = make_sampler()
    loader = DataLoader(Rows(), batch_sampler=sampler, num_workers=workers)
    for epoch in range(3):
        assert [batch.tolist() for batch in loader] == epoch_of(epoch)
    assert len(loader) == 10


def test_with_persistent_workers_and_set_epoch() -> None:
    """Workers that stay alive get the epoch that is set, and a resumed position."""
    sampler = make_sampler()
    loader = DataLoader(Rows(), batch_sampler=sampler, num_workers=2, persistent_workers=True)
    for epoch in (3, 1):
        sampler.set_epoch(epoch)
        assert [batch.tolist() for batch in loader] == epoch_of(epoch)
    sampler.seek(1, 6)
    assert [batch.tolist() for batch in loader] == epoch_of(1)[6:]


def test_what_hosts_look_for() -> None:
    """The protocol of trainers: `.sampler`, an instance dict, a torch Sampler, and no name that they would misread."""
    sampler = make_sampler()
    assert sampler.sampler is sampler
    assert isinstance(sampler, Sampler)
    assert sampler.__dict__
    assert sampler.batch_size == 10
    with pytest.raises(AttributeError, match="batch_size"):
        sampler.batch_size = 20  # type: ignore[misc]
    assert not hasattr(sampler, "drop_last")
    assert not hasattr(sampler, "generator")


def test_rank_is_asked_when_a_pass_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    """A sampler and an iterator made before the process group exists still deliver their rank's part."""
    sampler = make_sampler()
    early = iter(sampler)
    assert len(sampler) == 10
    monkeypatch.setattr(torch.distributed, "is_initialized", lambda: True)
    monkeypatch.setattr(torch.distributed, "get_rank", lambda: 1)
    monkeypatch.setattr(torch.distributed, "get_world_size", lambda: 2)
    assert len(sampler) == 5
    assert list(early) == epoch_of(0)[1::2]
    assert list(make_sampler(num_replicas=1)) == epoch_of(0)


def test_global_random_state_is_neither_read_nor_moved() -> None:
    """Torch's and NumPy's global generators have nothing to do with batches."""
    torch.manual_seed(1)
    np.random.seed(1)  # noqa: NPY002 - that this state does not matter is what is tested.
    before = torch.get_rng_state(), np.random.get_state()[1]  # noqa: NPY002
    assert list(make_sampler()) == epoch_of(0)
    assert torch.equal(before[0], torch.get_rng_state())
    assert (before[1] == np.random.get_state()[1]).all()  # noqa: NPY002


def test_an_index_made_before_serves_many_samplers() -> None:
    """A `MetadataIndex` takes the place of the table."""
    index = MetadataIndex.from_table(TABLE, by=["experiment", "marker"])
    chain = [ExperimentSelector(), ConditionBalancer(by="marker"), Drawer()]
    assert list(PipelineSampler(index, chain, 10)) == list(PipelineSampler(TABLE, chain, 10))


def test_small_integers_of_numpy_are_steps() -> None:
    """The step behind them need not be one of their type."""
    sampler = make_sampler(num_batches=1000)
    assert sampler.batch(np.uint8(255), np.int8(127)) == sampler.batch(255, 127)


def test_the_first_batch_comes_at_once() -> None:
    """Only a few batches are drawn before the first is delivered, not an epoch."""

    class Counting(Drawer):
        drawn: list[int] = []  # noqa: RUF012 - shared on purpose: a frozen drawer keeps nothing.

        def draw(self, quotas: Any, sizes: Any, uniforms: Any) -> Any:
            self.drawn.append(len(uniforms))
            return super().draw(quotas, sizes, uniforms)

    sampler = make_sampler(stages=[ExperimentSelector(), Counting()], num_batches=10_000)
    next(iter(sampler))
    assert Counting.drawn == [64]


def test_dates_as_ordered_column() -> None:
    """A window over dates takes a duration."""
    days = np.datetime64("2026-01-01") + np.arange(ROWS) % 10
    sampler = PipelineSampler({"day": days}, [TemporalEnricher("day", "36h", 0.0), Drawer()], batch_size=5)
    for batch in sampler:
        assert days[batch].max() - days[batch].min() <= np.timedelta64(2, "D")
