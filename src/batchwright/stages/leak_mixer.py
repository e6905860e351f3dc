"""`LeakMixer`: a fixed part of the batch from outside the selection."""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np

from batchwright._checks import check_fraction
from batchwright.draft import Draft, Outcome, require_selection
from batchwright.finding import Finding, Severity
from batchwright.options import Expansion, divide
from batchwright.pools import Pools
from batchwright.ragged import bounds_of, lengths
from batchwright.stack import DraftStack
from batchwright.stages.base import Stage

__all__ = ["LeakMixer"]


def _as_fraction(value: Any) -> float:
    return check_fraction(value, "fraction", "LeakMixer")


@attrs.frozen
class LeakMixer(Stage):
    """Take exactly ``floor(batch_size * fraction)`` rows from outside the selection.

    The product is taken to nine decimals: 0.29 of 100 is 29, and 1 / 3 of 96 is 32. Rows leak in from the whole
    universe less the primary pools, all alike; a filter before the chain's selection holds for them too. Where nothing
    is outside, the primary shares keep the whole batch.

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
        return draft.leak(draft.universe - draft.primary, self._quota(draft.batch_size))

    def expand(self, stack: DraftStack) -> Expansion:
        """Return the drafts with a share in the role ``"leak"`` each."""
        stack.require_before("leak", "leak")
        for k in np.flatnonzero(["select" not in done for done in stack.done.tolist()]).tolist():
            require_selection(stack.done[k], int(stack.bounds[k + 1] - stack.bounds[k]))
        outside = stack.primary.complements(stack.universe)
        size = stack.batch_sizes
        # All drafts have the same size, as a rule.
        sizes, which = np.unique(size, return_inverse=True)
        quotas = np.array([self._quota(rows) for rows in sizes.tolist()])[which]
        leaked = np.where(lengths(outside.bounds) > 0, quotas, 0)
        # The share that leaks in stands behind the others of its draft.
        shares = np.arange(stack.quotas.size)
        order = np.insert(shares, stack.bounds[1:], shares.size + np.arange(len(stack)))
        kept = (size - leaked)[stack.owners]
        targets = np.concatenate([stack.quotas * kept / size[stack.owners], leaked])
        roles = np.append(stack.roles, np.full(len(stack), "leak"))
        bounds = bounds_of(lengths(stack.bounds) + 1)
        return divide(
            stack, bounds, Pools.join([stack.pools, outside]).take(order), targets[order], roles[order], "leak"
        )

    def findings(self, stack: DraftStack) -> list[Finding]:
        """Tell of a leak that takes no rows, or has nowhere to come from."""
        rows = self._quota(int(stack.batch_sizes[0]))
        if self.fraction and not rows:
            message = f"A leak should take a row; {self.fraction:g} of {stack.batch_sizes[0]} rows are 0 whole ones."
            return [Finding("error", message, "Raise the fraction or batch_size, or leave the stage out.")]
        without = np.flatnonzero(lengths(stack.primary.complements(stack.universe).bounds) == 0)
        if not rows or not without.size:
            return []
        first = stack.index.describe(stack.primary[int(without[0])])
        message = (
            f"A leak should have rows to come from; {without.size} of {len(stack)} selections leave none outside, "
            f"first {first}."
        )
        severity: Severity = "error" if without.size == len(stack) else "warning"
        return [Finding(severity, message, "Leave the stage out, or select by a column with more labels.")]

    def _quota(self, batch_size: int) -> int:
        # To nine decimals, as all quotas: 0.29 of 100 rows are a little less than 29 in binary, a third of 96 than 32.
        return int(round(self.fraction * batch_size, 9))
