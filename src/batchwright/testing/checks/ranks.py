"""Checks of several processes: what each delivers, and what they deliver together."""

from __future__ import annotations

from itertools import chain, zip_longest

from batchwright.testing.comparison import Batches, require_same
from batchwright.testing.failures import CheckFailure, Where
from batchwright.testing.global_state import scrambled
from batchwright.testing.subject import Subject

__all__ = ["check_equal_ranks", "check_rank_rows", "check_rank_steps", "in_turn"]

_WORLDS = (2, 3, 4)
_EPOCHS = (0, 1, 5)


def check_rank_steps(subject: Subject, seed: int) -> None:
    """Check that the ranks' batches in turn are the epoch of a single process, but for a filled last round."""
    rule = "The ranks' batches in turn must be those of a single process"
    for epoch in _EPOCHS:
        whole = subject.batches(Where(seed, epoch))
        for world in _WORLDS:
            turns = in_turn(_ranks(subject, seed, epoch, world))
            require_same(f"{rule} ({world} ranks)", whole, turns[: len(whole)], Where(seed, epoch))
            if len(turns) >= len(whole) + world:
                found = f"{world} ranks deliver {len(turns)} batches of {len(whole)}, more than a filled last round"
                raise CheckFailure(rule, found, Where(seed, epoch, len(whole)), turns[len(whole)])


def check_rank_rows(subject: Subject, seed: int) -> None:
    """Check that no row is delivered by two ranks of an epoch, and all but a round of the epoch by any."""
    rule = "No row may be delivered by two ranks"
    for epoch in _EPOCHS:
        whole = subject.batches(Where(seed, epoch))
        for world in _WORLDS:
            delivered_by: dict[int, int] = {}
            for rank, batches in enumerate(_ranks(subject, seed, epoch, world)):
                for step, batch in enumerate(batches):
                    again = [row for row in batch if delivered_by.setdefault(row, rank) != rank]
                    if again:
                        found = f"{len(again)} rows of one stood in a batch of rank {delivered_by[again[0]]} before"
                        where = Where(seed, epoch, step, rank, world)
                        raise CheckFailure(rule, found, where, batch)
            _require_most(whole, len(delivered_by), Where(seed, epoch, num_replicas=world))


def _require_most(whole: Batches, rows: int, where: Where) -> None:
    """Raise if ranks leave out more rows of an epoch than a round of batches has."""
    rule = "Ranks must deliver the rows of the epoch, but for a last round"
    expected = len({row for batch in whole for row in batch})
    most = (where.num_replicas or 1) * max(map(len, whole))
    if rows < expected - most:
        found = f"{where.num_replicas} ranks deliver {rows} of {expected}, and a round has {most}"
        raise CheckFailure(rule, found, where)


def check_equal_ranks(subject: Subject, seed: int) -> None:
    """Check that all ranks deliver the same number of batches, and at most a round too few in all."""
    rule = "All ranks must deliver the same number of batches"
    for epoch in _EPOCHS:
        whole = len(subject.batches(Where(seed, epoch)))
        for world in _WORLDS:
            counts = [len(batches) for batches in _ranks(subject, seed, epoch, world)]
            where = Where(seed, epoch, rank=counts.index(min(counts)), num_replicas=world)
            if len(set(counts)) > 1:
                raise CheckFailure(rule, f"they deliver {counts}", where)
            if sum(counts) <= whole - world:
                raise CheckFailure(rule, f"they deliver {counts}, though one process has {whole}", where)


def in_turn(parts: list[Batches]) -> Batches:
    """Return the batches of all ranks, one of each in turn."""
    return [batch for batch in chain.from_iterable(zip_longest(*parts)) if batch is not None]


def _ranks(subject: Subject, seed: int, epoch: int, world: int) -> list[Batches]:
    """Return the batches of each rank; each is made as in a process of its own, where global states differ."""
    parts = []
    for rank in range(world):
        with scrambled(rank):
            parts.append(subject.batches(Where(seed, epoch, rank=rank, num_replicas=world)))
    return parts
