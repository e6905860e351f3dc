"""`ConditionBalancer`: exact quotas per label."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from batchwright._checks import check_weights
from batchwright.draft import Draft, Outcome
from batchwright.finding import Finding
from batchwright.groups import Cuts
from batchwright.options import Expansion, divide
from batchwright.pool import Pool
from batchwright.pools import Pools
from batchwright.ragged import bounds_of_owners, pad
from batchwright.share import Scope, Share
from batchwright.stack import DraftStack
from batchwright.stages.base import Stage, check_labels, check_leak, check_scope, to_columns

__all__ = ["ConditionBalancer"]

Integers = NDArray[np.int64]

_NAMED = 3


def _as_ratio(value: Any) -> dict[Hashable, float] | None:
    return None if value is None else check_weights(value, "ratio", "ConditionBalancer")


@attrs.frozen
class ConditionBalancer(Stage):
    """Split shares by label, by equal quotas or by a ratio.

    Counts are within one of their targets and equal to them in expectation. A label that a group does not
    have leaves its part to the labels that are there.

    Parameters
    ----------
    by
        Column, or columns, whose labels are balanced.
    ratio
        Relative quota of each label, in a mapping or a Series that names every label. A label of ratio 0 gets no rows,
        unless a group has only such labels: those then share the batch equally. By default all labels get the same.
    scope
        Which shares are split: ``"primary"`` (default), ``"leak"`` or ``"all"``.

    Raises
    ------
    SettingError
        When a sampler is built: if the ratio names labels that do not exist, or leaves labels out.

    Examples
    --------
    >>> ConditionBalancer(by="condition", ratio={"mock": 1, "infected": 3})
    ConditionBalancer(by='condition', ratio={'infected': 3.0, 'mock': 1.0}, scope='primary')
    """

    only_divides = True

    by: Any = attrs.field(default="condition", converter=to_columns)
    ratio: Mapping[Hashable, float] | None = attrs.field(default=None, converter=_as_ratio, hash=False)
    scope: Scope = attrs.field(default="primary", validator=check_scope)

    def apply(self, draft: Draft) -> Outcome:
        """Return the draft with each share split by label."""

        def parts(share: Share) -> Iterable[tuple[Pool, float]]:
            groups = draft.index.groups(share.pool, self.by)
            ratio = [1.0 if self.ratio is None else self.ratio[label] for label in groups.labels]
            return zip(groups, ratio if any(ratio) else [1.0] * len(groups), strict=True)

        return draft.split(parts, self.scope)

    def expand(self, stack: DraftStack) -> Expansion:
        """Return the drafts with their shares split by label."""
        stack.require_before("split", "window")
        inside = stack.within(self.scope)
        split, kept = np.flatnonzero(inside), np.flatnonzero(~inside)
        groups = stack.index.cut(stack.pools.take(split), self.by)
        weights = self._weights(stack, groups)
        filled = np.flatnonzero(weights)
        share = np.concatenate([split[groups.owner[filled]], kept])
        order = np.argsort(share, kind="stable")
        share = share[order]
        pools = Pools.join([groups.pools.take(filled), stack.pools.take(kept)]).take(order)
        parts = np.concatenate([weights[filled], np.ones(kept.size)])[order]
        targets = stack.quotas[share] * parts
        bounds = bounds_of_owners(stack.owners[share], len(stack))
        return divide(stack, bounds, pools, targets, stack.roles[share], "split")

    def findings(self, stack: DraftStack) -> list[Finding]:
        """Tell of labels that are missing in some shares, and of a balance that divides none."""
        split = np.flatnonzero(stack.within(self.scope))
        groups = stack.index.cut(stack.pools.take(split), self.by)
        if not split.size:
            return []
        if (np.bincount(groups.owner[self._weights(stack, groups) > 0]) == 1).all():
            message = f"A balance should divide some share; all {split.size} have a single label to draw from."
            return [Finding("error", message, "Leave the stage out, or balance by another column.")]
        lacking = self._lacking(stack, groups.codes, split.size)
        if not lacking.any():
            return []
        missing = np.argsort(-lacking, kind="stable")[: np.count_nonzero(lacking)]
        labels = stack.index.labels_of(self.by)
        worst = [f"{labels[k]!r} in {lacking[k]}" for k in missing[:_NAMED].tolist()]
        first = np.setdiff1d(np.arange(split.size), groups.owner[groups.codes == missing[0]])[0]
        message = (
            f"A balance should find every label in every share; {missing.size} are missing in some of {split.size}: "
            f"{', '.join(worst)}{', ...' if missing.size > _NAMED else ''}, first in "
            f"{stack.index.describe(stack.pools[int(split[first])])}. The labels that are there take their part."
        )
        return [Finding("warning", message, "Filter these groups or these labels out if that is not meant.")]

    def _lacking(self, stack: DraftStack, codes: Integers, shares: int) -> Integers:
        """Return for each label in how many of so many shares it is missing, where the balance asks for it."""
        labels = stack.index.labels_of(self.by)
        present = stack.index.cut(Pools.of([stack.universe], stack.index.size), self.by).codes
        asked = np.zeros(len(labels), dtype=bool)
        asked[present] = True if self.ratio is None else [self.ratio[labels[k]] > 0 for k in present.tolist()]
        return np.where(asked, shares - np.bincount(codes, minlength=len(labels)), 0)

    def _weights(self, stack: DraftStack, groups: Cuts) -> NDArray[np.float64]:
        """Return the part of its share that each group takes."""
        ratio = np.ones(groups.codes.size)
        if self.ratio is not None:
            ratio = np.array([self.ratio.get(label, 0.0) for label in stack.index.labels_of(self.by)])[groups.codes]
        weights, filled = pad(ratio, bounds_of_owners(groups.owner, groups.owner.max(initial=-1) + 1))
        weights = np.where(weights.any(axis=1, keepdims=True), weights, filled)
        parts: NDArray[np.float64] = (weights / np.cumsum(weights, axis=1)[:, -1:])[filled]
        return parts

    def check(self, draft: Draft) -> None:
        """Raise if the ratio does not fit the labels, or the scope the chain."""
        check_leak(self, self.scope, draft)
        if self.ratio is not None:
            check_labels(self.ratio, draft.index, draft.universe, self.key_columns, "ratio", "ConditionBalancer")
