"""`Trunk`: the situations that a chain starts from, worked out once; from there batches follow the chain in blocks."""

from __future__ import annotations

import attrs
import numpy as np
from numpy.typing import NDArray

from batchwright.draft import Draft
from batchwright.layout import Layout
from batchwright.options import Expansion, Options, rest_of
from batchwright.pipeline import Pipeline
from batchwright.search import search
from batchwright.stack import DraftStack
from batchwright.stages.base import Stage

__all__ = ["Trunk", "lots_of"]

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]

# What a stage works on at once reaches over so many cells at most, or is a single draft.
_CELLS_AT_ONCE = 1 << 21


@attrs.frozen(eq=False)
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
    layout
        All leaves compiled for drawing, where they are reached.
    """

    pipeline: Pipeline
    bounds: Floats
    reached: Expansion
    level: int
    batch_size: int
    layout: Layout | None = attrs.field(init=False)

    @layout.default
    def _compile(self) -> Layout | None:
        return Layout.of(self.reached) if self.is_whole and isinstance(self.reached, DraftStack) else None

    @classmethod
    def grow(cls, pipeline: Pipeline, draft: Draft, limit: int) -> Trunk:
        """Follow all paths from a draft, as long as there are at most `limit`."""
        trunk = cls(pipeline, np.array([0.0, 1.0]), DraftStack.of([draft]), 0, draft.batch_size)
        while not trunk.is_whole:
            if isinstance(trunk.reached, DraftStack):
                if len(lots_of(pipeline.steps[trunk.level], trunk.reached)) > 1:
                    break
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

    def follow(self, u: Floats) -> tuple[Layout, Integers]:
        """Follow the paths that some numbers in [0, 1) decide.

        Returns
        -------
        layout
            The leaves that are come to, and perhaps others.
        leaves
            int64, in the shape of `u`: which of them each number comes to.
        """
        which = search(self.bounds, u, side="right") - 1
        if self.layout is not None:
            return self.layout, which
        rest = rest_of(u, self.bounds[which], self.bounds[which + 1])
        return self._descend(self.reached, self.level, which, rest)

    def some(self, limit: int) -> DraftStack:
        """Return at most `limit` leaves, or all where all are reached: those of the smallest alternatives."""
        return self._look(self.reached, self.level, limit)

    def _descend(self, reached: Expansion, level: int, which: Integers, rest: Floats) -> tuple[Layout, Integers]:
        """Go on to the end of the chain, each number from the draft that it has come to."""
        while isinstance(reached, Options) or level < len(self.pipeline.steps):
            if isinstance(reached, Options):
                numbers, rest = reached.locate(which, rest)
                if (leaves := self.pipeline.layout(level - 1, reached, which, numbers)) is not None:
                    self._require_size(leaves, level)
                    return leaves, np.arange(which.size)
                radix = int(numbers.max()) + 1
                present, which = np.unique(which * radix + numbers, return_inverse=True)
                reached = self.pipeline.take(level - 1, reached, *np.divmod(present, radix))
            elif len(lots := lots_of(self.pipeline.steps[level], reached)) > 1:
                return self._descend_in_lots(lots, reached, level, which, rest)
            else:
                reached, level = self.pipeline.expand(level, reached), level + 1
            self._require_size(reached, level)
        return Layout.of(reached), which

    def _descend_in_lots(
        self, lots: list[Integers], stack: DraftStack, level: int, which: Integers, rest: Floats
    ) -> tuple[Layout, Integers]:
        """Go on from some drafts at a time."""
        leaves, found, count = [], np.empty_like(which), 0
        for lot in lots:
            place = np.full(len(stack), -1)
            place[lot] = np.arange(lot.size)
            mine = np.flatnonzero(place[which] >= 0)
            if mine.size:
                below, numbers = self._descend(stack.take(lot), level, place[which[mine]], rest[mine])
                found[mine] = count + numbers
                count += below.bounds.size - 1
                leaves.append(below)
        return Layout.join(leaves), found

    def _look(self, reached: Expansion, level: int, limit: int) -> DraftStack:
        """Go on to the end of the chain along some alternatives."""
        while isinstance(reached, Options) or level < len(self.pipeline.steps):
            if isinstance(reached, Options):
                reached = self.pipeline.take(level - 1, reached, *reached.some(limit))
            elif len(lots := lots_of(self.pipeline.steps[level], reached)) > 1:
                drafts = len(reached)
                return DraftStack.join(
                    [self._look(reached.take(lot), level, max(1, limit * lot.size // drafts)) for lot in lots]
                )
            else:
                reached, level = self.pipeline.expand(level, reached), level + 1
            self._require_size(reached, level)
        return reached

    def _require_size(self, reached: Expansion | Layout, level: int) -> None:
        if not isinstance(reached, Options):
            self.pipeline.require_sizes(level, reached, self.batch_size)


def lots_of(stage: Stage, stack: DraftStack) -> list[Integers]:
    """Return the numbers of the drafts that a stage can work on at once in bounded memory.

    What it takes is as many entries for each draft as the widest of them has: the cells that its shares reach over.
    """
    index = stack.index
    if len(stack) * len(index.cells) <= _CELLS_AT_ONCE or len(stack) == 1:
        return [np.arange(len(stack))]
    share = np.flatnonzero(stack.within(getattr(stage, "scope", "primary")))
    pools = stack.pools.take(share)
    # A pool reaches no more cells than it has rows, which is known at once.
    rows = np.bincount(stack.owners[share], weights=pools.sizes, minlength=len(stack))
    if len(stack) * rows.max() <= _CELLS_AT_ONCE:
        return [np.arange(len(stack))]
    cells = np.bincount(stack.owners[share][pools.owners], weights=index.reach(pools), minlength=len(stack))
    order = np.argsort(cells, kind="stable")
    cells, lots, start = cells[order], [], 0
    while start < order.size:
        # Sorted by width, so the last of a lot is its widest.
        entries = np.arange(1, order.size - start + 1) * cells[start:]
        stop = start + max(1, int(np.count_nonzero(entries <= _CELLS_AT_ONCE)))
        lots.append(np.sort(order[start:stop]))
        start = stop
    return lots
