"""Checks of saved positions: a run that is interrupted delivers what an undisturbed one does."""

from __future__ import annotations

import pickle
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any

import attrs

from batchwright.testing.checks.ranks import in_turn
from batchwright.testing.comparison import Batches, require_same
from batchwright.testing.copies import pickled
from batchwright.testing.failures import CheckFailure, Where
from batchwright.testing.subject import MOST_BATCHES, Subject

__all__ = ["check_elastic", "check_resume", "check_stateful_loader"]

# No more places of an epoch than this are tried.
_MOST_PLACES = 64
_LEGS = (1, 2, 4, 3)


def check_resume(subject: Subject, seed: int) -> None:
    """Check that after any number of batches a new sampler continues, by the sampler's state and by its iterator's."""
    alone, *ranks = subject.processes(seed)
    epochs = list(subject.epochs(subject.make(alone), 3))
    for epoch in (0, 1):
        for done in _places(len(epochs[epoch])):
            _resume(subject, attrs.evolve(alone, epoch=epoch, step=done), epochs)
    for process in ranks[:1]:
        epochs = list(subject.epochs(subject.make(process), 3))
        for done in _some_places(len(epochs[1])):
            _resume(subject, attrs.evolve(process, epoch=1, step=done), epochs)
    # The last, since a run that does not continue is worse.
    _require_left_alone(subject, alone)


def _resume(subject: Subject, where: Where, epochs: Sequence[Batches]) -> None:
    """Interrupt a run at an address, and require the rest from new samplers."""
    epoch, done = where.epoch or 0, where.step or 0
    running, resumed = subject.make(where), subject.make(where)
    passing = _run_to(subject, running, running, where)
    state, state_of_iterator = _states(running, passing)
    resumed.load_state_dict(state)
    _require_rest(_rule("The sampler's state", where), epochs, where, _continue(subject, resumed, resumed, where))
    if hasattr(passing, "state_dict"):
        iterator = iter(subject.make(where))
        iterator.load_state_dict(state_of_iterator)
        expected = epochs[epoch][done:]
        require_same(_rule("The iterator's state", where), expected, subject.take(iterator), where, done)


def _states(sampler: Any, passing: Any) -> tuple[Any, Any]:
    """Return the states of a sampler and of its iterator, if that has one, as they are written a while later."""
    taken = sampler.state_dict(), passing.state_dict() if hasattr(passing, "state_dict") else None
    # Meanwhile the run goes on and is saved again, which must not show in a state that was taken before.
    next(passing, None)
    sampler.state_dict()
    return pickled(taken[0]), pickled(taken[1])


def _require_left_alone(subject: Subject, where: Where) -> None:
    """Raise if loading a state changes it, so that it could not be loaded again."""
    rule = "`load_state_dict` must leave the state that it is given as it is"
    state = pickled(subject.make(where).state_dict())
    before = pickle.dumps(state)
    subject.make(where).load_state_dict(state)
    if pickle.dumps(state) != before:
        raise CheckFailure(rule, f"that of a new sampler, {len(before)} bytes when pickled, is changed", where)


def check_stateful_loader(subject: Subject, seed: int) -> None:
    """Check that a `StatefulDataLoader` continues where its state was taken, and then with the next epoch."""
    from torchdata.stateful_dataloader import StatefulDataLoader  # noqa: PLC0415 - only for those who claim it.

    epochs = list(subject.epochs(subject.make(Where(seed)), 3))
    rows: Any = range(subject.rows)
    length = len(epochs[0])
    # Starting workers takes time, so with them not every place is tried.
    for workers, places in ((0, _places(length)[:-1]), (2, _some_places(length)[:-1])):
        for done in places:
            where = Where(seed, 0, done)
            settings = {"num_workers": workers, "collate_fn": list}
            first, second = subject.make(where), subject.make(where)
            running = StatefulDataLoader(rows, batch_sampler=first, **settings)
            passing = _run_to(subject, first, running, where)
            resumed = StatefulDataLoader(rows, batch_sampler=second, **settings)
            resumed.load_state_dict(pickled(running.state_dict()))
            del passing
            rule = _rule(f"The state of a StatefulDataLoader with {workers} workers", where)
            _require_rest(rule, epochs, where, _continue(subject, second, resumed, where))


def check_elastic(subject: Subject, seed: int) -> None:
    """Check that legs on 1, 2, 4 and 3 ranks, saved by any rank and loaded between, deliver an epoch once, in order."""
    whole = subject.batches(Where(seed, 0))
    rounds = max(1, len(whole) // (2 * sum(_LEGS)))
    rule = f"Legs on {_LEGS} ranks in turn, with states saved and loaded between, must deliver the epoch once"
    seen: Batches = []
    state: Any = None
    for leg, world in enumerate(_LEGS * len(whole)):
        parts, states = [], []
        for rank in range(world):
            sampler = subject.make(Where(seed, rank=rank, num_replicas=world))
            if state is not None:
                sampler.load_state_dict(pickled(state))
            parts.append(subject.take(sampler, rounds))
            states.append(pickled(sampler.state_dict()))
        seen += in_turn(parts)
        require_same(rule, whole[: len(seen)], seen[: len(whole)], Where(seed, 0))
        if len(seen) >= len(whole) or not any(parts):
            break
        # Trainers save on any rank, most on the first.
        state = states[(leg // 2) % world]
    if len(seen) < len(whole):
        raise CheckFailure(rule, f"they deliver {len(seen)} of {len(whole)} batches", Where(seed, 0, len(seen)))


def _run_to(subject: Subject, sampler: Any, passes: Iterable[Any], where: Where) -> Any:
    """Run whole epochs, and then so many batches of the next; return the iterator that is left."""
    for epoch in range(where.epoch or 0):
        subject.enter(sampler, epoch)
        subject.take(passes)
    subject.enter(sampler, where.epoch or 0)
    passing = iter(passes)
    for _ in islice(passing, where.step):
        pass
    return passing


def _continue(subject: Subject, sampler: Any, passes: Iterable[Any], where: Where) -> tuple[Batches, Batches]:
    """Return the rest of an interrupted epoch, and the epoch after it, of a sampler or of a loader over it."""
    rest = subject.take(passes)
    subject.enter(sampler, (where.epoch or 0) + 1)
    return rest, subject.take(passes)


def _require_rest(rule: str, epochs: Sequence[Batches], where: Where, found: tuple[Batches, Batches]) -> None:
    """Raise unless the rest of an epoch was found, and then the next one."""
    rest, following = found
    epoch, done = where.epoch or 0, where.step or 0
    if done == len(epochs[epoch]) and rest == epochs[epoch + 1]:
        # A state taken at the very end may mean the end of its epoch or the start of the next: both lose nothing.
        return
    expected = epochs[epoch][done:]
    if len(epochs[epoch]) == MOST_BATCHES:
        # An endless sampler was cut: its rest is longer than what is known of it, and has no epoch after it.
        require_same(rule, expected, rest[: len(expected)], where, done)
        return
    require_same(rule, expected, rest, where, done)
    place = attrs.evolve(where, epoch=epoch + 1)
    require_same(f"{rule}, and then with the next epoch", epochs[epoch + 1], following, place)


def _rule(who: str, where: Where) -> str:
    return f"{who}, taken after {where.step} batches of epoch {where.epoch}, must continue with the very next one"


def _places(length: int) -> list[int]:
    """Return all places of an epoch, ends included, or as many as are tried, which lie evenly."""
    return sorted({number * length // (_MOST_PLACES - 1) for number in range(_MOST_PLACES)})


def _some_places(length: int) -> list[int]:
    """Return the ends of an epoch, those beside them, and the middle."""
    return sorted({0, 1, length // 2, length - 1, length} & set(range(length + 1)))
