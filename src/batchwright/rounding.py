"""Systematic rounding: fractional targets to whole quotas, each within one and exactly unbiased."""

from __future__ import annotations

from functools import cached_property

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from batchwright.ragged import bounds_of, bounds_of_owners, gather, owners, pad
from batchwright.signposts import SortedValues

__all__ = ["Rounding", "Roundings"]

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]

# Cumulative targets are taken to nine decimals, so that 0.1 + 0.2 of ten rows is three rows and not an
# outcome of probability 1e-16 with four.
_DECIMALS = 9
_UNIT = 10**_DECIMALS

# Of more targets than so many for each row, those that get rows are searched: it takes less than to go through all.
_TARGETS_A_ROW = 4


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
    bounds
        int64, shape (drafts + 1,): the targets of draft k are ``bounds[k] : bounds[k + 1]``.
    """

    probabilities: Floats
    bounds: Integers
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
        # From the last target of a draft on it is the total.
        inner = np.concatenate([filled[:, 1:], np.zeros_like(total, dtype=bool)], axis=1)
        cumulative = np.where(inner, cumulative, total)
        cumulative = np.minimum(cumulative, total)
        whole = np.floor(cumulative)
        # A target rounds up from u = 1 - fraction on; an outcome lies between two neighbours of these.
        jump = np.round(1 - (cumulative - whole), _DECIMALS)
        low = np.concatenate([np.zeros_like(total), np.sort(jump, axis=1), np.ones_like(total)], axis=1)
        return cls(np.diff(low), bounds, low, whole, jump, filled)

    def quotas(self, drafts: Integers, outcomes: Integers) -> Integers:
        """Return the quotas of some drafts, each in one outcome, draft after draft: int64, shape (all targets,)."""
        up = self._jump[drafts] <= self._low[drafts, outcomes][:, None]
        sums = self._whole[drafts] + up
        # Rows are short, so all are gone through as one.
        quotas = sums.copy()
        quotas.ravel()[1:] -= sums.ravel()[:-1]
        quotas[:, 0] = sums[:, 0]
        return quotas[self._filled[drafts]].astype(np.int64)

    @property
    def width(self) -> int:
        """How many entries of an array `held` needs on the way for each draft, at most."""
        return int(min(self._whole.shape[1], max(1, _TARGETS_A_ROW * self._whole[:, -1].max())))

    def held(self, drafts: Integers, outcomes: Integers) -> tuple[Integers, Integers, Integers]:
        """Return the quotas of some drafts, each in one outcome, as `quotas` does, and leave out what has none.

        Returns
        -------
        at, bounds, quotas
            int64: which of all targets, draft after draft by `bounds`, and their quotas. Of few targets some may be 0.
        """
        if self._whole.shape[1] <= self.width:
            at, bounds = gather(self.bounds, drafts)
            return at, bounds, self.quotas(drafts, outcomes)
        # Of very many targets most round to no rows: those are found to which each row of a draft falls.
        at, owner = self._targets_of_rows(drafts, outcomes)
        opens = np.flatnonzero(np.append(True, (at[1:] != at[:-1]) | (owner[1:] != owner[:-1]))[: at.size])
        return at[opens], bounds_of_owners(owner[opens], drafts.size), np.diff(opens, append=at.size)

    def _targets_of_rows(self, drafts: Integers, outcomes: Integers) -> tuple[Integers, Integers]:
        """Return which of all targets each row of some drafts falls to, and the place of its draft among them."""
        bounds = bounds_of(self._whole[drafts, -1].astype(np.int64))
        owner = owners(bounds)
        row = np.arange(1, owner.size + 1) - bounds[owner]
        low = np.rint(self._low[drafts, outcomes] * _UNIT).astype(np.int64)
        keys, radix = self._keys
        return keys.search(drafts[owner] * radix + row * _UNIT - low[owner]), owner

    @cached_property
    def _keys(self) -> tuple[SortedValues, int]:
        """The cumulative targets in whole units, and by how much those of one draft lie above those of the one before.

        Row j of a draft, from 1, falls to the first target whose sum is at least ``j - u``, in the outcome of u.
        """
        sums = (self._whole + 1).astype(np.int64) * _UNIT - np.rint(self._jump * _UNIT).astype(np.int64)
        radix = int(sums.max()) + _UNIT
        sums += np.arange(len(sums))[:, None] * radix
        return SortedValues(sums[self._filled]), radix
