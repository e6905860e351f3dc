"""`ConditionBalancer`: exact quotas per label."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from typing import Any

import attrs

from batchwright._checks import check_weights
from batchwright.draft import Draft, Outcome
from batchwright.pool import Pool
from batchwright.share import Scope, Share
from batchwright.stages.base import Stage, check_labels, check_leak, check_scope, to_columns

__all__ = ["ConditionBalancer"]


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
        Relative quota of each label, every label named. A label of ratio 0 gets no rows, unless a group has
        only such labels: those then share the batch equally. By default all labels get the same.
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

    by: Any = attrs.field(default="condition", converter=to_columns)
    ratio: Mapping[Hashable, float] | None = attrs.field(default=None, converter=_as_ratio)
    scope: Scope = attrs.field(default="primary", validator=check_scope)

    def apply(self, draft: Draft) -> Outcome:
        """Return the draft with each share split by label."""

        def parts(share: Share) -> Iterable[tuple[Pool, float]]:
            groups = draft.index.groups(share.pool, self.by)
            ratio = [1.0 if self.ratio is None else self.ratio[label] for label in groups.labels]
            return zip(groups, ratio if any(ratio) else [1.0] * len(groups), strict=True)

        return draft.split(parts, self.scope)

    def check(self, draft: Draft) -> None:
        """Raise if the ratio does not fit the labels, or the scope the chain."""
        check_leak(self, self.scope, draft)
        if self.ratio is not None:
            check_labels(self.ratio, draft, self.key_columns, "ratio", "ConditionBalancer")
