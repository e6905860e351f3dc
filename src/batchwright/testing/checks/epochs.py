"""Checks of what decides a batch: its seed and epoch, and neither history, workers nor a look at it."""

from __future__ import annotations

import itertools
from typing import Any

from batchwright.testing.comparison import Batches, require_new, require_same
from batchwright.testing.failures import CheckFailure, Where
from batchwright.testing.subject import Subject, can_set_epoch, plain, set_epoch

__all__ = [
    "check_new_epochs",
    "check_new_epochs_in_workers",
    "check_peeking",
    "check_random_access",
    "check_repeatable",
    "check_set_epoch",
    "check_unrelated_seeds",
    "check_workers",
]

_EPOCHS = 3


def check_repeatable(subject: Subject, seed: int) -> None:
    """Check that the same seed gives the same epochs, in one loop and each alone; another seed gives others."""
    rule = "The same seed and epoch must give the same batches"
    for epoch, batches in enumerate(subject.epochs(subject.make(seed), _EPOCHS)):
        where = Where(seed, epoch)
        require_same(rule, subject.batches(where), batches, where)
    if subject.batches(Where(seed)) == subject.batches(Where(seed + 1)):
        found = f"seeds {seed} and {seed + 1} have one and the same"
        rule = "Another seed must give other batches"
        raise CheckFailure(rule, found, Where(seed, 0))


def check_unrelated_seeds(subject: Subject, seed: int) -> None:
    """Check that each of some neighbouring seeds and epochs has batches of its own."""
    seen: dict[str, Where] = {}
    for offset, epoch in itertools.product(range(_EPOCHS), range(_EPOCHS)):
        where = Where(seed + offset, epoch)
        other = seen.setdefault(repr(subject.batches(where)), where)
        if other != where:
            rule = "Each seed and epoch must have batches of its own"
            raise CheckFailure(rule, f"those of {other} come again", where)


def check_new_epochs(subject: Subject, seed: int) -> None:
    """Check that no two of the first passes of a plain loop are the same."""
    sampler = subject.make(seed)
    require_new([subject.take(sampler) for _ in range(_EPOCHS)], "of a plain loop", seed)


def check_set_epoch(subject: Subject, seed: int) -> None:
    """Check that `set_epoch` decides the epoch after any history, may be called twice, and epochs differ."""
    rule = "`set_epoch` must decide the epoch, whatever came before"
    if not can_set_epoch(subject.make(seed)):
        raise CheckFailure(rule, "0 of `set_epoch` and `sampler.set_epoch` are there", Where(seed))
    fresh = [subject.batches(Where(seed, epoch)) for epoch in range(_EPOCHS)]
    require_new(fresh, "after `set_epoch`", seed)
    sampler = subject.make(seed)
    for epoch in (1, 0, 2, 2, 0):
        set_epoch(sampler, epoch)
        set_epoch(sampler, epoch)
        require_same(rule, fresh[epoch], subject.take(sampler), Where(seed, epoch))
    left_early = subject.make(seed)
    next(iter(left_early))
    set_epoch(left_early, 1)
    require_same(rule, fresh[1], subject.take(left_early), Where(seed, 1))


def check_workers(subject: Subject, seed: int) -> None:
    """Check that a loader delivers the same epochs with worker processes as without."""
    rule = "A loader must deliver the same batches with 2 workers as without"
    without, working = (
        list(subject.epochs(sampler, _EPOCHS, subject.loader(sampler, num_workers)))
        for num_workers in (0, 2)
        for sampler in [subject.make(seed, num_workers=num_workers)]
    )
    for epoch, (expected, found) in enumerate(zip(without, working, strict=True)):
        require_same(rule, expected, found, Where(seed, epoch))


def check_new_epochs_in_workers(subject: Subject, seed: int) -> None:
    """Check that no two of the first passes of a plain loop are the same, with worker processes too."""
    loader = subject.loader(subject.make(seed, num_workers=2), 2)
    require_new([subject.take(loader) for _ in range(_EPOCHS)], "of a plain loop over a loader with 2 workers", seed)


def check_peeking(subject: Subject, seed: int) -> None:
    """Check that `len`, `repr`, an iterator thrown away, `state_dict` and `batch` change nothing, at any time."""
    untouched, sampler = subject.make(seed), subject.make(seed)
    for epoch, expected in enumerate(subject.epochs(untouched, _EPOCHS)):
        if subject.sets_epoch(sampler):
            set_epoch(sampler, epoch)
        _peek(sampler)
        found: Batches = []
        for batch in sampler:
            _peek(sampler)
            found.append(plain(batch))
        _peek(sampler)
        require_same("Looking at a sampler must change nothing", expected, found, Where(seed, epoch))


def check_random_access(subject: Subject, seed: int) -> None:
    """Check that `batch` gives what iteration delivers, in any order and at any time."""
    sampler = subject.make(seed)
    for epoch in reversed(range(_EPOCHS)):
        where = Where(seed, epoch)
        expected = subject.batches(where)
        steps = range(len(expected))
        found = {step: list(sampler.batch(step, epoch=epoch)) for step in reversed(steps)}
        rule = "`batch(step, epoch=e)` must be what iteration delivers there"
        require_same(rule, expected, [found[step] for step in steps], where)


def _peek(sampler: Any) -> None:
    """Do all that a trainer, a debugger or a curious user does without meaning to change anything."""
    repr(sampler)
    iter(sampler)
    if hasattr(sampler, "__len__"):
        len(sampler)
    if hasattr(sampler, "state_dict"):
        sampler.state_dict()
    if hasattr(sampler, "batch"):
        sampler.batch(0)
