"""Our own samplers, and torch's, keep what they promise: the kit passes each of them."""

import pytest
import torch
from subjects import CHAINS, FLEXIBLE_CLAIMS, TABLE, flexible
from torch.utils.data import BatchSampler, DistributedSampler, RandomSampler

from batchwright.testing import Claims, check_sampler, parametrize_with_checks
from batchwright.testing.registry import CHECKS

HAS_NO_PLAIN_LOOP = "the epoch stays until set_epoch, as in the origin"


@pytest.mark.parametrize("name", CHAINS)
def test_built_in_chains_keep_all_their_promises(name: str) -> None:
    """Every check that applies to a chain passes."""
    check_sampler(CHAINS[name].factory(), table=TABLE, claims=CHAINS[name].claims())


@parametrize_with_checks(
    flexible,
    table=TABLE,
    claims=FLEXIBLE_CLAIMS,
    expected_failures=dict.fromkeys(("new_epochs", "new_epochs_in_workers"), HAS_NO_PLAIN_LOOP),
)
def test_flexible_batch_sampler(check):  # noqa: ANN001, ANN201 - as a user writes it.
    """The origin's replacement keeps all promises but the one that its origin does not make."""
    check()


def test_the_chains_ask_for_every_check() -> None:
    """No check is there that no chain of ours is held against, but for what only permutations promise."""
    asked = {check.name for built in CHAINS.values() for check in CHECKS if check.is_asked_for(built.claims())}
    assert {check.name for check in CHECKS} - asked == {"rank_rows", "coverage"}


def plain_shuffling(seed: int) -> BatchSampler:
    return BatchSampler(RandomSampler(range(100), generator=torch.Generator().manual_seed(seed)), 8, drop_last=False)


def distributed(seed: int, num_replicas: int = 1, rank: int = 0) -> DistributedSampler[int]:
    return DistributedSampler(range(100), num_replicas, rank, seed=seed, drop_last=True)


def test_plain_shuffling_keeps_its_promises() -> None:
    """The true claims of torch's `BatchSampler(RandomSampler)` pass; a stateful loader resumes it by skipping."""
    claims = Claims(
        indices=True,
        batch_size=8,
        short_last=True,
        length=True,
        seeded=True,
        unrelated_seeds=True,
        new_epochs=True,
        workers=True,
        peeking=True,
        stateful_loader=True,
        even_draw=True,
        coverage=1.0,
        uniform_within=(),
        isolated=True,
        copies=True,
    )
    check_sampler(plain_shuffling, table={"row": range(100)}, claims=claims)


def test_samplers_of_single_rows_are_batched() -> None:
    """An index sampler is checked as batches of a given size; torch's own deals rows out to ranks."""
    claims = Claims(
        batch_size=8,
        short_last=True,
        length=True,
        seeded=True,
        set_epoch=True,
        ranks="rows",
        equal_ranks=True,
        copies=True,
    )
    check_sampler(distributed, rows=100, batch_size=8, claims=claims)
