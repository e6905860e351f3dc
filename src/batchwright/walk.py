"""`walk`: all leaves of a chain with their probabilities, some at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from batchwright.draft import Draft
from batchwright.options import Expansion, Options
from batchwright.pipeline import Pipeline
from batchwright.stack import DraftStack
from batchwright.trunk import lots_of

__all__ = ["Leaves", "settled_in", "walk"]

Floats = NDArray[np.float64]
Leaves = tuple[Floats, DraftStack]
Settled = Callable[[DraftStack, int], NDArray[np.bool_]]


def walk(pipeline: Pipeline, draft: Draft, most: int, settled: Settled | None = None) -> Iterator[Leaves]:
    """Yield all leaves of a chain, as stacks with the probability of each draft, in bounded memory.

    Parameters
    ----------
    pipeline, draft
        The chain, and what it begins with.
    most
        How many drafts are worked out at once.
    settled
        Tells, of drafts that have gone through so many stages, for which ones nothing more is to be known: they are
        yielded as they are. By default only finished drafts are.
    """

    def go_on(reached: Expansion, level: int, chances: Floats) -> Iterator[Leaves]:
        """Yield what is below some drafts, or options of drafts, of the given probabilities."""
        if isinstance(reached, Options):
            for start in range(0, int(reached.counts.sum()), most):
                drafts, numbers, shares = reached.between(start, start + most)
                below = pipeline.take(level - 1, reached, drafts, numbers)
                yield from go_on(below, level, chances[drafts] * shares)
            return
        pipeline.require_sizes(level, reached, draft.batch_size)
        if level == len(pipeline.steps):
            yield chances, reached
            return
        if settled is not None:
            done = settled(reached, level)
            if done.any():
                at = np.flatnonzero(done)
                yield chances[at], reached.take(at)
                at = np.flatnonzero(~done)
                reached, chances = reached.take(at), chances[at]
        for lot in lots_of(pipeline.steps[level], reached) if len(reached) else []:
            yield from go_on(pipeline.expand(level, reached.take(lot)), level + 1, chances[lot])

    return go_on(DraftStack.of([draft]), 0, np.ones(1))


def settled_in(pipeline: Pipeline, by: str | list[str]) -> Settled:
    """Return what tells that the later stages leave the rows of each label as they are, on average.

    That is so where they only divide shares, and each share that they divide has one label.
    """

    def settled(stack: DraftStack, level: int) -> NDArray[np.bool_]:
        later = pipeline.steps[level:]
        if not all(stage.only_divides for stage in later):
            return np.zeros(len(stack), dtype=bool)
        touched = np.zeros(stack.quotas.size, dtype=bool)
        for stage in later:
            touched |= stack.within(getattr(stage, "scope", "all"))
        open_still = touched & ~stack.index.agree(stack.pools, by)
        done: NDArray[np.bool_] = np.bincount(stack.owners, weights=open_still, minlength=len(stack)) == 0
        return done

    return settled
