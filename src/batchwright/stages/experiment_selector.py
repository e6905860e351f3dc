"""`ExperimentSelector`: one group a batch."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from batchwright._checks import check_weights, some_of
from batchwright.draft import Choice, Draft
from batchwright.errors import SettingError
from batchwright.finding import Finding
from batchwright.options import Options
from batchwright.ragged import bounds_of_owners, pad
from batchwright.stack import DraftStack
from batchwright.stages.base import Stage, check_labels, to_columns

__all__ = ["ExperimentSelector"]

Integers = NDArray[np.int64]

# A group starves where its weight is less than one so-manieth of what its rows would give it.
_STARVES = 10


def _as_weights(value: Any) -> dict[Hashable, float] | None:
    return None if value is None else check_weights(value, "weights", "ExperimentSelector")


@attrs.frozen
class ExperimentSelector(Stage):
    """Take all primary rows of a batch from one group.

    Parameters
    ----------
    by
        Column, or columns, whose labels are the groups.
    weights
        Relative weight of each label, in a mapping or a Series that names every label; a group of weight 0 is never
        selected, though its rows can still leak in. By default groups are chosen in proportion to their rows.

    Raises
    ------
    SettingError
        When a sampler is built: if the weights name labels that do not exist, leave labels out, or hold a
        zero in a second selection, where a whole group might be left without any label to select.

    Examples
    --------
    >>> ExperimentSelector(by="donor", weights={"d1": 1, "d2": 3})
    ExperimentSelector(by='donor', weights={'d1': 1.0, 'd2': 3.0})
    """

    by: Any = attrs.field(default="experiment", converter=to_columns)
    weights: Mapping[Hashable, float] | None = attrs.field(default=None, converter=_as_weights, hash=False)

    def apply(self, draft: Draft) -> Choice:
        """Return a choice over the groups of the primary pool."""
        groups = draft.groups(self.by)
        weights = groups.sizes if self.weights is None else np.array([self.weights[label] for label in groups.labels])
        return Choice(weights, lambda k: draft.select(groups[k]))

    def expand(self, stack: DraftStack) -> Options:
        """Return the groups of all primary pools."""
        groups = stack.index.cut(stack.primary, self.by)
        bounds = bounds_of_owners(groups.owner, len(stack))
        sizes, _ = pad(groups.pools.sizes, bounds)
        weights = sizes.astype(np.float64)
        if self.weights is not None:
            by_label = np.array([self.weights.get(label, 0.0) for label in stack.index.labels_of(self.by)])
            weights, _ = pad(by_label[groups.codes], bounds)
        probabilities = weights / np.cumsum(weights, axis=1)[:, -1:]

        def take(drafts: Integers, k: Integers) -> DraftStack:
            return stack.select(drafts, groups.pools.take(bounds[drafts] + k))

        return Options(probabilities, take, sizes=sizes)

    def findings(self, stack: DraftStack) -> list[Finding]:
        """Note the groups of weight 0, and warn of groups that come far less often than their rows would have them."""
        if self.weights is None:
            return []
        groups = stack.index.groups(stack.universe, self.by)
        weights = np.array([self.weights[label] for label in groups.labels])
        expected = groups.sizes / groups.sizes.sum() * weights.sum()
        never = [groups.labels[k] for k in np.flatnonzero(weights == 0)]
        seldom = [groups.labels[k] for k in np.flatnonzero((weights > 0) & (weights < expected / _STARVES))]
        found = []
        if never:
            message = f"{len(never)} of {len(groups)} groups have weight 0 and are never selected: {some_of(never)}."
            found.append(Finding("note", message, "Filter them out if their rows should not leak in either."))
        if seldom:
            message = (
                "A group should come about as often as its rows are worth; the weights of "
                f"{len(seldom)} of {len(groups)} groups are less than a {_STARVES}th of that: {some_of(seldom)}."
            )
            found.append(Finding("warning", message, "Raise them, or leave the weights out."))
        return found

    def check(self, draft: Draft) -> None:
        """Raise if the weights do not fit the labels."""
        if self.weights is None:
            return
        check_labels(self.weights, draft.index, draft.universe, self.key_columns, "weights", "ExperimentSelector")
        zeros = [label for label, weight in self.weights.items() if weight == 0]
        if zeros and "select" in draft.done:
            msg = (
                f"A second selection must have positive weights only; {len(zeros)} are 0, first {zeros[0]!r} "
                "(ExperimentSelector). Filter those rows out before the first selection instead."
            )
            raise SettingError(msg)
        if not any(self.weights[label] for label in draft.groups(self.by).labels):
            msg = (
                f"weights must be positive for a label that is left; all {len(self.weights)} such weights are 0 "
                "(ExperimentSelector). Raise one, or change the filter before it."
            )
            raise SettingError(msg)
