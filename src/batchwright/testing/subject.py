"""`Subject`: the sampler under test, as a black box that is made anew and asked for batches."""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import attrs
from torch.utils.data import DataLoader

from batchwright._checks import check_integer
from batchwright.errors import SettingTypeError
from batchwright.testing.claims import Claims
from batchwright.testing.comparison import Batches, plain, require_some
from batchwright.testing.failures import Where
from batchwright.testing.labels import Labels
from batchwright.testing.samplers import Batched, can_set_epoch, set_epoch

__all__ = ["ARGUMENTS", "EPOCHS", "MOST_BATCHES", "Subject"]

# What a factory may take, by name; it says by taking it that it can vary it.
ARGUMENTS = ("seed", "num_replicas", "rank", "num_workers")

# So many epochs are looked at, where all of them are.
EPOCHS = 3

# Passes of an endless sampler are cut here.
MOST_BATCHES = 10_000

_WHO = "check_sampler"


def _callable(_: Any, __: Any, value: Any) -> None:
    if not callable(value):
        msg = f"factory must be callable; got {value!r} ({_WHO}). Pass a function that returns a new sampler."
        raise SettingTypeError(msg)


def _rows(value: int | None) -> int:
    return 0 if value is None else check_integer(value, "rows", _WHO, 1, "Pass the number of rows of the table.")


def _size(value: int | None) -> int | None:
    way_out = "Pass the rows of a batch, or nothing if the sampler makes batches."
    return None if value is None else check_integer(value, "batch_size", _WHO, 1, way_out)


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

    factory: Callable[..., Iterable[Any]] = attrs.field(validator=_callable)
    claims: Claims
    table: Labels | None
    rows: int = attrs.field(converter=_rows)
    index_batch_size: int | None = attrs.field(converter=_size)

    @property
    def labels(self) -> Labels:
        """The labels of the table."""
        assert self.table is not None  # noqa: S101 - `Check.require` has seen to it; this tells the type checker.
        return self.table

    @property
    def takes(self) -> frozenset[str]:
        """The arguments that the factory takes by name."""
        parameters = inspect.signature(self.factory).parameters.values()
        if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
            # Workers are for loaders; a sampler that is handed all arguments does not ask for them.
            return frozenset(ARGUMENTS) - {"num_workers"}
        named = {parameter.name for parameter in parameters if parameter.kind is not parameter.POSITIONAL_ONLY}
        return frozenset(named & set(ARGUMENTS))

    def make(self, where: Where, **more: int) -> Any:
        """Return a new sampler of a process; what the factory does not take is left out."""
        world = {"num_replicas": where.num_replicas or 1, "rank": where.rank or 0}
        arguments = {"seed": where.seed, **world, **more}
        sampler: Any = self.factory(**{name: arguments[name] for name in arguments if name in self.takes})
        return sampler if self.index_batch_size is None else Batched(sampler, self.index_batch_size)

    def processes(self, seed: int) -> list[Where]:
        """Return one process alone and, where there may be several, the last of two, three and four."""
        alone = Where(seed)
        if not {"num_replicas", "rank"} <= self.takes:
            return [alone]
        return [alone, *(attrs.evolve(alone, rank=world - 1, num_replicas=world) for world in (2, 3, 4))]

    def enter(self, sampler: Any, epoch: int) -> None:
        """Set the epoch before a pass, as a loop does where `set_epoch` is claimed and there."""
        if self.claims.set_epoch and can_set_epoch(sampler):
            set_epoch(sampler, epoch)

    def passes(self, sampler: Any, number: int, loader: Iterable[Any] | None = None) -> Iterator[list[Any]]:
        """Yield the first epochs of a sampler, or of a loader over it, batches as they come."""
        for epoch in range(number):
            self.enter(sampler, epoch)
            batches = list(itertools.islice(sampler if loader is None else loader, MOST_BATCHES))
            require_some(batches, epoch)
            yield batches

    def epochs(self, sampler: Any, number: int, loader: Iterable[Any] | None = None) -> Iterator[Batches]:
        """Yield the first epochs of a sampler, or of a loader over it, batches as lists of ints."""
        return ([plain(batch) for batch in batches] for batches in self.passes(sampler, number, loader))

    def take(self, sampler: Iterable[Any], most: int = MOST_BATCHES) -> Batches:
        """Return the batches of one pass, or of its beginning, which may be none."""
        return [plain(batch) for batch in itertools.islice(sampler, most)]

    def batches(self, where: Where) -> Batches:
        """Return the batches of an epoch, from a sampler of its own that is brought there."""
        sampler, epoch = self.make(where), where.epoch or 0
        if not (self.claims.set_epoch and can_set_epoch(sampler)):
            for _ in range(epoch):
                self.take(sampler)
        self.enter(sampler, epoch)
        batches = self.take(sampler)
        if where.rank is None:
            # A rank may be left without a batch, a single process may not.
            require_some(batches, epoch, where)
        return batches

    def many(self, seed: int, number: int) -> Iterator[tuple[Where, list[int]]]:
        """Yield at least so many batches, with their addresses, from new epochs or, if there are none, new seeds."""
        renews = self.claims.set_epoch or self.claims.new_epochs
        sampler = self.make(Where(seed))
        for epoch in itertools.count():
            where = Where(seed, epoch) if renews else Where(seed + epoch, 0)
            sampler = sampler if renews else self.make(where)
            self.enter(sampler, epoch)
            batches = self.take(sampler)
            require_some(batches, epoch, where)
            yield from ((attrs.evolve(where, step=step), batch) for step, batch in enumerate(batches))
            number -= len(batches)
            if number <= 0:
                return

    def everywhere(self, seed: int, number: int) -> Iterator[tuple[Where, list[int]]]:
        """Yield what `many` does, and before that an epoch of each of some ranks, whose last round may be filled."""
        for process in self.processes(seed)[1:]:
            batches = self.batches(process)
            yield from ((attrs.evolve(process, epoch=0, step=step), batch) for step, batch in enumerate(batches))
        yield from self.many(seed, number)

    def loader(self, sampler: Any, num_workers: int) -> Iterable[Any]:
        """Return a loader whose batches are the indices; a factory that takes `num_workers` has made its own."""
        if "num_workers" in self.takes:
            own: Iterable[Any] = sampler
            return own
        rows: Any = range(self.rows)
        return DataLoader(rows, batch_sampler=sampler, num_workers=num_workers, collate_fn=list)
