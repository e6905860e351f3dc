"""Sequences of batches side by side: where they differ, or that they do."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import attrs

from batchwright.testing.failures import CheckFailure, Where, shown

__all__ = ["Batches", "contents", "plain", "require_new", "require_same", "require_some"]

Batches = list[list[int]]


def plain(batch: Iterable[Any]) -> list[int]:
    """Return the indices of a batch as ints, whatever kind of numbers they are."""
    if not isinstance(batch, Iterable):
        msg = f"A batch must be a list of rows; got {batch!r} (the sampler). For single rows, pass batch_size=... too."
        raise TypeError(msg)
    return [int(row) for row in batch]


def contents(batches: Batches) -> list[tuple[int, ...]]:
    """Return the batches of an epoch without any order: sorted rows, sorted batches."""
    return sorted(tuple(sorted(batch)) for batch in batches)


def require_same(rule: str, expected: Batches, found: Batches, where: Where, first_step: int = 0) -> None:
    """Raise unless two sequences of batches are the same, naming the first that differs."""
    for step, (one, other) in enumerate(itertools.zip_longest(expected, found), first_step):
        if one == other:
            continue
        place = attrs.evolve(where, step=step)
        if other is None:
            found_text = f"it ends {len(expected) - len(found)} batches too early, before {shown(one)}"
            raise CheckFailure(rule, found_text, place)
        wanted = "none any more" if one is None else shown(one)
        raise CheckFailure(rule, f"one was expected to be {wanted}", place, other)


def require_some(batches: Sequence[Any], epoch: int, where: Where | None = None) -> None:
    """Raise if an epoch is empty, of which any claim would hold."""
    rule = "An epoch must have batches"
    if not batches:
        raise CheckFailure(rule, f"epoch {epoch} has 0", where or Where(epoch=epoch))


def require_new(epochs: Sequence[Batches], which: str, where: Where) -> None:
    """Raise if of two epochs one has more than half of the other's batches, in whatever order."""
    rule = f"The epochs {which} must differ"
    for epoch, batches in enumerate(epochs):
        require_some(batches, epoch)
    counted = [Counter(contents(batches)) for batches in epochs]
    for (first, one), (second, other) in itertools.combinations(enumerate(counted), 2):
        again = (one & other).total()
        if 2 * again > min(one.total(), other.total()):
            found = f"epochs {first} and {second} have {again} of {other.total()} batches in common"
            place = attrs.evolve(where, epoch=second, step=0)
            raise CheckFailure(rule, found, place, epochs[second][0])
