"""`Subject`: the sampler under test, as a black box that is made anew and asked for batches."""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import attrs
from torch.utils.data import BatchSampler, DataLoader

from batchwright.errors import SettingError
from batchwright.testing.claims import Claims
from batchwright.testing.comparison import Batches
from batchwright.testing.failures import Where
from batchwright.testing.labels import Labels

__all__ = ["ARGUMENTS", "Subject", "can_set_epoch", "plain", "set_epoch"]

# What a factory may take, by name; it says by taking it that it can vary it.
ARGUMENTS = ("seed", "num_replicas", "rank", "num_workers")

# Passes of an infinite sampler are cut here.
_MOST_BATCHES = 10_000


@attrs.frozen(eq=False)
class Subject:
    """A sampler under test.

    Parameters
    ----------
    factory
        Makes a sampler; takes any of `ARGUMENTS`.
    claims
        What the sampler promises.
    table
        The labels of the table, if there is one.
    rows
        Number of rows that indices count; 0 if nobody has said it.
    index_batch_size
        For samplers of single rows: how many make a batch.
    """

    factory: Callable[..., Iterable[Any]]
    claims: Claims
    table: Labels | None
    rows: int
    index_batch_size: int | None

    @property
    def labels(self) -> Labels:
        """The labels of the table."""
        assert self.table is not None  # noqa: S101 - `Check.require` has seen to it; this tells the type checker.
        return self.table

    @property
    def takes(self) -> frozenset[str]:
        """The arguments that the factory takes."""
        parameters = inspect.signature(self.factory).parameters
        if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values()):
            return frozenset(ARGUMENTS)
        return frozenset(parameters) & frozenset(ARGUMENTS)

    def make(self, seed: int, **given: int) -> Any:
        """Return a new sampler; what the factory does not take is left out."""
        arguments = {name: value for name, value in {"seed": seed, **given}.items() if name in self.takes}
        sampler: Any = self.factory(**arguments)
        if self.index_batch_size is None:
            return sampler
        return BatchSampler(sampler, self.index_batch_size, drop_last=False)

    def batches(self, where: Where) -> Batches:
        """Return the batches of an epoch, from a sampler of its own."""
        sampler = self.make(where.seed, **_world(where))
        self.go_to(sampler, where.epoch or 0)
        return self.take(sampler)

    def take(self, sampler: Iterable[Any], most: int = _MOST_BATCHES) -> Batches:
        """Return the batches of one pass, or of its beginning, as lists of ints."""
        return [plain(batch) for batch in itertools.islice(sampler, most)]

    def epochs(self, sampler: Any, number: int, loader: Iterable[Any] | None = None) -> Iterator[Batches]:
        """Yield the first epochs of a sampler, or of a loader over it: each set before it, if that is claimed."""
        for epoch in range(number):
            if self.sets_epoch(sampler):
                set_epoch(sampler, epoch)
            batches = self.take(sampler if loader is None else loader)
            _require_some(batches, epoch)
            yield batches

    def go_to(self, sampler: Any, epoch: int) -> None:
        """Bring a new sampler to an epoch: by `set_epoch` if that is claimed, else pass by pass."""
        if self.sets_epoch(sampler):
            set_epoch(sampler, epoch)
            return
        for _ in range(epoch):
            self.take(sampler)

    def sets_epoch(self, sampler: Any) -> bool:
        """Tell whether `set_epoch` is claimed, and there."""
        return self.claims.set_epoch and can_set_epoch(sampler)

    def many(self, seed: int, number: int) -> Iterator[tuple[Where, list[int]]]:
        """Yield at least so many batches, with their addresses, from new epochs or, if there are none, new seeds."""
        renews = self.claims.set_epoch or self.claims.new_epochs
        sampler = self.make(seed)
        for epoch in itertools.count():
            if self.sets_epoch(sampler):
                set_epoch(sampler, epoch)
            elif not renews:
                sampler = self.make(seed + epoch)
            where = Where(seed, epoch) if renews else Where(seed + epoch, 0)
            batches = self.take(sampler)
            _require_some(batches, epoch)
            yield from ((attrs.evolve(where, step=step), batch) for step, batch in enumerate(batches))
            number -= len(batches)
            if number <= 0:
                return

    def loader(self, sampler: Any, num_workers: int) -> Iterable[Any]:
        """Return a loader whose batches are the indices; a factory that takes `num_workers` has made its own."""
        if "num_workers" in self.takes:
            own: Iterable[Any] = sampler
            return own
        rows: Any = range(self.rows)
        return DataLoader(rows, batch_sampler=sampler, num_workers=num_workers, collate_fn=list)


def _require_some(batches: Batches, epoch: int) -> None:
    """Raise if an epoch is empty, of which any claim would hold."""
    if not batches:
        msg = f"An epoch must have batches for claims to be checked; epoch {epoch} has 0 (the factory). Make it longer."
        raise SettingError(msg)


def can_set_epoch(sampler: Any) -> bool:
    """Tell whether a sampler, or its `sampler`, has a `set_epoch`."""
    return hasattr(sampler, "set_epoch") or hasattr(getattr(sampler, "sampler", None), "set_epoch")


def set_epoch(sampler: Any, epoch: int) -> None:
    """Set the epoch of a sampler, or of its `sampler`, which is where trainers look."""
    target = sampler if hasattr(sampler, "set_epoch") else sampler.sampler
    target.set_epoch(epoch)


def plain(batch: Iterable[Any]) -> list[int]:
    """Return the indices of a batch as ints, whatever kind of numbers they are."""
    return [int(row) for row in batch]


def _world(where: Where) -> dict[str, int]:
    return {"num_replicas": where.num_replicas or 1, "rank": where.rank or 0}
