"""Bounds that a right sampler crosses with a stated, small probability."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["FALSE_ALARM", "chi_square_limit", "counts_stray", "strays"]

# A right sampler fails a check of frequencies with at most this probability, over the choice of its seed.
FALSE_ALARM = 1e-6


def chi_square_limit(degrees: int, false_alarm: float) -> float:
    """Return what a chi-square variable exceeds with at most the given probability.

    Laurent and Massart, "Adaptive estimation of a quadratic functional by model selection", Annals of Statistics
    28(5), 2000, lemma 1: P(X >= d + 2 sqrt(d x) + 2 x) <= exp(-x), for every x and number of degrees d.

    Examples
    --------
    >>> round(chi_square_limit(10, 1e-6), 1)
    61.1
    """
    x = -math.log(false_alarm)
    return degrees + 2 * math.sqrt(degrees * x) + 2 * x


def strays(ups: int, count: int, chance: float, false_alarm: float) -> bool:
    """Tell whether a coin comes up too often or too seldom for its chance.

    Chernoff's bound, either side: P <= exp(-count KL(ups / count, chance)), with the Kullback-Leibler divergence of
    two coins; Boucheron, Lugosi and Massart, "Concentration inequalities", 2013, section 2.2.

    Parameters
    ----------
    ups, count
        How often it came up, of how many times.
    chance
        Its probability.
    false_alarm
        The probability with which a right coin is told to stray, at most.

    Examples
    --------
    >>> strays(560, 1000, 0.5, 1e-6), strays(600, 1000, 0.5, 1e-6), strays(0, 1000, 0.05, 1e-6)
    (False, True, True)
    """
    found = ups / count
    divergence = sum(
        0.0 if p == 0 else math.inf if q == 0 else p * math.log(p / q)
        for p, q in ((found, chance), (1 - found, 1 - chance))
    )
    return count * divergence > math.log(2 / false_alarm)


def counts_stray(counts: ArrayLike, expected: ArrayLike, false_alarm: float) -> NDArray[np.bool_]:
    """Tell of each count whether it is too far from what was expected.

    Chernoff's bound for sums of independent indicators, either side: P <= exp(-(x log(x / m) - x + m)) for a count of x
    where m is expected; Boucheron, Lugosi and Massart, "Concentration inequalities", 2013, section 2.2.

    Parameters
    ----------
    counts, expected
        Shape (n,) each; the expected ones positive.
    false_alarm
        The probability with which any of them is told to stray, at most, if all are right.

    Returns
    -------
    numpy.ndarray
        bool, shape (n,).

    Examples
    --------
    >>> counts_stray([40, 0, 90], [40.0, 40.0, 40.0], 1e-6).tolist()
    [False, True, True]
    """
    x, m = np.asarray(counts, dtype=np.float64), np.asarray(expected, dtype=np.float64)
    exponent = np.where(x > 0, x * np.log(np.maximum(x, 1) / m), 0.0) - x + m
    strays: NDArray[np.bool_] = exponent > math.log(2 * x.size / false_alarm)
    return strays
