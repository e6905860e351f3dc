"""`Trunk`: the situations that a chain starts from, worked out once; from there batches follow the chain in blocks."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

import attrs
import numpy as np
from numpy.typing import NDArray

from batchwright.draft import Draft
from batchwright.layout import Layout
from batchwright.options import Expansion, Options
from batchwright.pipeline import Pipeline
from batchwright.stack import DraftStack

__all__ = ["Trunk"]

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]

_BELOW_ONE = np.nextafter(1.0, 0.0)


@attrs.frozen(eq=False, slots=False)
class Trunk:
    """The tree of a chain down to where it has too many situations to keep them all.

    Parameters
    ----------
    pipeline
        The chain.
    bounds
        float64, shape (K + 1,): situation k is the interval ``bounds[k] : bounds[k + 1]`` of a batch's number.
    reached
        The K drafts, or the options that they have.
    level
        The number of the next stage.
    batch_size
        Rows of a batch.
    """

    pipeline: Pipeline
    bounds: Floats
    reached: Expansion
    level: int
    batch_size: int

    @classmethod
    def grow(cls, pipeline: Pipeline, draft: Draft, limit: int) -> Trunk:
        """Follow all paths from a draft, as long as there are at most `limit`."""
        trunk = cls(pipeline, np.array([0.0, 1.0]), DraftStack.of([draft]), 0, draft.batch_size)
        while not trunk.is_whole:
            if isinstance(trunk.reached, DraftStack):
                trunk = attrs.evolve(trunk, reached=pipeline.expand(trunk.level, trunk.reached), level=trunk.level + 1)
            elif trunk.reached.counts.sum() > limit:
                break
            else:
                drafts, numbers, low = trunk.reached.every()
                bounds = np.append(trunk.bounds[drafts] + low * np.diff(trunk.bounds)[drafts], 1.0)
                reached = pipeline.take(trunk.level - 1, trunk.reached, drafts, numbers)
                trunk = attrs.evolve(trunk, bounds=bounds, reached=reached)
            trunk._require_size(trunk.reached, trunk.level)  # noqa: SLF001 - a trunk of this class.
        return trunk

    @property
    def is_whole(self) -> bool:
        """Whether all leaves of the tree are reached."""
        return self.level == len(self.pipeline.steps) and isinstance(self.reached, DraftStack)

    @cached_property
    def layout(self) -> Layout:
        """All leaves compiled for drawing, where they are reached."""
        assert isinstance(self.reached, DraftStack)  # noqa: S101 - asked only where `is_whole`.
        return Layout.of(self.reached)

    def follow(self, u: Floats) -> tuple[Layout, Integers]:
        """Follow the paths that some numbers in [0, 1) decide.

        Returns
        -------
        layout
            The leaves that are come to, and perhaps others.
        leaves
            int64, in the shape of `u`: which of them each number comes to.
        """
        which = np.searchsorted(self.bounds, u, side="right") - 1
        if self.is_whole:
            return self.layout, which
        rest = np.minimum((u - self.bounds[which]) / np.diff(self.bounds)[which], _BELOW_ONE)

        def decide(options: Options) -> tuple[Integers, Integers]:
            nonlocal which, rest
            numbers, rest = options.locate(which, rest)
            radix = int(numbers.max()) + 1
            present, which = np.unique(which * radix + numbers, return_inverse=True)
            return np.divmod(present, radix)

        return Layout.of(self._descend(decide)), which

    def some(self, limit: int) -> DraftStack:
        """Return at most `limit` leaves, or all where all are reached: those of the smallest alternatives."""
        return self._descend(lambda options: options.some(limit))

    def _descend(self, pick: Callable[[Options], tuple[Integers, Integers]]) -> DraftStack:
        """Go on to the end of the chain; `pick` says which alternatives are taken."""
        reached, level = self.reached, self.level
        while isinstance(reached, Options) or level < len(self.pipeline.steps):
            if isinstance(reached, Options):
                reached = self.pipeline.take(level - 1, reached, *pick(reached))
            else:
                reached, level = self.pipeline.expand(level, reached), level + 1
            self._require_size(reached, level)
        return reached

    def _require_size(self, reached: Expansion, level: int) -> None:
        if isinstance(reached, DraftStack):
            sizes = reached.batch_sizes
            self.pipeline.require_size(level, sizes[(sizes != self.batch_size).argmax()], self.batch_size)
