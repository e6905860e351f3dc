"""The check that rows alike come alike often."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from batchwright.testing.failures import CheckFailure, Where
from batchwright.testing.statistics import FALSE_ALARM, chi_square_limit, counts_stray
from batchwright.testing.subject import Subject

__all__ = ["check_frequencies"]

# So often a row comes on average, over the batches that are counted; with fewer in a stratum than `_LEAST` on
# average, counts are too coarse for a chi-square and the stratum is left out.
_VISITS = 100
_LEAST = 5
_BATCHES = 20_000


def check_frequencies(subject: Subject, seed: int) -> None:
    """Check that rows of the same stratum come equally often.

    Pearson's chi-square in each stratum, and a bound on each row, given how many rows each stratum got. Both are those
    of independent draws with replacement; draws without replacement stray less, so that the false-alarm rate stays
    below the stated one.
    """
    codes = subject.labels.codes(subject.claims.uniform_within)
    size = len(next(iter(subject.many(seed, 1)))[1])
    counts = np.zeros(codes.size)
    for _, batch in subject.many(seed, min(_BATCHES, _VISITS * codes.size // size + 1)):
        np.add.at(counts, batch, 1)
    expected = (np.bincount(codes, weights=counts) / np.bincount(codes))[codes]
    if expected.max() < _LEAST:
        rule = f"Frequencies must be told from {_LEAST} visits a row or more, which takes a smaller table"
        found = f"{codes.size} rows get at most {expected.max():.1f} in {_BATCHES} batches of {size}"
        raise CheckFailure(rule, found, Where(seed))
    rule = f"Rows that agree in {subject.claims.uniform_within!r} must come equally often"
    told = expected >= _LEAST
    _require_rows(rule, counts, expected, told, seed)
    for code in np.unique(codes[told]).tolist():
        _require_stratum(rule, counts[codes == code], expected[codes == code], np.unique(codes).size, seed)


def _require_rows(
    rule: str, counts: NDArray[np.float64], expected: NDArray[np.float64], told: NDArray[np.bool_], seed: int
) -> None:
    """Raise if a row comes too often or too seldom by itself."""
    rows = np.flatnonzero(told)
    wrong = rows[counts_stray(counts[rows], expected[rows], FALSE_ALARM / 2)]
    if wrong.size:
        row = int(wrong[0])
        found = f"{wrong.size} do not: row {row} came {counts[row]:.0f} times, its like {expected[row]:.1f} on average"
        raise CheckFailure(rule, found, Where(seed))


def _require_stratum(
    rule: str, counts: NDArray[np.float64], expected: NDArray[np.float64], strata: int, seed: int
) -> None:
    """Raise if the rows of a stratum together stray too far."""
    statistic = ((counts - expected) ** 2 / expected).sum()
    limit = chi_square_limit(counts.size - 1, FALSE_ALARM / (2 * strata))
    if statistic > limit:
        found = f"chi-square is {statistic:.0f} over {counts.size - 1} degrees of freedom, for at most {limit:.0f}"
        raise CheckFailure(rule, found, Where(seed))
