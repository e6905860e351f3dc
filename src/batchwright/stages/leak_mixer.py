"""`LeakMixer`: a fixed part of the batch from outside the selection."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import attrs

from batchwright._checks import check_fraction
from batchwright.draft import Draft, Outcome
from batchwright.stages.base import Stage

__all__ = ["LeakMixer"]


def _as_fraction(value: Any) -> float:
    return check_fraction(value, "fraction", "LeakMixer")


@attrs.frozen
class LeakMixer(Stage):
    """Take exactly ``floor(batch_size * fraction)`` rows from outside the selection.

    The product is taken in decimal, as written: 0.29 of 100 is 29. Rows leak in from the whole universe less
    the primary pools, all alike; a filter before the chain's selection holds for them too. Where nothing is
    outside, the primary shares keep the whole batch.

    Parameters
    ----------
    fraction
        Part of the batch, in [0, 1]. With 0 nothing leaks.

    Raises
    ------
    ChainError
        When a sampler is built: if no stage before it selects.

    Examples
    --------
    >>> LeakMixer(fraction=0.2)
    LeakMixer(fraction=0.2)
    """

    fraction: float = attrs.field(converter=_as_fraction)

    def apply(self, draft: Draft) -> Outcome:
        """Return the draft with a share in the role ``"leak"``."""
        quota = int(Fraction(repr(self.fraction)) * draft.batch_size)
        return draft.leak(draft.universe - draft.primary, quota)
