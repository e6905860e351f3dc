"""`Options`: the weighted alternatives of many drafts, and how numbers pick among them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from batchwright.draft import Choice, Draft, require_outcome
from batchwright.layout import Layout
from batchwright.pools import Pools
from batchwright.ragged import bounds_of, pad, places
from batchwright.rounding import Roundings
from batchwright.search import search, search_rows
from batchwright.stack import DraftStack, with_step

__all__ = ["Expansion", "Options", "divide", "in_lots", "lift", "rest_of"]

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]

# Arrays that are as long as drafts have labels or pieces are held to so many entries.
_ENTRIES_AT_A_TIME = 1 << 20

_BELOW_ONE = np.nextafter(1.0, 0.0)


@attrs.frozen(eq=False, slots=False)
class Options:
    """What a `Choice` is for one draft, for many drafts at once.

    Parameters
    ----------
    probabilities
        float64, shape (K, longest): of the alternatives of each draft; rows sum to 1, and what a draft does not
        have is 0.
    take
        Maps two int64 arrays, of draft numbers and of the number of an alternative of each, to these alternatives
        as one stack. Pure.
    parts
        int64, shape (K,), positive: every alternative of draft k stands for so many that are alike in
        probability. Alternative a then has the numbers ``a * parts[k]`` and on. By default 1.
    sizes
        How many rows each alternative selects, int64, shape (K, longest). Small ones are looked at first when a
        sampler is built; by default the least likely ones.
    layout
        Maps the same as `take` to these alternatives, one behind the other, as drawing needs them: a short cut for a
        stage whose alternatives are too many to keep, by which the same rows are drawn. By default there is none.
        Who replaces `take` replaces it, too, or sets it to None.
    """

    probabilities: Floats
    take: Callable[[Integers, Integers], Expansion]
    parts: Integers | None = None
    sizes: Integers | None = None
    layout: Callable[[Integers, Integers], Layout] | None = None

    @cached_property
    def bounds(self) -> Floats:
        """Cumulative probabilities of each draft from 0.0 to exactly 1.0: float64, shape (K, longest + 1)."""
        sums = np.cumsum(self.probabilities, axis=1)
        scaled: Floats = np.concatenate([np.zeros_like(sums[:, :1]), sums], axis=1) / sums[:, -1:]
        return scaled

    @cached_property
    def _parts(self) -> Integers:
        return np.ones(len(self.probabilities), dtype=np.int64) if self.parts is None else self.parts

    @property
    def counts(self) -> Integers:
        """How many alternatives each draft has that can be taken: int64, shape (K,)."""
        counts: Integers = np.count_nonzero(self.probabilities, axis=1) * self._parts
        return counts

    def locate(self, drafts: Integers, u: Floats) -> tuple[Integers, Floats]:
        """Return the alternatives that numbers in [0, 1) decide, one for each of some drafts, and what is left of them.

        Returns
        -------
        alternatives
            int64, in the shape of `drafts`.
        rest
            float64 in [0, 1): where each number lies in the interval of its alternative, for later choices.
        """
        found = search_rows(self.bounds, drafts, u) - 1
        rest = rest_of(u, self.bounds[drafts, found], self.bounds[drafts, found + 1])
        if self.parts is None:
            return found, rest
        parts = self.parts[drafts]
        # The largest number below 1, times a whole number, stays below that number when it is rounded.
        place: Floats = rest * parts
        part: Integers = place.astype(np.int64)
        rest = place - part
        return found * parts + part, rest

    def every(self) -> tuple[Integers, Integers, Floats]:
        """Return all alternatives that can be taken, draft after draft: drafts, numbers, and where each begins."""
        drafts, numbers = np.nonzero(self.probabilities)
        low, high = self.bounds[drafts, numbers], self.bounds[drafts, numbers + 1]
        parts = self._parts[drafts]
        part = places(np.zeros_like(parts), bounds_of(parts))
        low = np.repeat(low, parts) + np.repeat((high - low) / parts, parts) * part
        return np.repeat(drafts, parts), np.repeat(numbers * parts, parts) + part, low

    def between(self, start: int, stop: int) -> tuple[Integers, Integers, Floats]:
        """Return some of all alternatives that can be taken, counted draft after draft.

        Returns
        -------
        drafts, numbers
            int64, shape (at most stop - start,): whose alternatives, and which.
        probabilities
            float64, in the same shape: of each among those of its draft.
        """
        drafts, outcomes, bounds = self._listed
        flat = np.arange(start, min(stop, bounds[-1]))
        which = search(bounds, flat, side="right") - 1
        drafts, outcomes, part = drafts[which], outcomes[which], flat - bounds[which]
        parts = self._parts[drafts]
        return drafts, outcomes * parts + part, self.probabilities[drafts, outcomes] / parts

    @cached_property
    def _listed(self) -> tuple[Integers, Integers, Integers]:
        """Drafts and alternatives that can be taken, and where the parts of each begin when all are counted."""
        drafts, outcomes = np.nonzero(self.probabilities)
        return drafts, outcomes, bounds_of(self._parts[drafts])

    def some(self, limit: int) -> tuple[Integers, Integers]:
        """Return at most `limit` alternatives as drafts and numbers, as many of each draft, the smallest first."""
        most = max(1, limit // len(self.probabilities))
        drafts, numbers = [], []
        for k in range(min(limit, len(self.probabilities))):
            chosen = np.flatnonzero(self.probabilities[k])
            by_size = (self.probabilities if self.sizes is None else self.sizes)[k, chosen]
            parts = int(self._parts[k])
            chosen = chosen[np.argsort(by_size, kind="stable")[:most]]
            every = (chosen[:, None] * parts + np.arange(min(parts, most))).ravel()[:most]
            drafts.append(np.full(every.size, k))
            numbers.append(every)
        return np.concatenate(drafts), np.concatenate(numbers)


Expansion = DraftStack | Options


def rest_of(u: Floats, low: Floats, high: Floats) -> Floats:
    """Return where numbers lie in their intervals, as numbers in [0, 1); what rounds up to 1 stays below it."""
    return np.minimum((u - low) / (high - low), _BELOW_ONE)


def divide(
    stack: DraftStack, bounds: Integers, pools: Pools, targets: Floats, roles: NDArray[np.str_], step: str
) -> Expansion:
    """Give each draft new shares, whose quotas are the targets, rounded systematically over the draft.

    Parameters
    ----------
    stack
        The drafts.
    bounds
        int64, shape (K + 1,): the new shares of draft k are ``bounds[k] : bounds[k + 1]``.
    pools, targets, roles
        Of each new share; what rounds to no rows is left out. The targets of a draft sum to its batch size.
    step
        What is done, as `Draft.done` names it.
    """
    divided = attrs.evolve(stack, bounds=bounds, pools=pools, roles=roles, done=with_step(stack.done, step))
    roundings = Roundings.of(targets, bounds)

    def rounded(drafts: Integers, outcomes: Integers) -> DraftStack:
        return divided.fill(drafts, *roundings.held(drafts, outcomes))

    taken = in_lots(rounded, roundings.width)
    if (roundings.probabilities.max(axis=1) == 1).all():
        return taken(np.arange(len(stack)), roundings.probabilities.argmax(axis=1))
    return Options(roundings.probabilities, taken)


def in_lots(take: Callable[[Integers, Integers], DraftStack], width: int) -> Callable[[Integers, Integers], DraftStack]:
    """Return the same `take`, working out so many alternatives at a time that memory stays small.

    `width` is how many entries of an array an alternative needs on the way.
    """
    lot = max(1, _ENTRIES_AT_A_TIME // width)

    def taken(drafts: Integers, numbers: Integers) -> DraftStack:
        if drafts.size <= lot:
            return take(drafts, numbers)
        lots = [slice(start, start + lot) for start in range(0, drafts.size, lot)]
        return DraftStack.join([take(drafts[part], numbers[part]) for part in lots])

    return taken


def lift(outcomes: Sequence[Any]) -> Expansion:
    """Return what a stage made of some drafts, one after the other, as what it makes of all at once.

    Raises
    ------
    ChainError
        If one is neither a draft nor a choice.
    """
    for outcome in outcomes:
        require_outcome(outcome, f"one of {len(outcomes)} outcomes of Stage.apply")
    if all(isinstance(outcome, Draft) for outcome in outcomes):
        return DraftStack.of(outcomes)
    weights = [outcome.weights if isinstance(outcome, Choice) else np.ones(1) for outcome in outcomes]
    probabilities, _ = pad(np.concatenate(weights), bounds_of([row.size for row in weights]))

    def take(drafts: Integers, numbers: Integers) -> Expansion:
        taken = [(outcomes[draft], k) for draft, k in zip(drafts.tolist(), numbers.tolist(), strict=True)]
        return lift([outcome.child(k) if isinstance(outcome, Choice) else outcome for outcome, k in taken])

    return Options(probabilities, take)
