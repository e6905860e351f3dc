"""`Survey`: a chain gone through stage by stage, in all situations or in some."""

from __future__ import annotations

from functools import cached_property

import attrs
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from batchwright.draft import Draft
from batchwright.expectation import Expectation
from batchwright.options import Options
from batchwright.pipeline import Pipeline
from batchwright.stack import DraftStack
from batchwright.stages.base import Stage
from batchwright.tally import expected_rows, visits_and_inclusion
from batchwright.trunk import lots_of
from batchwright.walk import Leaves, settled_in, walk

__all__ = ["Level", "Survey"]

Floats = NDArray[np.float64]

# Drafts are worked out in so many lots at least, where it may turn out that there are more than can be looked at.
_LOTS = 1 << 3


@attrs.frozen(eq=False)
class Level:
    """One stage of a chain in a survey.

    Parameters
    ----------
    stage
        The stage.
    before, after
        The drafts that come to it, and what it makes of them, or some of each.
    situations
        How many drafts it makes of those that came to it.
    counted
        Whether these are all that the chain has there.
    whole
        Whether all of them are looked at.
    """

    stage: Stage
    before: DraftStack
    after: DraftStack
    situations: int
    counted: bool
    whole: bool


@attrs.frozen(eq=False, slots=False)
class Survey:
    """A chain gone through stage by stage, in all situations or, where there are too many, in those of small groups.

    Parameters
    ----------
    pipeline, start
        The chain, and what it begins with.
    most
        How many drafts there may be after a stage for all of them to be looked at.
    levels
        The stages in order.
    leaves, chances
        The finished drafts that are looked at, and the probability of each, as far as all are there.
    whole
        Whether all situations are looked at.
    """

    pipeline: Pipeline
    start: Draft
    most: int
    levels: tuple[Level, ...]
    leaves: DraftStack
    chances: Floats
    whole: bool

    @classmethod
    def of(cls, pipeline: Pipeline, start: Draft, most: int, seen: int) -> Survey:
        """Go through a chain, looking at all drafts after each stage if there are at most `most`, or else at `seen`."""
        levels: list[Level] = []
        chances, stack, whole = np.ones(1), DraftStack.of([start]), True
        for number, stage in enumerate(pipeline.steps):
            lot = lots_of(stage, stack)[0]
            whole = whole and lot.size == len(stack)
            before = stack.take(lot)
            reached, chances = pipeline.expand(number, before), chances[lot]
            situations, counted = len(before), whole
            while isinstance(reached, Options):
                situations, counted = int(reached.counts.sum()), whole
                if situations <= most:
                    drafts, numbers, shares = reached.between(0, most)
                else:
                    (drafts, numbers), whole = reached.some(min(most, seen)), False
                    shares = np.zeros(drafts.size)
                reached, chances = pipeline.take(number, reached, drafts, numbers), chances[drafts] * shares
            stack = reached
            pipeline.require_sizes(number + 1, stack, start.batch_size)
            levels.append(Level(stage, before, stack, situations, counted, whole))
        return cls(pipeline, start, most, tuple(levels), stack, chances, whole)

    @cached_property
    def expectation(self) -> Expectation | None:
        """What is known of each row; None unless all situations are looked at."""
        if not self.whole:
            return None
        sums = visits_and_inclusion([(self.chances, self.leaves)], self.pipeline.drawer)
        return Expectation(self.start.batch_size, self.leaves.universe, *sums)

    def settled(self, by: str) -> list[Leaves] | None:
        """Return the drafts that tell the rows of each label; None where they are more than are looked at.

        They are leaves, or drafts of which later stages divide only shares of one label: how many rows of it a batch
        holds does not depend on these.
        """
        lots, drafts = [], 0
        at_once = max(1, self.most // _LOTS)
        for lot in walk(self.pipeline, self.start, at_once, settled_in(self.pipeline, by)):
            lots.append(lot)
            drafts += len(lot[1])
            if drafts > self.most:
                return None
        return lots

    def expected_rows(self, by: str) -> pd.Series[float] | None:
        """Return the expected rows of a batch by label; None where that takes more drafts than are looked at."""
        lots = self.settled(by)
        return None if lots is None else expected_rows(lots, by)
