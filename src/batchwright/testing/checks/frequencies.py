"""The check that rows alike come alike often."""

from __future__ import annotations

import numpy as np

from batchwright.testing.failures import CheckFailure, Where
from batchwright.testing.statistics import FALSE_ALARM, chi_square_limit
from batchwright.testing.subject import Subject

__all__ = ["check_frequencies"]

# So often a row comes on average, over the batches that are counted; with fewer in a stratum than `_LEAST` on
# average, counts are too coarse for a chi-square and the stratum is left out.
_VISITS = 20
_LEAST = 5
_MOST_BATCHES = 20_000


def check_frequencies(subject: Subject, seed: int) -> None:
    """Check that rows of the same stratum come equally often.

    Pearson's chi-square within strata, given how many rows each stratum got. Its limit is that of independent
    draws with replacement; draws without replacement stray less, so the false-alarm rate stays below the stated one.
    """
    codes = subject.labels.codes(subject.claims.uniform_within)
    counts = np.zeros(codes.size)
    size = len(next(iter(subject.many(seed, 1)))[1])
    for _, batch in subject.many(seed, min(_MOST_BATCHES, _VISITS * codes.size // size + 1)):
        np.add.at(counts, batch, 1)
    rows = np.bincount(codes)
    expected = np.bincount(codes, weights=counts) / rows
    counted = expected >= _LEAST
    if not counted.any():
        rule = f"Frequencies must be told from {_LEAST} visits a row or more, which takes a smaller table"
        found = f"{codes.size} rows get at most {expected.max():.1f} in {_MOST_BATCHES} batches of {size}"
        raise CheckFailure(rule, found, Where(seed))
    degrees = int((rows[counted] - 1).sum())
    with np.errstate(divide="ignore", invalid="ignore"):
        strays = np.where(counted[codes], (counts - expected[codes]) ** 2 / expected[codes], 0.0)
    limit = chi_square_limit(degrees, FALSE_ALARM)
    if strays.sum() > limit:
        row = int(strays.argmax())
        found = (
            f"chi-square is {strays.sum():.0f} over {degrees} degrees of freedom, for at most {limit:.0f}; row {row} "
            f"came {counts[row]:.0f} times, its like {expected[codes[row]]:.1f} on average"
        )
        rule = f"Rows that agree in {subject.claims.uniform_within!r} must come equally often"
        raise CheckFailure(rule, found, Where(seed))
