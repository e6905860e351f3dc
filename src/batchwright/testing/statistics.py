"""Bounds that a right sampler crosses with a stated, small probability."""

from __future__ import annotations

import math

__all__ = ["FALSE_ALARM", "chi_square_limit", "mean_limit"]

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


def mean_limit(count: int, width: float, false_alarm: float) -> float:
    """Return how far the mean of independent values strays from its expectation with at most the given probability.

    Hoeffding, "Probability inequalities for sums of bounded random variables", Journal of the American Statistical
    Association 58(301), 1963, theorem 2: P(|mean - expected| >= t) <= 2 exp(-2 count (t / width)**2).

    Parameters
    ----------
    count
        Number of values.
    width
        Length of the interval in which each of them lies.
    false_alarm
        The probability.

    Examples
    --------
    >>> round(mean_limit(1000, 1.0, 1e-6), 3)
    0.085
    """
    return width * math.sqrt(math.log(2 / false_alarm) / (2 * count))
