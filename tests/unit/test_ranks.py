"""Ranks: who this process is, and whether all ranks mean the same sampler."""

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch.distributed
from torch.distributed import HashStore
from torch.testing._internal.distributed import fake_pg  # Registers the backend "fake".

from batchwright import Drawer, ExperimentSelector, PipelineSampler, RanksError
from refusals import refused

assert fake_pg


@contextmanager
def rank_of_two(rank: int, store: HashStore) -> Iterator[None]:
    """Be one rank of a process group that passes no messages, and has a store."""
    torch.distributed.init_process_group("fake", store=store, rank=rank, world_size=2)
    try:
        yield
    finally:
        torch.distributed.destroy_process_group()


def sampler(rows: int = 8, **settings: Any) -> PipelineSampler:
    table = {"experiment": ["a", "b"] * (rows // 2)}
    return PipelineSampler(table, [ExperimentSelector(), Drawer()], **{"batch_size": 2} | settings)


def begin(rank: int, store: HashStore, *samplers: PipelineSampler) -> list[list[int]]:
    """Return the first batches that some samplers deliver on a rank."""
    with rank_of_two(rank, store):
        return [next(iter(one)) for one in samplers]


def test_rank_and_number_follow_the_group() -> None:
    """They are those of the process group as it is when asked, and of one process before and after."""
    one = sampler()
    assert (one.rank, one.num_replicas, len(one)) == (0, 1, 4)
    with rank_of_two(1, HashStore()):
        assert (one.rank, one.num_replicas, len(one)) == (1, 2, 2)
        assert (sampler(num_replicas=1).rank, sampler(num_replicas=1).num_replicas) == (0, 1)
        assert (sampler(num_replicas=3, rank=2).rank, sampler(num_replicas=3, rank=2).num_replicas) == (2, 3)
    assert (one.rank, one.num_replicas) == (0, 1)


def test_equal_samplers_begin_in_peace() -> None:
    """Ranks that mean the same get their batches, also of several samplers, one after another."""
    store = HashStore()
    firsts = [begin(rank, store, sampler(), sampler(seed=1)) for rank in (0, 1)]
    assert firsts == [[sampler().batch(rank), sampler(seed=1).batch(rank)] for rank in (0, 1)]


@pytest.mark.parametrize(
    ("other", "entries"),
    [
        ({"rows": 6}, "2 of 6 entries differ on rank 1 from rank 0: table="),  # Fewer rows make fewer steps.
        ({"batch_size": 4}, "1 of 6 entries differ on rank 1 from rank 0: chain="),
        ({"seed": 1}, "1 of 6 entries differ on rank 1 from rank 0: seed=1 for 0"),
        ({"even_batches": False}, "1 of 6 entries differ on rank 1 from rank 0: even_batches=False for True"),
        ({"num_replicas": 2, "rank": 1, "seed": 1}, "1 of 6 entries differ on rank 1 from rank 0: seed=1 for 0"),
    ],
)
def test_ranks_that_mean_another_sampler_are_refused(other: dict[str, Any], entries: str) -> None:
    """Another table, chain or seed is found before the first batch, and what differs is named."""
    store = HashStore()
    begin(0, store, sampler())
    with refused(RanksError, f"All ranks must begin with the same table, chain, seed and position...; {entries}"):
        begin(1, store, sampler(**other))


def test_ranks_that_stand_elsewhere_are_refused() -> None:
    """A state that only one rank has loaded would tear the epoch apart."""
    store = HashStore()
    begin(0, store, sampler())
    resumed = sampler()
    resumed.seek(epoch=2, step=2)
    with refused(RanksError, "All ranks...epoch=2 for 0, step=2 for 0...load the same state, or none, on all of them."):
        begin(1, store, resumed)


def test_two_processes_of_one_rank_are_refused() -> None:
    """Numbers that are given wrongly, as those within each machine, would train two processes on the same batches."""
    store, same = HashStore(), {"num_replicas": 2, "rank": 0}
    begin(0, store, sampler(**same))
    with refused(RanksError, "Every process must have a rank of its own; rank=0 of 2 is that of processes 0 and 1..."):
        begin(1, store, sampler(**same))


@pytest.mark.parametrize("ranks", [(0, 1), (1, 0)])
@pytest.mark.parametrize("done", [(9, 8), (8, 8)])
def test_ranks_that_end_one_step_apart_begin_in_peace(done: tuple[int, int], ranks: tuple[int, int]) -> None:
    """Where ranks are uneven, one of them has no batch left a step before the end, and its own state says so."""
    store, finished = HashStore(), sampler(num_batches=9, even_batches=False)
    for rank in ranks:
        with rank_of_two(rank, store):
            running = iter(sampler(num_batches=9, even_batches=False))
            running.load_state_dict(finished.state_at(epoch=0, step=done[rank]))
            assert list(running) == [finished.batch(step, 0) for step in range(done[rank] + rank, 9, 2)]


def test_ranks_that_end_one_step_and_an_epoch_apart_are_refused() -> None:
    """The states of a sampler, not of a pass: the end on one rank is the next epoch, while the other has none left."""
    store, ended, left = HashStore(), *(sampler(num_batches=9, even_batches=False) for _ in range(2))
    ended.seek(0, 9)
    left.seek(0, 8)
    assert begin(0, store, ended) == [ended.batch(0, 1)]
    with refused(RanksError, "All ranks must begin...; 1 of 5 entries differ on rank 1 from rank 0: epoch=0 for 1..."):
        begin(1, store, left)


def test_samplers_of_one_process_are_left_alone() -> None:
    """A sampler that does not follow the group may be on one rank only, and shifts nothing."""
    store = HashStore()
    begin(0, store, sampler(num_replicas=1, seed=5), sampler(num_replicas=3, rank=1, seed=6), sampler())
    begin(1, store, sampler())


def test_a_store_that_keeps_nothing_raises_no_alarm() -> None:
    """Where a test only pretends to have a group, with torch's own stand-in for a store, nothing is asked."""
    for rank in (0, 1):
        assert begin(rank, fake_pg.FakeStore(), sampler()) == [sampler().batch(rank)]


def test_ranks_are_compared_once() -> None:
    """The second pass of a sampler asks nobody; a copy of it is another sampler."""
    store = HashStore()
    first, second = sampler(), sampler()
    begin(0, store, first, first, first)
    begin(1, store, second)
    for rank in range(2):  # What two more questions of one rank alone would have put out of step.
        begin(rank, store, sampler(seed=5))
    begin(0, store, copy.deepcopy(first))
    copied = copy.deepcopy(second)
    copied.seek(0, 0)
    with refused(RanksError, "All ranks...epoch=0 for 2"):
        begin(1, store, copied)
