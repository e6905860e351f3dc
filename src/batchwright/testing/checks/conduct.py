"""Checks of how a sampler behaves among others: global states, copies, and what trainers look for."""

from __future__ import annotations

import copy
from typing import Any

import attrs

from batchwright.testing.comparison import Batches, require_same
from batchwright.testing.copies import pickled
from batchwright.testing.failures import CheckFailure, Where
from batchwright.testing.global_state import moved, scrambled
from batchwright.testing.samplers import peek
from batchwright.testing.subject import Subject

__all__ = ["check_copies", "check_global_random_state", "check_hosts"]


def check_global_random_state(subject: Subject, seed: int) -> None:
    """Check that the global generators of Python, NumPy and torch are neither read nor moved, passing or looking."""
    rule = "Global random states must be neither read nor moved"
    runs: list[list[Batches]] = []
    for number in (1, 2):
        with scrambled(number), moved() as names:
            sampler = subject.make(Where(seed))
            peek(sampler, subject.claims.random_access)
            runs.append(list(subject.epochs(sampler, 2)))
            peek(sampler, subject.claims.random_access)
        if names:
            found = f"making it, two passes and a look move {len(names)}: {', '.join(names)}"
            raise CheckFailure(rule, found, Where(seed, 0))
    for epoch, (one, other) in enumerate(zip(*runs, strict=True)):
        require_same(rule, one, other, Where(seed, epoch))


def check_copies(subject: Subject, seed: int) -> None:
    """Check that pickled and deep-copied samplers deliver what the sampler does, from where it stands."""
    for process in subject.processes(seed)[:2]:
        expected = list(subject.epochs(subject.make(process), 3))
        for how, copied in (("pickled", pickled), ("deep-copied", copy.deepcopy)):
            original = subject.make(process)
            subject.enter(original, 0)
            subject.take(original)
            subject.enter(original, 1)
            sampler = copied(original)
            for who, found in ((f"A {how} sampler", subject.take(sampler)), ("The original", subject.take(original))):
                where = attrs.evolve(process, epoch=1)
                require_same(f"{who} must deliver the same, from where it stood", expected[1], found, where)
            subject.enter(sampler, 2)
            rule = f"A {how} sampler must go on as the sampler does"
            require_same(rule, expected[2], subject.take(sampler), attrs.evolve(process, epoch=2))


def check_hosts(subject: Subject, seed: int) -> None:
    """Check that what trainers look for is there, and nothing that misleads them."""
    rule = "A batch sampler must suit its hosts"
    sampler = subject.make(Where(seed))
    inner = getattr(sampler, "sampler", None)
    traits = {
        "it has no `sampler.set_epoch`, where trainers call it": not callable(getattr(inner, "set_epoch", None)),
        "it has an attribute `drop_last`, with which Lightning makes another": hasattr(sampler, "drop_last"),
        "`sampler.generator` is there, which accelerate replaces": hasattr(inner, "generator"),
        "it has no `__dict__`": not hasattr(sampler, "__dict__"),
        "`iter` returns the same object twice": iter(sampler) is iter(sampler),
    }
    wrong = [trait for trait, found in traits.items() if found]
    if wrong:
        raise CheckFailure(rule, f"{len(wrong)} of {len(traits)} traits are wrong: {'; '.join(wrong)}", Where(seed))
    fresh = [subject.take(_with_epoch(subject.make(Where(seed)), epoch)) for epoch in (0, 1)]
    if fresh[0] == fresh[1]:
        found = f"`sampler.set_epoch` changes none of {len(fresh[0])} batches"
        raise CheckFailure(rule, found, Where(seed, 1, 0), fresh[1][0])
    size = getattr(sampler, "batch_size", None)
    for step, batch in enumerate(fresh[0]):
        if size is not None and len(batch) != size:
            raise CheckFailure(rule, f"`batch_size` is {size}, one batch has {len(batch)}", Where(seed, 0, step), batch)


def _with_epoch(sampler: Any, epoch: int) -> Any:
    sampler.sampler.set_epoch(epoch)
    return sampler
