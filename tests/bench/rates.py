"""The rule by which a cost is taken, the same for every line of the tables.

    cost of a batch = (preparation + batches behind it, scaled to the epoch) / steps of the epoch

Preparation is what stands before the first batch of an epoch, the first batch included. Then batches are taken until
the epoch has run out, as a loop over it would find, or a budget of time is spent; what was taken is scaled to the whole
epoch. So who prepares an epoch at once is not flattered, and who takes hours for one need not be waited for. An epoch
that is over in no time is begun again and again. Some may be drawn together with others, so a mean of many counts, and
since a machine may be busy for a while, the median of five such means.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from statistics import fmean
from typing import Any

import attrs

__all__ = ["Cost", "measure", "typical"]

RUNS = 5


@attrs.frozen
class Cost:
    """What was measured of an epoch.

    Parameters
    ----------
    steps, taken
        Batches of the epoch, and how many of them were taken.
    preparation, rest
        Seconds up to the first batch, and from there to the last one taken.
    size
        Rows of the first batch.
    """

    steps: int
    taken: int
    preparation: float
    rest: float
    size: int

    @property
    def batch(self) -> float:
        """Seconds a batch, over the whole epoch."""
        scale = (self.steps - 1) / (self.taken - 1) if self.taken > 1 else 0.0
        return (self.preparation + self.rest * scale) / self.steps


def measure(begin: Callable[[], Iterable[Any]], steps: int, budget: float, least: int = 1) -> Cost:
    """Begin an epoch and take its batches: all of them and its end, or for so many seconds, but so many at least."""
    start = time.perf_counter()
    batches = iter(begin())
    first = next(batches)
    prepared = time.perf_counter()
    taken, now = 1, prepared
    while taken < steps and (now - prepared < budget or taken < least):
        taken += _take(batches, min(taken, steps - taken))
        now = time.perf_counter()
    if taken == steps:
        next(batches, None)
        now = time.perf_counter()
    return Cost(steps, taken, prepared - start, now - prepared, len(first))


def typical(once: Callable[[], Cost], enough: float) -> Cost:
    """Measure one epoch after the other until so many seconds were spent, and return the median of means of runs."""
    costs = [once()]
    while sum(cost.preparation + cost.rest for cost in costs) < enough:
        costs.append(once())
    length = -(-len(costs) // RUNS)
    means = [_mean(costs[start : start + length]) for start in range(0, len(costs), length)]
    return sorted(means, key=lambda cost: cost.batch)[len(means) // 2]


def _mean(costs: list[Cost]) -> Cost:
    preparation, rest = (fmean(getattr(cost, name) for cost in costs) for name in ("preparation", "rest"))
    return attrs.evolve(costs[0], preparation=preparation, rest=rest)


def _take(batches: Iterator[Any], count: int) -> int:
    """Take so many batches and forget them, twice as many each time, so that the clock is read rarely."""
    deque(islice(batches, count), maxlen=0)
    return count
