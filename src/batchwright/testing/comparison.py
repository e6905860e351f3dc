"""Two sequences of batches side by side: where they differ, or that they do."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from batchwright.testing.failures import CheckFailure, Where

__all__ = ["Batches", "require_new", "require_same"]

Batches = list[list[int]]


def require_same(rule: str, expected: Batches, found: Batches, where: Where) -> None:
    """Raise unless two sequences of batches are the same, naming the first that differs."""
    for step, (one, other) in enumerate(itertools.zip_longest(expected, found)):
        if one != other:
            place = Where(where.seed, where.epoch, step, where.rank, where.num_replicas)
            if other is None:
                raise CheckFailure(
                    rule, f"one pass ends after {step} batches, the other has {len(expected)}", place, one
                )
            wanted = "none" if one is None else str(one)
            raise CheckFailure(rule, f"one was expected to be {wanted}", place, other)


def require_new(epochs: Sequence[Batches], which: str, seed: int) -> None:
    """Raise if two epochs have the same batches, in whatever order."""
    rule = f"The epochs {which} must differ"
    contents = [sorted(sorted(batch) for batch in epoch) for epoch in epochs]
    for (first, one), (second, other) in itertools.combinations(enumerate(contents), 2):
        if one == other:
            found = f"epochs {first} and {second} have the same {len(one)} batches"
            raise CheckFailure(rule, found, Where(seed, second, 0), next(iter(epochs[second]), None))
