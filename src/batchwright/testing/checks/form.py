"""Checks of what a batch is: plain indices, a size, and as many as `len` says."""

from __future__ import annotations

from itertools import islice
from typing import Any

from batchwright.testing.failures import CheckFailure, Where
from batchwright.testing.subject import Subject, set_epoch

__all__ = ["check_batch_size", "check_indices", "check_length"]

_EPOCHS = 3


def check_indices(subject: Subject, seed: int) -> None:
    """Check that every batch is a list, not empty, of Python ints that count rows."""
    rows = subject.rows
    sampler = subject.make(seed)
    for epoch in range(_EPOCHS):
        if subject.sets_epoch(sampler):
            set_epoch(sampler, epoch)
        for step, batch in enumerate(islice(sampler, 10_000)):
            fault = _fault(batch, rows)
            if fault:
                rule = f"Every batch must be a list, not empty, of Python ints in [0, {rows})"
                raise CheckFailure(rule, fault, Where(seed, epoch, step), batch if isinstance(batch, list) else None)


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
    """Check that every batch has its size; only the last one may be smaller, where that is claimed."""
    size = subject.claims.batch_size
    for epoch, batches in enumerate(subject.epochs(subject.make(seed), _EPOCHS)):
        for step, batch in enumerate(batches):
            may_be_short = subject.claims.short_last and step == len(batches) - 1
            if len(batch) != size and not (may_be_short and 0 < len(batch) < (size or 0)):
                rule = f"Every batch{' but the last' if subject.claims.short_last else ''} must have {size} rows"
                raise CheckFailure(rule, f"one has {len(batch)}", Where(seed, epoch, step), batch)


def check_length(subject: Subject, seed: int) -> None:
    """Check that `len` is the number of batches of every epoch, on every rank, whenever it is asked."""
    rule = "`len` must be the number of batches of every epoch"
    worlds = [(rank, world) for world in (1, 2, 3, 4) for rank in range(world)]
    for rank, world in worlds if {"rank", "num_replicas"} <= subject.takes else [(0, 1)]:
        sampler = subject.make(seed, rank=rank, num_replicas=world)
        for epoch in range(_EPOCHS):
            if subject.sets_epoch(sampler):
                set_epoch(sampler, epoch)
            before = len(sampler)
            # One more than promised is enough to see that there are more, also of a sampler that never ends.
            delivered = len(subject.take(sampler, before + 1))
            if not before == delivered == len(sampler):
                found = f"it says {before} before and {len(sampler)} after a pass that delivers "
                found += f"{delivered}{' or more' if delivered > before else ''}"
                where = Where(seed, epoch, rank=rank, num_replicas=world) if world > 1 else Where(seed, epoch)
                raise CheckFailure(rule, found, where)
