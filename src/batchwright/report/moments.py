"""Mean and variance of the rows that a batch holds of each label, exactly, by the plan."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

import attrs
import numpy as np
from numpy.typing import NDArray

from batchwright.draft import Draft
from batchwright.plan import Plan
from batchwright.stages import Drawer

__all__ = ["Moments"]

Floats = NDArray[np.float64]

# As many situations as a sampler works out beforehand; those of a window are many more.
_LEAVES = 1 << 12


@attrs.frozen(eq=False)
class Moments:
    """What a plan says of the rows that one batch holds of each label of a column.

    Parameters
    ----------
    mean
        float64, shape (labels,): the expected rows.
    variance
        float64, shape (labels,): their variance from batch to batch; None where the plan has too many leaves to go
        through, or a drawer of whose draw only the means are known.
    """

    mean: Floats
    variance: Floats | None

    @classmethod
    def of(cls, plan: Plan, columns: Sequence[str]) -> dict[str, Moments]:
        """Work them out for some key columns of the plan, but those where too many situations matter.

        Costs O(leaves x cells).
        """
        leaves = list(islice(plan.leaves(), _LEAVES + 1)) if isinstance(plan.pipeline.drawer, Drawer) else []
        known = 0 < len(leaves) <= _LEAVES
        survey, found = plan.survey(), {}
        for by in columns:
            rows = survey.expected_rows(by)
            if rows is not None:
                mean = np.asarray(rows, dtype=np.float64)
                found[by] = cls(mean, _variance(leaves, by, mean) if known else None)
        return found


def _variance(leaves: list[tuple[float, Draft]], by: str, mean: Floats) -> Floats:
    """Return the variance of counts: that of the draw within a leaf, and that of the leaf's means about the mean."""
    variance = np.zeros_like(mean)
    for probability, draft in leaves:
        means, variances = _of_leaf(draft, by, mean.size)
        variance += probability * (variances + (means - mean) ** 2)
    return variance


def _of_leaf(draft: Draft, by: str, labels: int) -> tuple[Floats, Floats]:
    """Return mean and variance of the counts of an even draw from each share."""
    places = {label: place for place, label in enumerate(draft.index.labels_of(by))}
    means, variances = np.zeros(labels), np.zeros(labels)
    for share in draft.shares:
        groups = draft.index.groups(share.pool, by)
        at = [places[label] for label in groups.labels]
        part = groups.sizes / max(1, share.pool.size)
        means[at] += share.quota * part
        # All rows stand there equally often, and some of them, a random subset, once more: a hypergeometric count.
        size, more = share.pool.size, share.quota % max(1, share.pool.size)
        variances[at] += more * part * (1 - part) * (size - more) / max(1, size - 1)
    return means, variances
