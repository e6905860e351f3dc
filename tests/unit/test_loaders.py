"""`check` and `find_sampler`: what they find behind loaders, here with stand-ins for what hosts wrap them in."""

from collections.abc import Iterator
from typing import Any

import pytest
import torch.distributed
from torch.utils.data import BatchSampler, DataLoader, DistributedSampler, Subset
from torchdata.stateful_dataloader import StatefulDataLoader

from batchwright import Drawer, PipelineSampler
from batchwright.errors import LoaderError
from batchwright.hosts import check, find_sampler
from refusals import refused

ROWS = range(20)
FAULT = "A loader must deliver a sampler's batches as planned; 1 fault (DataLoader): "
TWO_RANKS = {"num_replicas": 2, "rank": 0}


def make_sampler(**settings: Any) -> PipelineSampler:
    """Return a sampler of four batches over all ranks, five rows each."""
    return PipelineSampler({"row": list(ROWS)}, [Drawer()], 5, **settings)


def load(batch_sampler: Any) -> DataLoader[int]:
    return DataLoader(ROWS, batch_sampler=batch_sampler)


class Wrapper:
    """Batches of another sampler, under the attributes that a host gives them."""

    def __init__(self, batch_sampler: Any, length: int, **attributes: Any) -> None:
        self.batch_sampler = batch_sampler
        self.length = length
        vars(self).update(attributes)

    def __len__(self) -> int:
        return self.length

    def __iter__(self) -> Iterator[list[int]]:
        return iter(self.batch_sampler)


class Endless:
    """Batches without a length."""

    sampler = make_sampler()

    def __iter__(self) -> Iterator[list[int]]:
        return iter(self.sampler)


class BatchSamplerShard(Wrapper):
    """What accelerate divides batches with."""

    @property
    def sampler(self) -> PipelineSampler:
        """Where the epoch is set."""
        return self.batch_sampler


def test_loaders_of_torch_deliver_what_is_planned() -> None:
    """Neither as `batch_sampler=` nor as `sampler=` of whole batches is there anything to mend, on any rank."""
    for sampler in (make_sampler(), make_sampler(**TWO_RANKS), make_sampler(num_replicas=1, num_batches=3)):
        by_batch = (load(sampler), StatefulDataLoader(ROWS, batch_sampler=sampler))
        for loader in (*by_batch, DataLoader(ROWS, sampler=sampler, batch_size=None), sampler):
            check(loader)
            assert find_sampler(loader) is sampler


def test_batches_divided_by_one_alone_are_right() -> None:
    """A wrapper that divides a whole number of rounds, or is passed through, or skips, is no fault."""
    check(load(BatchSamplerShard(make_sampler(num_replicas=1), 2, num_processes=2)))
    check(load(BatchSamplerShard(make_sampler(**TWO_RANKS), 2, num_processes=1)))
    check(load(BatchSamplerShard(make_sampler(**TWO_RANKS), 1, skip_batches=1)))


@pytest.mark.parametrize(
    ("wrapper", "fault"),
    [
        pytest.param(
            BatchSamplerShard(make_sampler(**TWO_RANKS), 1, num_processes=2),
            "BatchSamplerShard divides the batches of one rank among 2 processes, so that the others' are never "
            "delivered. Use batchwright.hosts.accelerate.prepare_loader in place of prepare, or build the sampler "
            "with num_replicas=1.",
            id="twice",
        ),
        pytest.param(
            BatchSamplerShard(make_sampler(), 2, num_processes=3),
            "BatchSamplerShard repeats batches where 3 processes share 4 batches. Leave num_replicas away and use "
            "batchwright.hosts.accelerate.prepare_loader.",
            id="filled",
        ),
        pytest.param(
            BatchSamplerShard(make_sampler(), 2, num_processes=3, even_batches=False),
            "BatchSamplerShard is uneven where 3 processes share 4 batches. Leave...",
            id="uneven",
        ),
        pytest.param(
            BatchSamplerShard(make_sampler(), 4, num_processes=2, split_batches=True),
            "BatchSamplerShard cuts each batch into 2 parts of another composition. Leave...",
            id="split",
        ),
        pytest.param(
            Wrapper(make_sampler(), 4),
            "set_epoch does not reach the sampler through Wrapper. Set loader.batch_sampler.sampler to the sampler, or "
            "call its set_epoch before each epoch.",
            id="epoch",
        ),
        pytest.param(
            BatchSamplerShard(make_sampler(), 3),
            "DataLoader reports a length of 3 where 4 batches are delivered. Leave __len__ to the sampler.",
            id="length",
        ),
        pytest.param(Endless(), "DataLoader reports a length of 0 where 4 batches are delivered...", id="no-length"),
        pytest.param(
            BatchSampler(make_sampler(), 2, drop_last=False),
            "BatchSampler makes batches of 2 batches. Pass the sampler as batch_sampler=, or as sampler= with "
            "batch_size=None.",
            id="batches",
        ),
    ],
)
def test_each_fault_is_named_with_what_mends_it(wrapper: Any, fault: str) -> None:
    """One fault gives one sentence, which says by what and how many, and what to do."""
    with refused(LoaderError, FAULT + fault):
        check(load(wrapper))


def test_a_sampler_that_divides_nothing_is_found_in_a_group(monkeypatch: pytest.MonkeyPatch) -> None:
    """With `num_replicas=1` and nobody else to divide batches, all processes would be trained on the same."""
    monkeypatch.setattr(torch.distributed, "is_initialized", lambda: True)
    monkeypatch.setattr(torch.distributed, "get_world_size", lambda: 2)
    monkeypatch.setattr(torch.distributed, "get_rank", lambda: 0)
    check(load(make_sampler()))
    check(load(BatchSamplerShard(make_sampler(num_replicas=1), 2, num_processes=2)))
    same = "Nothing divides the batches among 2 processes: all get the same. Leave num_replicas away."
    with refused(LoaderError, FAULT + same):
        check(load(make_sampler(num_replicas=1)))
    with refused(LoaderError, FAULT + "BatchSamplerShard divides the batches of one rank among 2 processes..."):
        check(load(BatchSamplerShard(make_sampler(), 1, num_processes=2)))


def test_a_dataset_that_is_not_the_table_is_found() -> None:
    """Row numbers count in the table of the sampler; one without a length is taken as it is."""
    for rows in (19, 21):
        with refused(
            LoaderError, FAULT + f"The dataset has {rows} rows where the table of the sampler has 20, in which"
        ):
            check(DataLoader(range(rows), batch_sampler=make_sampler()))
    check(DataLoader(Subset(range(30), ROWS), batch_sampler=make_sampler()))
    check(DataLoader({}.get, batch_sampler=make_sampler()))


def test_several_faults_are_named_together() -> None:
    """What is divided wrongly and hides the epoch is both said to be."""
    with refused(LoaderError, "...; 2 faults (DataLoader): Wrapper divides ... set_epoch does not reach..."):
        check(load(Wrapper(make_sampler(**TWO_RANKS), 1, num_processes=2)))


def test_a_distributed_sampler_over_batches_is_found() -> None:
    """It deals batches out in an order of its own, and its `set_epoch` is not the sampler's."""

    class Batches:
        """Batches by number, as Lightning makes them from a sampler."""

        _sampler = make_sampler()

        def __len__(self) -> int:
            return len(self._sampler)

    sampler = DistributedSampler(Batches(), num_replicas=2, rank=0)
    with refused(LoaderError, "...2 faults...: DistributedSampler deals batches out among 2 ... through Batches..."):
        check(DataLoader(ROWS, sampler=sampler, batch_size=None))


def test_a_distributed_sampler_of_one_process_is_found() -> None:
    """It deals out numbers in place of batches, also where it shows the sampler to those who set epochs."""
    hidden, shown = (DistributedSampler(make_sampler(), num_replicas=1, rank=0) for _ in range(2))
    shown.sampler = shown.dataset
    dealt = "DistributedSampler deals batches out among 1 process in an order of its own. Pass the sampler itself in..."
    for sampler in (hidden, shown):
        for loader in (load(sampler), DataLoader(ROWS, sampler=sampler, batch_size=None)):
            with refused(LoaderError, FAULT + dealt):
                check(loader)


def test_a_lost_sampler_is_found() -> None:
    """A host that has put its own sampler in the place is named by the loader, and so is the way out."""
    lost = "A loader must draw from a PipelineSampler; 0 of them stand behind this one, ... (DataLoader). Have..."
    for loader in (DataLoader(ROWS), load(DistributedSampler(ROWS, 2, 0)), DataLoader(ROWS, shuffle=True)):
        with refused(LoaderError, lost):
            check(loader)
        with refused(LoaderError, lost):
            find_sampler(loader)


def test_what_a_dataset_holds_is_not_what_a_loader_draws_from() -> None:
    """A dataset that happens to own a sampler does not stand in for one that was lost."""
    with refused(LoaderError, "A loader must draw from a PipelineSampler; 0 of them..."):
        check(DataLoader(Wrapper(make_sampler(), 4)))
