"""Systematic rounding: fractional targets to whole quotas, each within one and exactly unbiased."""

from __future__ import annotations

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["Rounding"]

# Cumulative targets are taken to nine decimals, so that 0.1 + 0.2 of ten rows is three rows and not an
# outcome of probability 1e-16 with four.
_DECIMALS = 9


@attrs.frozen(eq=False)
class Rounding:
    """All ways in which targets are rounded, with their probabilities.

    With cumulative targets ``c_k`` and one uniform ``u``, quota k is ``floor(c_k + u) - floor(c_(k-1) + u)``:
    systematic sampling (Madow 1949). The quotas sum to the total, each is within one of its target and equal
    to it in expectation, and since only the fractional parts of ``c_k`` matter there are at most as many
    outcomes as targets.

    Parameters
    ----------
    targets
        Non-negative numbers, shape (K,), whose sum is a whole number.

    Examples
    --------
    >>> rounding = Rounding.of([2.5, 2.5])
    >>> rounding.probabilities
    array([0.5, 0.5])
    >>> rounding.quotas(0), rounding.quotas(1)
    (array([2, 3]), array([3, 2]))
    """

    probabilities: NDArray[np.float64]
    _whole: NDArray[np.int64]
    _jump: NDArray[np.int64]

    @classmethod
    def of(cls, targets: ArrayLike) -> Rounding:
        """Return the rounding of the given targets."""
        cumulative = np.round(np.cumsum(np.asarray(targets, dtype=np.float64)), _DECIMALS)
        total = np.rint(cumulative[-1])
        cumulative = np.minimum(cumulative, total)
        cumulative[-1] = total
        whole = np.floor(cumulative)
        # Target k rounds up from u = 1 - fraction on; outcome r lies between the jumps r - 1 and r.
        jumps, jump = np.unique(np.round(1 - (cumulative - whole), _DECIMALS), return_inverse=True)
        bounds = np.concatenate([[0.0], jumps[jumps < 1], [1.0]])
        return cls(np.diff(bounds), whole.astype(np.int64), jump.astype(np.int64))

    def quotas(self, outcome: int) -> NDArray[np.int64]:
        """Return the quotas of one outcome: int64, shape (K,)."""
        return np.diff(self._whole + (self._jump < outcome), prepend=0)

    def all_quotas(self) -> NDArray[np.int64]:
        """Return the quotas of all outcomes: int64, shape (number of outcomes, K)."""
        return np.stack([self.quotas(outcome) for outcome in range(self.probabilities.size)])
