"""`sampler_machine`: a sampler driven in any order, against the pure function that it must be."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any, ClassVar

import attrs
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from batchwright.testing.copies import pickled

__all__ = ["SamplerMachine", "sampler_machine"]

_EPOCHS = st.integers(0, 3)
_WORLDS = st.integers(1, 4)


@attrs.define
class _Place:
    """What a sampler must know of its place, in the obvious form: the model that it is held against.

    Parameters
    ----------
    epoch, step
        Where the next pass begins.
    begun
        Whether a pass has begun there already, so that the next one takes a new epoch.
    """

    epoch: int = 0
    step: int = 0
    begun: bool = False

    def move(self, epoch: int, step: int, steps: int) -> None:
        """Let the next pass begin at a step; the end of an epoch is the start of the next."""
        self.epoch, self.step = (epoch, step) if step < steps else (epoch + 1, 0)
        self.begun = False

    def begin(self) -> tuple[int, int]:
        """Return epoch and step of a new pass."""
        if self.begun:
            self.epoch, self.step = self.epoch + 1, 0
        place = self.epoch, self.step
        self.step, self.begun = 0, True
        return place


def sampler_machine(factory: Callable[..., Any]) -> type[SamplerMachine]:
    """Return a state machine of hypothesis that drives a sampler in any order and checks every batch.

    It sets epochs, takes batches, starts passes anew, seeks, saves and loads states of samplers and of iterators,
    copies samplers, peeks, and changes the number of ranks. Each batch is held against ``batch(step, epoch)`` of a
    sampler to which nothing else was done. All ranks are driven in step.

    Parameters
    ----------
    factory
        Takes ``num_replicas`` and ``rank`` by name. Its samplers have ``batch``, ``seek``, ``set_epoch``,
        ``state_dict`` and ``load_state_dict``, begin a new epoch with each pass, and all deliver equally many batches.

    Examples
    --------
    >>> from batchwright import Drawer, PipelineSampler
    >>> def factory(num_replicas, rank):
    ...     return PipelineSampler({"x": range(40)}, [Drawer()], 8, num_replicas=num_replicas, rank=rank)
    >>> TestMySampler = sampler_machine(factory).TestCase
    """
    return type("SamplerMachine", (SamplerMachine,), {"factory": staticmethod(factory)})


class SamplerMachine(RuleBasedStateMachine):
    """One history of a sampler; see `sampler_machine`."""

    factory: ClassVar[Callable[..., Any]]

    def __init__(self) -> None:
        super().__init__()
        self.oracle = self.factory(num_replicas=1, rank=0)
        self.steps = len(self.oracle)
        self.sizes = {len(self.oracle.batch(step)) for step in range(self.steps)}
        self.place = _Place()
        self.passes: list[Any] = []
        # Epoch, and steps done over all ranks, of the pass begun last, until another epoch or place is set.
        self.running: tuple[int, int] | None = None
        self.fresh = True

    @initialize(world=_WORLDS)
    def start(self, world: int) -> None:
        """Make the samplers of all ranks."""
        self.samplers = [self.factory(num_replicas=world, rank=rank) for rank in range(world)]

    @rule()
    def begin(self) -> None:
        """Make new iterators, which changes nothing until their first batch."""
        self.passes, self.fresh = [iter(sampler) for sampler in self.samplers], True

    @rule(rounds=st.integers(1, 4))
    def take(self, rounds: int) -> None:
        """Take some batches of every rank, perhaps to the end of the pass."""
        if not self.passes:
            self.begin()
        for _ in range(rounds):
            if not self._take_round():
                break

    @rule(epoch=st.none() | _EPOCHS)
    def set_epoch(self, epoch: int | None) -> None:
        """Set an epoch, or the same once more, which keeps a running pass and a place to resume from."""
        number = self.place.epoch if epoch is None else epoch
        for sampler in self.samplers:
            sampler.set_epoch(number)
        if number != self.place.epoch:
            self._leave()
            self.place.move(number, 0, self.steps)
        self.place.begun = False

    @rule(epoch=_EPOCHS, data=st.data())
    def seek(self, epoch: int, data: st.DataObject) -> None:
        """Go to any step of any epoch."""
        step = data.draw(st.integers(0, self.steps), label="step")
        for sampler in self.samplers:
            sampler.seek(epoch, step)
        self._leave()
        self.place.move(epoch, step, self.steps)

    @rule(world=_WORLDS, data=st.data())
    def save_and_load(self, world: int, data: st.DataObject) -> None:
        """Go on in new processes, perhaps more or fewer, from a state that any rank saved."""
        sources = [*self.samplers, *self.passes]
        source: Any = sources[data.draw(st.integers(0, len(sources) - 1), label="source")]
        state = pickled(source.state_dict())
        self.start(world)
        for sampler in self.samplers:
            sampler.load_state_dict(state)
        place = self._position()
        self._leave()
        self.place.move(*place, self.steps)

    @rule()
    def load_into_iterators(self) -> None:
        """Go on in new iterators of new samplers, from states of the old ones, by a batch at least."""
        states: list[Any] = [copy.deepcopy(sampler.state_dict()) for sampler in self.samplers]
        place = self._position()
        self.start(len(self.samplers))
        self._leave()
        self.begin()
        for passing, state in zip(self.passes, states, strict=True):
            passing.load_state_dict(state)
        # A finished state leaves nothing to deliver; any other begins its epoch there.
        self.place.move(*place, self.steps)
        self.place.step, self.place.begun = 0, place[1] < self.steps
        self.running, self.fresh = place, False
        self._take_round()

    @rule(through_pickle=st.booleans())
    def copy_samplers(self, through_pickle: bool) -> None:
        """Go on with copies, which stand where the samplers do."""
        place = self._position() if self.running is not None else None
        self.samplers = [pickled(sampler) if through_pickle else copy.deepcopy(sampler) for sampler in self.samplers]
        self._leave()
        if place is not None:
            self.place.move(*place, self.steps)

    @rule(step=st.integers(0, 2), epoch=_EPOCHS)
    def look(self, step: int, epoch: int) -> None:
        """Look at everything, which must change nothing."""
        now = self.place.epoch
        for sampler in self.samplers:
            iter(sampler)
            repr(sampler)
            sampler.state_dict()
            step = min(step, self.steps - 1)
            _require("`len`", -(-self.steps // len(self.samplers)), len(sampler))
            for number, found in ((epoch, sampler.batch(step, epoch=epoch)), (now, sampler.batch(step))):
                _require(f"`batch` {step} of epoch {number}", self.oracle.batch(step, epoch=number), found)

    def _take_round(self) -> bool:
        """Take one batch of every rank; return False at the end of the pass."""
        if self.fresh or self.running is None:
            self.running, self.fresh = self.place.begin(), False
        epoch, done = self.running
        if done >= self.steps:
            for passing in self.passes:
                _require(f"what comes after epoch {epoch}", None, next(passing, None))
            self._leave()
            self.place.move(epoch + 1, 0, self.steps)
            return False
        for rank, passing in enumerate(self.passes):
            self._require_batch(next(passing), done + rank, epoch)
        self.running = epoch, min(done + len(self.passes), self.steps)
        return True

    def _require_batch(self, found: list[int], step: int, epoch: int) -> None:
        """Raise unless a batch is the one of its address; a filled one has no address within the epoch, but a size."""
        if step < self.steps:
            _require(f"step {step} of epoch {epoch}", self.oracle.batch(step, epoch=epoch), found)
        elif len(found) not in self.sizes:
            _require("the size of a filled batch", sorted(self.sizes), len(found))

    def _position(self) -> tuple[int, int]:
        """Return epoch and step that a state holds now."""
        return self.running if self.running is not None else (self.place.epoch, self.place.step)

    def _leave(self) -> None:
        """Forget the running pass."""
        self.passes, self.running = [], None


def _require(what: str, expected: Any, found: Any) -> None:
    if found != expected:
        msg = f"{what} must not depend on history; it should be {expected}, got {found}. The history stands beside."
        raise AssertionError(msg)
