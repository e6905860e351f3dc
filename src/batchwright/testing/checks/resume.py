"""Checks of saved positions: a run that is interrupted delivers what an undisturbed one does."""

from __future__ import annotations

import pickle
from itertools import islice
from typing import Any

from batchwright.testing.checks.ranks import in_turn
from batchwright.testing.comparison import Batches, require_same
from batchwright.testing.failures import Where
from batchwright.testing.subject import Subject, set_epoch

__all__ = ["check_elastic", "check_resume", "check_stateful_loader"]

# Beyond this many batches in an epoch, so many places of it are tried.
_MOST_PLACES = 64
_LEGS = (1, 2, 4, 3)


def check_resume(subject: Subject, seed: int) -> None:
    """Check that after any number of batches a new sampler continues, by the sampler's state and by its iterator's."""
    first, second = subject.epochs(subject.make(seed), 2)
    for done in _places(len(first)):
        running, resumed = subject.make(seed), subject.make(seed)
        passing = iter(running)
        _skip(passing, done)
        resumed.load_state_dict(_copy(running.state_dict()))
        _require_rest(
            _rule("The sampler's state", done), first, second, done, _continue(subject, resumed, resumed), seed
        )
        if hasattr(passing, "state_dict"):
            iterator = iter(subject.make(seed))
            iterator.load_state_dict(_copy(passing.state_dict()))
            require_same(_rule("The iterator's state", done), first[done:], subject.take(iterator), Where(seed, 0))


def check_stateful_loader(subject: Subject, seed: int) -> None:
    """Check that a `StatefulDataLoader` continues where its state was taken, and then with the next epoch."""
    from torchdata.stateful_dataloader import StatefulDataLoader  # noqa: PLC0415 - only for those who claim it.

    first, second = subject.epochs(subject.make(seed), 2)
    rows: Any = range(subject.rows)
    for num_workers in (0, 2):
        settings = {"num_workers": num_workers, "collate_fn": list}
        rule = f"The state of a StatefulDataLoader with {num_workers} workers"
        for done in sorted({0, 1, len(first) // 2, len(first) - 1} & set(range(len(first)))):
            running, sampler = (
                StatefulDataLoader(rows, batch_sampler=subject.make(seed), **settings),
                subject.make(seed),
            )
            passing = iter(running)
            _skip(passing, done)
            resumed = StatefulDataLoader(rows, batch_sampler=sampler, **settings)
            resumed.load_state_dict(_copy(running.state_dict()))
            _require_rest(_rule(rule, done), first, second, done, _continue(subject, sampler, resumed), seed)


def check_elastic(subject: Subject, seed: int) -> None:
    """Check that legs on 1, 2, 4 and 3 ranks, saved and loaded between, deliver an epoch once, in order."""
    whole = subject.batches(Where(seed, 0))
    rounds = max(1, len(whole) // (2 * sum(_LEGS)))
    seen: Batches = []
    state: Any = None
    for world in _LEGS * len(whole):
        parts, states = [], []
        for rank in range(world):
            sampler = subject.make(seed, num_replicas=world, rank=rank)
            if state is not None:
                sampler.load_state_dict(_copy(state))
            parts.append(subject.take(sampler, rounds))
            states.append(_copy(sampler.state_dict()))
        seen += in_turn(parts)
        # Any rank's state will do, so that the last one is as good as the first.
        state = states[-1]
        rule = f"Legs on {_LEGS} ranks in turn, with states saved and loaded between, must deliver the epoch once"
        require_same(rule, whole[: len(seen)], seen[: len(whole)], Where(seed, 0))
        if len(seen) >= len(whole):
            return


def _continue(subject: Subject, sampler: Any, passes: Any) -> tuple[Batches, Batches]:
    """Return the rest of an interrupted epoch, and the epoch after it, of a sampler or of a loader over it."""
    rest = subject.take(passes)
    if subject.sets_epoch(sampler):
        set_epoch(sampler, 1)
    return rest, subject.take(passes)


def _require_rest(
    rule: str, first: Batches, second: Batches, done: int, found: tuple[Batches, Batches], seed: int
) -> None:
    """Raise unless the rest of the first epoch was found, and then the second epoch."""
    rest, following = found
    if done == len(first) and rest == second:
        # A state taken at the very end may mean the end of its epoch or the start of the next: both lose nothing.
        return
    require_same(rule, first[done:], rest, Where(seed, 0))
    require_same(f"{rule}, and then with the next epoch", second, following, Where(seed, 1))


def _rule(who: str, done: int) -> str:
    return f"{who}, taken after {done} batches, must continue with the very next one"


def _places(length: int) -> list[int]:
    """Return all places of an epoch, ends included, or so many that lie evenly."""
    every = max(1, -(-length // _MOST_PLACES))
    return sorted({*range(0, length, every), length})


def _skip(passing: Any, number: int) -> None:
    for _ in islice(passing, number):
        pass


def _copy(state: Any) -> Any:
    """Return a state as another process reads it."""
    return pickle.loads(pickle.dumps(state))  # noqa: S301 - a state that was just made.
