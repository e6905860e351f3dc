"""Checks of what a batch is: plain indices, a size, and as many as `len` says."""

from __future__ import annotations

from typing import Any

import attrs

from batchwright.testing.failures import CheckFailure, Where
from batchwright.testing.subject import EPOCHS, Subject

__all__ = ["check_batch_size", "check_indices", "check_length"]


def check_indices(subject: Subject, seed: int) -> None:
    """Check that every batch is a list, not empty, of Python ints that count rows."""
    rule = f"Every batch must be a list, not empty, of Python ints in [0, {subject.rows})"
    for process in subject.processes(seed):
        for epoch, batches in enumerate(subject.passes(subject.make(process), EPOCHS)):
            for step, batch in enumerate(batches):
                fault = _fault(batch, subject.rows)
                if fault:
                    where = attrs.evolve(process, epoch=epoch, step=step)
                    raise CheckFailure(rule, fault, where, batch if isinstance(batch, list) else None)


def _fault(batch: Any, rows: int) -> str:
    if type(batch) is not list:
        return f"one is a {type(batch).__name__}"
    if not batch:
        return "one has 0 rows"
    kinds = [type(row).__name__ for row in batch if type(row) is not int]
    if kinds:
        return f"{len(kinds)} of {len(batch)} indices of one are {kinds[0]}"
    outside = [row for row in batch if not 0 <= row < rows]
    return f"{len(outside)} of {len(batch)} indices of one lie outside, first {outside[0]}" if outside else ""


def check_batch_size(subject: Subject, seed: int) -> None:
    """Check that every batch has its size; only the last of an epoch may be smaller, where that is claimed."""
    size, short = subject.claims.batch_size or 0, subject.claims.short_last
    rule = f"Every batch{' but the last' if short else ''} must have {size} rows"
    for process in subject.processes(seed):
        for epoch, batches in enumerate(subject.epochs(subject.make(process), EPOCHS)):
            # In the last round of several ranks, the last but one can be the short one, before a filled batch.
            last_round = range(len(batches) - (1 if process.rank is None else 2), len(batches))
            for step, batch in enumerate(batches):
                if len(batch) != size and not (short and step in last_round and 0 < len(batch) < size):
                    where = attrs.evolve(process, epoch=epoch, step=step)
                    raise CheckFailure(rule, f"one has {len(batch)}", where, batch)


def check_length(subject: Subject, seed: int) -> None:
    """Check that `len` is the number of batches of every epoch, on every rank, whenever it is asked."""
    rule = "`len` must be the number of batches of every epoch"
    several = {"rank", "num_replicas"} <= subject.takes
    ranks = [Where(seed, rank=rank, num_replicas=world) for world in (2, 3, 4) for rank in range(world)]
    for process in [Where(seed), *(ranks if several else [])]:
        sampler = subject.make(process)
        for epoch in range(EPOCHS):
            subject.enter(sampler, epoch)
            before = len(sampler)
            # One more than promised is enough to see that there are more, also of a sampler that never ends.
            delivered = len(subject.take(sampler, before + 1))
            if not before == delivered == len(sampler):
                more = " or more" if delivered > before else ""
                found = f"it says {before} before and {len(sampler)} after a pass that delivers {delivered}{more}"
                raise CheckFailure(rule, found, attrs.evolve(process, epoch=epoch))
