"""Checks of how a sampler behaves among others: global states, copies, and what trainers look for."""

from __future__ import annotations

import copy
import pickle
from typing import Any

from batchwright.testing.comparison import Batches, require_same
from batchwright.testing.failures import CheckFailure, Where
from batchwright.testing.global_state import moved, scrambled
from batchwright.testing.subject import Subject

__all__ = ["check_copies", "check_global_random_state", "check_hosts"]


def check_global_random_state(subject: Subject, seed: int) -> None:
    """Check that the global generators of Python, NumPy and torch are neither read nor moved."""
    rule = "Global random states must be neither read nor moved"
    passes: list[Batches] = []
    for number in (1, 2):
        with scrambled(number), moved() as names:
            passes.append(subject.batches(Where(seed, 0)))
        if names:
            raise CheckFailure(rule, f"a pass moves {len(names)}: {', '.join(names)}", Where(seed, 0))
    require_same(rule, passes[0], passes[1], Where(seed, 0))


def check_copies(subject: Subject, seed: int) -> None:
    """Check that pickled and deep-copied samplers deliver what the sampler itself delivers."""
    first, second = subject.epochs(subject.make(seed), 2)
    for how, copied in (("pickled", _pickled), ("deep-copied", copy.deepcopy)):
        sampler = copied(subject.make(seed))
        for epoch, found in enumerate(subject.epochs(sampler, 2)):
            require_same(f"A {how} sampler must deliver the same", (first, second)[epoch], found, Where(seed, epoch))


def check_hosts(subject: Subject, seed: int) -> None:
    """Check that what trainers look for is there, and nothing that misleads them."""
    sampler = subject.make(seed)
    traits = {
        "it has no `sampler.set_epoch`, where trainers call it": not _reaches(sampler),
        "it has an attribute `drop_last`, with which Lightning makes another": hasattr(sampler, "drop_last"),
        "`sampler.generator` is there, which accelerate replaces": hasattr(
            getattr(sampler, "sampler", None), "generator"
        ),
        "it has no `__dict__`": not hasattr(sampler, "__dict__"),
        "`iter` returns the sampler itself": iter(sampler) is sampler,
    }
    rule = "A batch sampler must suit its hosts"
    wrong = [trait for trait, found in traits.items() if found]
    if wrong:
        raise CheckFailure(rule, f"{len(wrong)} of {len(traits)} traits are wrong: {'; '.join(wrong)}", Where(seed))
    fresh = [subject.take(_with_epoch(subject.make(seed), epoch)) for epoch in (0, 1)]
    if fresh[0] == fresh[1]:
        found = f"`sampler.set_epoch` changes none of {len(fresh[0])} batches"
        raise CheckFailure(rule, found, Where(seed, 1, 0), fresh[1][0])
    size = getattr(sampler, "batch_size", None)
    for step, batch in enumerate(fresh[0]):
        if size is not None and len(batch) != size:
            raise CheckFailure(rule, f"`batch_size` is {size}, one batch has {len(batch)}", Where(seed, 0, step), batch)


def _pickled(sampler: Any) -> Any:
    return pickle.loads(pickle.dumps(sampler))  # noqa: S301 - a sampler that was just made.


def _reaches(sampler: Any) -> bool:
    return callable(getattr(getattr(sampler, "sampler", None), "set_epoch", None))


def _with_epoch(sampler: Any, epoch: int) -> Any:
    sampler.sampler.set_epoch(epoch)
    return sampler
