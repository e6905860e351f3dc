"""Mean and variance of the rows that a batch holds of each label, exactly, by the plan."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import attrs
import numpy as np
from numpy.typing import NDArray

from batchwright.stack import DraftStack
from batchwright.stages import Drawer
from batchwright.survey import Survey
from batchwright.tally import expected_rows
from batchwright.walk import Leaves

__all__ = ["Moments"]

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]

# Cells that all shares reach over, of some drafts at a time and together: more take too long for a look.
_CELLS_AT_ONCE = 1 << 20
_MOST_CELLS = 1 << 24


@attrs.frozen(eq=False)
class Moments:
    """What a plan says of the rows that one batch holds of each label of a column.

    Parameters
    ----------
    mean
        float64, shape (labels,): the expected rows.
    variance
        float64, shape (labels,): their variance from batch to batch. Of a drawer of which only the means are known it
        is that of these means, from composition to composition, to which its own comes; and where shares reach over
        very many cells it is 0.
    exact
        Whether that is all of the variance.
    """

    mean: Floats
    variance: Floats
    exact: bool

    @classmethod
    def of(cls, survey: Survey, columns: Sequence[str]) -> dict[str, Moments]:
        """Work them out for some columns, but those that are no key columns, or where too many situations matter.

        Costs O(leaves x cells); of leaves that differ only in how they divide shares of one label, one counts.
        """
        found = {}
        for by in columns:
            lots = survey.settled(by) if by in survey.start.index.columns else None
            if lots is not None:
                mean = np.asarray(expected_rows(lots, by), dtype=np.float64)
                even, few = isinstance(survey.pipeline.drawer, Drawer), sum(map(_cells, lots)) <= _MOST_CELLS
                variance = _variance(lots, by, mean, even=even) if few else np.zeros_like(mean)
                found[by] = cls(mean, variance, even and few)
        return found


def _cells(lot: Leaves) -> int:
    """Return over how many cells the shares of some leaves reach, each counted by itself."""
    stack = lot[1]
    return int(stack.index.reach(stack.pools).sum())


def _pieces(lots: Sequence[Leaves]) -> Iterator[Leaves]:
    """Yield the leaves some at a time."""
    for chances, stack in lots:
        number = max(1, -(-_cells((chances, stack)) // _CELLS_AT_ONCE))
        for some in np.array_split(np.arange(len(stack)), number):
            yield chances[some], stack.take(some)


def _variance(lots: Sequence[Leaves], by: str, mean: Floats, *, even: bool) -> Floats:
    """Return the variance of counts: that of even draws within a leaf, if any, and that of its means about the mean."""
    variance, present = np.zeros_like(mean), np.zeros_like(mean)
    for chances, stack in _pieces(lots):
        drafts, labels, means, variances = _counts(stack, by, mean.size)
        weights = chances[drafts]
        variance += np.bincount(labels, weights * (even * variances + (means - mean[labels]) ** 2), mean.size)
        present += np.bincount(labels, weights, mean.size)
    # In all other leaves the label has no row.
    return variance + np.maximum(0, 1 - present) * mean**2


def _counts(stack: DraftStack, by: str, labels: int) -> tuple[Integers, Integers, Floats, Floats]:
    """Return, for each label of each draft, both numbers, and mean and variance of its rows in even draws."""
    cuts = stack.index.cut(stack.pools, by)
    size, quota = stack.pools.sizes[cuts.owner], stack.quotas[cuts.owner]
    part, more = cuts.pools.sizes / size, quota % size
    # All rows stand there equally often, and some of them, a random subset, once more: a hypergeometric count.
    variance = more * part * (1 - part) * (size - more) / np.maximum(1, size - 1)
    keys, at = np.unique(stack.owners[cuts.owner] * labels + cuts.codes, return_inverse=True)
    means, variances = (np.bincount(at, each).astype(np.float64) for each in (quota * part, variance))
    return *np.divmod(keys, labels), means, variances
