"""`check_stage`: the laws of a stage or a drawer alone, over generated drafts."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Flaky

from batchwright.draft import Draft, Outcome
from batchwright.errors import SettingError, SettingTypeError
from batchwright.stages.base import BaseDrawer, Element, Stage
from batchwright.testing.attempts import PURE, repeat
from batchwright.testing.drawer_laws import keeps_drawer_laws, require_inclusion
from batchwright.testing.failures import StageFailure
from batchwright.testing.stage_laws import keeps_laws, require_again
from batchwright.testing.strategies import drafts, indices

__all__ = ["check_stage"]

_LABELS = ("a", "b", "c")

_SIZES = st.integers(1, 15) | st.sampled_from([100, 10**6])


def check_stage(stage: Element, *, by: Mapping[str, Sequence[Hashable]] | None = None, max_examples: int = 100) -> None:
    """Check the laws of a stage, or of a drawer, alone, over generated drafts; raise if one does not hold.

    A stage returns a draft or a choice; is pure; leaves its input as it is; keeps the size of the batch; draws from
    disjoint pools that have rows and lie in the universe; only ever shrinks the universe; weighs its alternatives by
    probabilities; offers the same drafts one by one and as a stack, and by a short cut to drawing the same shares;
    refuses what it cannot do with an error of this library, and on every path or on none; and survives pickling and
    copying with its settings.

    A drawer is pure, stays within its pools, draws a batch in a block as it draws it alone, treats the rows of a share
    alike, and holds each with the probability that it says.

    Parameters
    ----------
    stage
        A stage or a drawer.
    by
        Key columns and their labels, for the tables over which drafts are generated. By default the stage's own
        columns with some labels; to be given where the settings of the stage name labels.
    max_examples
        Number of drafts.

    Raises
    ------
    StageFailure
        If a law does not hold; hypothesis adds the simplest draft that shows it.
    SettingError
        If no generated draft suits the stage, so that nothing was checked.

    Examples
    --------
    >>> from batchwright import ExperimentSelector
    >>> check_stage(ExperimentSelector(by="donor"))
    >>> check_stage(ExperimentSelector(by="donor", weights={"d1": 1, "d2": 3}), by={"donor": ["d1", "d2"]})
    """
    if isinstance(stage, BaseDrawer):
        examples: dict[str, Any] = {"batches": _blocks(), "seed": st.integers(0, 2**32)}
        suited = _count(stage, examples, lambda **example: keeps_drawer_laws(stage, **example), max_examples)
        require_inclusion(stage)
    elif isinstance(stage, Stage):
        columns = by or dict.fromkeys(stage.key_columns, _LABELS) or {"group": _LABELS}
        keeps = _KeepsLaws(stage)
        suited = _count(stage, {"draft": drafts(indices(columns, stage.order_column))}, keeps, max_examples)
    else:
        msg = f"A stage or a drawer can be checked; got {stage!r} (check_stage). Pass an object of a chain."
        raise SettingTypeError(msg)
    if not suited:
        msg = (
            f"At least one example must suit the stage; it refuses all {max_examples} ({stage!r}). Pass the labels "
            "that its settings name as by={column: labels}."
        )
        raise SettingError(msg)


def _count(element: Element, examples: Mapping[str, Any], keeps: Callable[..., bool], max_examples: int) -> int:
    """Check laws on generated examples; return how many of them suited."""
    suited = 0

    # The same examples each time, so that a check that was green stays green until something changes.
    @settings(
        max_examples=max_examples,
        derandomize=True,
        database=None,
        deadline=None,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )
    @given(**examples)
    def laws(**example: Any) -> None:
        nonlocal suited
        suited += keeps(**example)

    try:
        laws()
    except Flaky as error:
        raise StageFailure(PURE, "one that fails does not fail again", element) from error
    return suited


class _KeepsLaws:
    """The laws of a stage on one draft, and that what it made of an earlier draft still stands."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._first: tuple[Draft, Outcome] | None = None

    def __call__(self, draft: Draft) -> bool:
        keeps = keeps_laws(self._stage, draft)
        if keeps and self._first is None:
            self._first = draft, repeat(self._stage, PURE, lambda: self._stage.apply(draft))
        elif self._first is not None:
            require_again(self._stage, self._stage, *self._first, PURE, "it differs after other drafts")
        return keeps


@st.composite
def _blocks(draw: st.DrawFn) -> list[list[tuple[int, int]]]:
    """Return the shares of some batches, each (quota, size); in a share there may be nothing to draw, and no row."""
    slots = draw(st.integers(1, 12) | st.just(60))
    blocks = []
    for _ in range(draw(st.integers(1, 3) | st.just(9))):
        cuts = sorted(draw(st.lists(st.integers(0, slots), max_size=4)))
        quotas = np.diff([0, *cuts, slots]).tolist()
        blocks.append([(quota, draw(_SIZES) if quota else draw(st.just(0) | _SIZES)) for quota in quotas])
    return blocks
