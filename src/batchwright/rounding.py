"""Systematic rounding: fractional targets to whole quotas, each within one and exactly unbiased."""

from __future__ import annotations

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from batchwright.ragged import pad

__all__ = ["Rounding", "Roundings"]

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]

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

    probabilities: Floats
    _roundings: Roundings
    _numbers: Integers

    @classmethod
    def of(cls, targets: ArrayLike) -> Rounding:
        """Return the rounding of the given targets."""
        values = np.asarray(targets, dtype=np.float64)
        roundings = Roundings.of(values, np.array([0, values.size]))
        numbers = np.flatnonzero(roundings.probabilities[0])
        return cls(roundings.probabilities[0, numbers], roundings, numbers)

    def quotas(self, outcome: int) -> Integers:
        """Return the quotas of one outcome: int64, shape (K,)."""
        return self._roundings.quotas(np.array([0]), self._numbers[[outcome]])


@attrs.frozen(eq=False)
class Roundings:
    """The roundings of many drafts, each with targets of its own, as arrays.

    Parameters
    ----------
    probabilities
        float64, shape (drafts, longest + 1): of the outcomes of each draft. An outcome that cannot be, since
        two targets round up at the same place, has 0.
    """

    probabilities: Floats
    _low: Floats
    _whole: Floats
    _jump: Floats
    _filled: NDArray[np.bool_]

    @classmethod
    def of(cls, targets: Floats, bounds: Integers) -> Roundings:
        """Return the roundings of targets, shape (all targets,), which stand draft after draft by `bounds`."""
        padded, filled = pad(targets, bounds)
        cumulative = np.round(np.cumsum(padded, axis=1), _DECIMALS)
        total = np.rint(cumulative[:, -1:])
        cumulative = np.where(np.cumsum(filled, axis=1) < filled.sum(axis=1, keepdims=True), cumulative, total)
        cumulative = np.minimum(cumulative, total)
        whole = np.floor(cumulative)
        # A target rounds up from u = 1 - fraction on; an outcome lies between two neighbours of these.
        jump = np.round(1 - (cumulative - whole), _DECIMALS)
        low = np.concatenate([np.zeros_like(total), np.sort(jump, axis=1), np.ones_like(total)], axis=1)
        return cls(np.diff(low), low, whole, jump, filled)

    def quotas(self, drafts: Integers, outcomes: Integers) -> Integers:
        """Return the quotas of some drafts, each in one outcome, draft after draft: int64, shape (all targets,)."""
        up = self._jump[drafts] <= self._low[drafts, outcomes][:, None]
        quotas = np.diff(self._whole[drafts] + up, axis=1, prepend=0.0)
        return quotas[self._filled[drafts]].astype(np.int64)
