"""What is done to any sampler: setting its epoch, looking at it, batching its rows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from typing import Any

__all__ = ["Batched", "can_set_epoch", "peek", "set_epoch"]


class Batched:
    """A sampler of single rows, cut into batches, which is otherwise what it was."""

    def __init__(self, sampler: Any, batch_size: int) -> None:
        self.sampler = sampler
        self._size = batch_size

    def __iter__(self) -> Iterator[list[Any]]:
        rows = iter(self.sampler)
        while batch := list(islice(rows, self._size)):
            yield batch

    def __len__(self) -> int:
        return (len(self.sampler) + self._size - 1) // self._size

    def state_dict(self) -> Any:
        """Return the state of the sampler."""
        return self.sampler.state_dict()

    def load_state_dict(self, state: Any) -> None:
        """Hand a state to the sampler."""
        self.sampler.load_state_dict(state)


def can_set_epoch(sampler: Any) -> bool:
    """Tell whether a sampler, or its `sampler`, has a `set_epoch`."""
    return hasattr(sampler, "set_epoch") or hasattr(getattr(sampler, "sampler", None), "set_epoch")


def set_epoch(sampler: Any, epoch: int) -> None:
    """Set the epoch of a sampler, or of its `sampler`, which is where trainers look."""
    target = sampler if hasattr(sampler, "set_epoch") else sampler.sampler
    target.set_epoch(epoch)


def peek(sampler: Any, random_access: bool) -> None:
    """Do all that a trainer, a debugger or a curious user does without meaning to change anything."""
    repr(sampler)
    iter(sampler)
    # A loader over a stream, for one, has `__len__` and still no length.
    with suppress(TypeError):
        len(sampler)
    # Of a sampler of single rows, only its own state counts: it may have none to hand on.
    if hasattr(sampler.sampler if isinstance(sampler, Batched) else sampler, "state_dict"):
        sampler.state_dict()
    # Where random access is not claimed, `batch` may be anything, the size of a batch for one.
    if random_access:
        sampler.batch(0)
        sampler.batch(0, epoch=5)
