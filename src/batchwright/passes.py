"""`Progress` and `Pass`: which epoch comes next, and one walk through it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Any

from batchwright.state import Identity, Position

__all__ = ["Pass", "Progress"]

_log = logging.getLogger(__name__)


class Progress:
    """Where a sampler stands: all that changes about it and decides what comes next.

    Parameters
    ----------
    steps
        Steps of an epoch, over all ranks.
    auto_epoch
        Whether a begun pass moves on to the next epoch by itself.
    """

    def __init__(self, steps: int, *, auto_epoch: bool) -> None:
        self.steps = steps
        self.epoch = 0
        self.calls = 0  # Counts set_epoch, so that a later call wins over a state that an iterator has loaded.
        self.compared = False  # Whether ranks were seen to mean the same sampler.
        self._auto_epoch = auto_epoch
        self._start = 0
        self._begun = False
        self._live: Pass | None = None
        self._warned = False

    @property
    def position(self) -> Position:
        """The position to save: that of the pass begun last, else the start of the next one."""
        return self._live.position if self._live is not None else Position(self.epoch, self._start)

    def move(self, position: Position) -> None:
        """Let the next pass begin at a position; the end of an epoch is the start of the next."""
        finished = position.step >= self.steps
        self.epoch, self._start = (position.epoch + 1, 0) if finished else (position.epoch, position.step)
        self._begun, self._live = False, None

    def set_epoch(self, epoch: int) -> None:
        """Set the epoch; the one that is set already keeps a position to resume from."""
        if epoch != self.epoch:
            self.move(Position(epoch, 0))
        self._begun = False
        self.calls += 1

    def begin(self, live: Pass, loaded: tuple[Position, int] | None) -> Position:
        """Return where a pass begins, and note that it has begun.

        A state that the iterator itself has loaded counts, unless another epoch was set since.
        """
        if loaded is not None and (loaded[1] == self.calls or loaded[0].epoch == self.epoch):
            position = loaded[0]
        else:
            position = self._next()
        self._start, self._begun, self._live = 0, position.epoch == self.epoch, live
        return position

    def end(self, finished: Pass) -> None:
        """Note that a pass has run out."""
        if self._auto_epoch and self._live is finished:
            self.move(finished.position)

    def _next(self) -> Position:
        if not self._begun:
            return Position(self.epoch, self._start)
        if self._auto_epoch:
            self.epoch += 1
        elif not self._warned:
            self._warned = True
            _log.warning(
                "Epoch %d is begun a second time and delivers the same batches; call set_epoch before each epoch.",
                self.epoch,
            )
        return Position(self.epoch, 0)

    def __getstate__(self) -> dict[str, Any]:
        # A copy holds no iterator: it goes on where this one stands.
        copy, position = Progress(self.steps, auto_epoch=self._auto_epoch), self.position
        copy.move(position)
        if position.step >= self.steps and not self._auto_epoch:
            # The epoch is over and stays until it is set, for the copy as well.
            copy.epoch, copy._begun = position.epoch, True
        return copy.__dict__


class Pass:
    """One walk through an epoch: an iterator over batches that knows its position.

    It takes epoch, step, rank and number of processes at its first `next`, since loaders make iterators that
    they never use, and make them before the rank is known.

    Parameters
    ----------
    progress
        The progress of the sampler.
    identity
        What its states belong to.
    deliver
        Returns the batches from a position on, and by how many steps each of them moves it.
    """

    def __init__(
        self, progress: Progress, identity: Identity, deliver: Callable[[Position], tuple[Iterator[list[int]], int]]
    ) -> None:
        self._progress = progress
        self._identity = identity
        self._deliver = deliver
        self._loaded: tuple[Position, int] | None = None
        self._batches: Iterator[list[int]] | None = None
        self._start: Position | None = None
        self._stride = 1
        self._delivered = 0
        self._finished = False

    @property
    def position(self) -> Position:
        """Where this pass stands, or would begin."""
        if self._start is None:
            return self._progress.position
        # A rank that runs out has done its part, though others may have one batch more.
        steps = self._progress.steps
        done = steps if self._finished else min(self._start.step + self._delivered * self._stride, steps)
        return Position(self._start.epoch, done)

    def __iter__(self) -> Pass:
        return self

    def __next__(self) -> list[int]:
        if self._batches is None:
            self._start = self._progress.begin(self, self._loaded)
            self._batches, self._stride = self._deliver(self._start)
        try:
            batch = next(self._batches)
        except StopIteration:
            self._finished = True
            self._progress.end(self)
            raise
        self._delivered += 1
        return batch

    def state_dict(self) -> dict[str, Any]:
        """Return the position as a fresh dict of plain values."""
        return self._identity.write(self.position)

    def load_state_dict(self, state: dict[str, Any] | None) -> None:
        """Continue at a saved position; a finished one leaves nothing to deliver in this pass.

        It takes the place of a position that the sampler itself has loaded. None means that nothing was saved.

        Raises
        ------
        StateError
            If the state was altered, or belongs to another table, chain, seed or version.
        """
        if state is None:
            return
        position = self._identity.read(state)
        whole = position if position.step == self._progress.steps else Position(position.epoch, 0)
        self._progress.move(whole)
        self._loaded, self._start = (position, self._progress.calls), position
        self._batches, self._delivered, self._finished = None, 0, False
