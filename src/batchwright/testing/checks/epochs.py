"""Checks of what decides a batch: its seed and epoch, and neither history, workers nor a look at it."""

from __future__ import annotations

import itertools

from batchwright.testing.comparison import contents, plain, require_new, require_same
from batchwright.testing.failures import CheckFailure, Where
from batchwright.testing.samplers import can_set_epoch, peek, set_epoch
from batchwright.testing.subject import EPOCHS, Subject

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

# Beside the first epochs, one that is not near them.
_FAR = 7

# So many epochs are held against each other, so that any shorter period shows.
_MANY = 11


def check_repeatable(subject: Subject, seed: int) -> None:
    """Check that a seed has its epochs, in one loop and each alone, and that another seed has others."""
    rule = "The same seed and epoch must give the same batches"
    for epoch, batches in enumerate(subject.epochs(subject.make(Where(seed)), EPOCHS)):
        where = Where(seed, epoch)
        require_same(rule, subject.batches(where), batches, where)
    if contents(subject.batches(Where(seed))) == contents(subject.batches(Where(seed ^ 1))):
        rule = "Another seed must give other batches"
        raise CheckFailure(rule, f"seeds {seed} and {seed ^ 1} have one and the same", Where(seed, 0))


def check_unrelated_seeds(subject: Subject, seed: int) -> None:
    """Check that each of some neighbouring seeds and epochs has batches of its own."""
    rule = "Each seed and epoch must have batches of its own, not only an order"
    # A number and its neighbours on either side, whatever the largest seed is.
    seeds = sorted({seed, seed ^ 1, seed ^ 2, seed ^ 3})
    seen: dict[str, Where] = {}
    for number in seeds:
        for epoch, batches in enumerate(subject.epochs(subject.make(Where(number)), _MANY)):
            where = Where(number, epoch)
            other = seen.setdefault(repr(contents(batches)), where)
            if other != where:
                raise CheckFailure(rule, f"those of {other} come again", where)


def check_new_epochs(subject: Subject, seed: int) -> None:
    """Check that no two of many passes of a plain loop have most batches in common."""
    sampler = subject.make(Where(seed))
    require_new([subject.take(sampler) for _ in range(_MANY)], "of a plain loop", Where(seed))


def check_new_epochs_in_workers(subject: Subject, seed: int) -> None:
    """Check that the first passes of a plain loop differ with worker processes, too."""
    loader = subject.loader(subject.make(Where(seed), num_workers=2), 2)
    require_new([subject.take(loader) for _ in range(EPOCHS)], "of a loop over a loader with 2 workers", Where(seed))


def check_set_epoch(subject: Subject, seed: int) -> None:
    """Check that `set_epoch` decides the epoch after any history, may be called twice, and that epochs differ."""
    rule = "`set_epoch` must decide the epoch, whatever came before"
    sampler = subject.make(Where(seed))
    if not can_set_epoch(sampler):
        raise CheckFailure(rule, "0 of `set_epoch` and `sampler.set_epoch` are there", Where(seed))
    require_new(list(subject.epochs(sampler, _MANY)), "after `set_epoch`", Where(seed))
    fresh = {epoch: subject.batches(Where(seed, epoch)) for epoch in (*range(EPOCHS), _FAR)}
    for epoch in (1, 0, 2, 2, _FAR, 0):
        set_epoch(sampler, epoch)
        set_epoch(sampler, epoch)
        require_same(rule, fresh[epoch], subject.take(sampler), Where(seed, epoch))
    left_early = subject.make(Where(seed))
    next(iter(left_early))
    set_epoch(left_early, 1)
    require_same(rule, fresh[1], subject.take(left_early), Where(seed, 1))


def check_workers(subject: Subject, seed: int) -> None:
    """Check that a loader delivers the same epochs with worker processes as without."""
    rule = "A loader must deliver the same batches with 2 workers as without"
    alone, helped = (subject.make(Where(seed), num_workers=number) for number in (0, 2))
    expected = subject.epochs(alone, EPOCHS, subject.loader(alone, 0))
    found = subject.epochs(helped, EPOCHS, subject.loader(helped, 2))
    for epoch, (one, other) in enumerate(zip(expected, found, strict=True)):
        require_same(rule, one, other, Where(seed, epoch))


def check_peeking(subject: Subject, seed: int) -> None:
    """Check that `len`, `repr`, an iterator thrown away, `state_dict` and `batch` change nothing, at any time."""
    sampler = subject.make(Where(seed))
    for epoch, expected in enumerate(subject.epochs(subject.make(Where(seed)), EPOCHS)):
        subject.enter(sampler, epoch)
        peek(sampler, subject.claims.random_access)
        found = []
        for batch in itertools.islice(sampler, len(expected) + 1):
            peek(sampler, subject.claims.random_access)
            found.append(plain(batch))
        peek(sampler, subject.claims.random_access)
        require_same("Looking at a sampler must change nothing", expected, found[: len(expected)], Where(seed, epoch))


def check_random_access(subject: Subject, seed: int) -> None:
    """Check that `batch` gives what iteration delivers, in any order, and changes nothing."""
    rule = "`batch(step, epoch=e)` must be what iteration delivers there"
    sampler = subject.make(Where(seed))
    epochs = [subject.batches(Where(seed, epoch)) for epoch in range(EPOCHS)]
    for epoch, step in reversed([(e, s) for e, batches in enumerate(epochs) for s in range(len(batches))]):
        found = plain(sampler.batch(step, epoch=epoch))
        require_same(rule, [epochs[epoch][step]], [found], Where(seed, epoch), step)
    for epoch, expected in enumerate(subject.epochs(sampler, EPOCHS)):
        require_same("`batch` must change nothing", epochs[epoch], expected, Where(seed, epoch))
    if subject.claims.set_epoch:
        set_epoch(sampler, 1)
        where = Where(seed, 1, 0)
        require_same("`batch(step)` must be of the epoch that is set", epochs[1][:1], [plain(sampler.batch(0))], where)
