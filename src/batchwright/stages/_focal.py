"""The focal values of `TemporalEnricher`: which values occur in the primary shares of many drafts."""

from __future__ import annotations

import attrs
import numpy as np
from numpy.typing import NDArray

from batchwright.pools import Pools
from batchwright.ragged import bounds_of, bounds_of_owners, gather, lengths, opens, owners, places, totals
from batchwright.search import search
from batchwright.stack import DraftStack
from batchwright.timeline import Timeline
from batchwright.timelines import SharedTimes

__all__ = ["FocalValues"]

Integers = NDArray[np.int64]

# Times are marked by bits, in words of so many.
_WORD = 64
# Times are listed for so many runs at a time, or for a single draft.
_RUNS_AT_A_TIME = 1 << 18


@attrs.frozen(eq=False)
class FocalValues:
    """The distinct values in the primary shares of some drafts, missing ones left out, as spans of an array.

    Where each value has a run of its own they are spans of the runs, so that nothing is kept for each row; else their
    ranks are listed.

    Parameters
    ----------
    ranks
        int64: the ranks of the values that are listed. None where spans are of runs.
    starts, numbers
        int64, shape (S,) and (S + 1,): the first place of each span, and which numbers its values have, counted over
        all drafts.
    bounds
        int64, shape (K + 1,): the values of draft k have the numbers ``bounds[k] : bounds[k + 1]``.
    """

    ranks: Integers | None
    starts: Integers
    numbers: Integers
    bounds: Integers

    @classmethod
    def of(cls, stack: DraftStack, timeline: Timeline) -> FocalValues:
        """Find the values of some drafts."""
        draft, pools = _primary_pools(stack)
        ranges = bounds_of_owners(draft[pools.owners], len(stack))
        # Drafts that differ in quotas only stand together and have the same values, which are looked for once.
        new = _differs_from_the_one_before(ranges, pools)
        at, bounds = gather(ranges, np.flatnonzero(new))
        source, _, starts, stops = stack.index.pieces(pools.starts[at], pools.stops[at])
        spans = bounds_of_owners(owners(bounds)[source], bounds.size - 1)
        first, behind = timeline.runs_between(starts, stops)
        behind = behind - timeline.is_missing(behind - 1)
        ranks = None
        if isinstance(timeline, SharedTimes):
            ranks, counts = _distinct(timeline, spans, first, behind)
            spans, first, behind = np.arange(spans.size), bounds_of(counts)[:-1], counts.cumsum()
        else:
            spans, first, behind = _merged(owners(spans), first, behind, spans.size - 1)
        again, bounds = gather(spans, new.cumsum() - 1)
        numbers = bounds_of((behind - first)[again])
        return cls(ranks, first[again], numbers, numbers[bounds])

    @property
    def counts(self) -> Integers:
        """How many values each draft has."""
        return lengths(self.bounds)

    def in_timeline(self, numbers: Integers) -> Integers:
        """Return the numbers that the timeline gives to some values: their ranks, or else their runs."""
        span = search(self.numbers, numbers, side="right") - 1
        place = self.starts[span] + numbers - self.numbers[span]
        return place if self.ranks is None else self.ranks[place]


def _primary_pools(stack: DraftStack) -> tuple[Integers, Pools]:
    """Return the pools that primary rows are drawn from, draft after draft; the selection where all rows leak in."""
    shares = np.flatnonzero(stack.within("primary"))
    draft = stack.owners[shares]
    without = np.flatnonzero(np.bincount(draft, minlength=len(stack)) == 0)
    if not without.size:
        return draft, stack.pools.take(shares)
    draft = np.concatenate([draft, without])
    order = np.argsort(draft, kind="stable")
    return draft[order], Pools.join([stack.pools.take(shares), stack.primary.take(without)]).take(order)


def _differs_from_the_one_before(bounds: Integers, pools: Pools) -> NDArray[np.bool_]:
    """Tell for each draft, whose ranges stand at `bounds`, whether it has others than the draft before it."""
    counts = lengths(bounds)
    before = np.maximum(np.arange(bounds[-1]) - counts.repeat(counts), 0)
    other = (pools.starts != pools.starts[before]) | (pools.stops != pools.stops[before])
    differs: NDArray[np.bool_] = totals(other.astype(np.int64), bounds) > 0
    differs[1:] |= counts[1:] != counts[:-1]
    differs[:1] = True
    return differs


def _merged(row: Integers, first: Integers, behind: Integers, rows: int) -> tuple[Integers, Integers, Integers]:
    """Return the spans of each row sorted, those that overlap as one, and their bounds: what shares have in common."""
    radix = int(behind.max(initial=0)) + 1
    order = np.argsort(row * radix + first, kind="stable")
    row, first, behind = row[order], first[order], behind[order]
    reached = np.maximum.accumulate(row * radix + behind)
    opens = np.append(True, (row * radix + first)[1:] >= reached[:-1])[: row.size]
    closes = np.append(opens[1:], True)[: row.size]
    return bounds_of_owners(row[opens], rows), first[opens], reached[closes] - row[closes] * radix


def _distinct(timeline: SharedTimes, spans: Integers, first: Integers, behind: Integers) -> tuple[Integers, Integers]:
    """Return the distinct ranks of the runs of each row of spans, sorted, and how many each row has.

    Every row has a span.
    """
    longest = int((behind - first).max(initial=0)) + 1
    once, which = np.unique(first * longest + behind - first, return_inverse=True)
    first, counts = np.divmod(once, longest)
    bits = -(-timeline.times.size // _WORD) * _WORD
    # Spans that many rows have in common are marked once, where that takes no more memory than a list of all runs.
    if (once.size + spans.size + which.size / 8) * bits <= counts[which].sum() * 8:
        return _marked(timeline, spans, which, first, counts, bits)
    return _listed(timeline, spans, first[which], counts[which])


def _marked(
    timeline: SharedTimes, spans: Integers, which: Integers, first: Integers, counts: Integers, bits: int
) -> tuple[Integers, Integers]:
    """Find the ranks by a bit for each time, in each of the spans that rows have by their numbers."""
    marks = np.zeros((first.size, bits), dtype=bool)
    marks[np.arange(first.size).repeat(counts), _ranks(timeline, first, counts)] = True
    words = np.packbits(marks, axis=1).view(np.uint64)
    found = np.bitwise_or.reduceat(words[which], spans[:-1])
    held = np.unpackbits(found.view(np.uint8), axis=1)
    return np.flatnonzero(held) % bits, np.count_nonzero(held, axis=1)


def _listed(timeline: SharedTimes, spans: Integers, first: Integers, counts: Integers) -> tuple[Integers, Integers]:
    """Find the ranks by listing those of all spans, of some rows at a time."""
    if spans.size > 2 and counts.sum() > _RUNS_AT_A_TIME:
        half = spans.size // 2
        at = spans[half]
        ranks, held = _listed(timeline, spans[: half + 1], first[:at], counts[:at])
        more, others = _listed(timeline, spans[half:] - at, first[at:], counts[at:])
        return np.concatenate([ranks, more]), np.concatenate([held, others])
    found = np.sort(owners(spans).repeat(counts) * timeline.radix + _ranks(timeline, first, counts))
    found = found[opens(found)]
    row, ranks = np.divmod(found, timeline.radix)
    return ranks, np.bincount(row, minlength=spans.size - 1)


def _ranks(timeline: SharedTimes, first: Integers, counts: Integers) -> Integers:
    """Return the ranks of so many runs from each first one on."""
    return timeline.ranks(places(first, bounds_of(counts)))
