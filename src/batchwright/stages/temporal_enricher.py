"""`TemporalEnricher`: much of the batch from a window of time around a focal value."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import attrs
import numpy as np
import pandas as pd

from batchwright._checks import check_fraction, check_number
from batchwright.draft import Choice, Draft, Outcome
from batchwright.errors import SettingError, SettingTypeError
from batchwright.finding import Finding, Severity
from batchwright.index import MetadataIndex
from batchwright.options import Options
from batchwright.share import Scope
from batchwright.stack import DraftStack
from batchwright.stages._windows import Windows
from batchwright.stages.base import Stage, check_leak, check_scope, to_columns
from batchwright.timeline import Timeline

__all__ = ["TemporalEnricher"]

# So many windows are looked at before a sampler is used.
_WINDOWS_SEEN = 1 << 14

_WAY_OUT = "Pass a number in the unit of the column, or for a column of dates a timedelta or a text such as '2h'."


def _as_half_width(value: Any) -> Any:
    """Return a number as a float and a duration as a numpy timedelta, or raise."""
    if not isinstance(value, str | timedelta | np.timedelta64):
        return check_number(value, "half_width", "TemporalEnricher", _WAY_OUT)
    if isinstance(value, str) and _is_number(value):
        msg = f"A duration as text must name its unit; got {value!r} (TemporalEnricher). {_WAY_OUT}"
        raise SettingError(msg)
    try:
        # In one unit, so that equal widths make equal chains, however they are written and whatever pandas reads.
        width = pd.Timedelta(value).as_unit("ns")
    except pd.errors.OutOfBoundsTimedelta as error:
        msg = (
            f"half_width must be at most 292 years, as far as nanoseconds count; got {value!r} "
            f"(TemporalEnricher). {_WAY_OUT}"
        )
        raise SettingError(msg) from error
    except ValueError as error:
        msg = f"half_width must be a number or a duration; got {value!r} (TemporalEnricher). {_WAY_OUT}"
        raise SettingTypeError(msg) from error
    if not width >= pd.Timedelta(0):
        msg = f"half_width must be finite and not negative; got {value!r} (TemporalEnricher). {_WAY_OUT}"
        raise SettingError(msg)
    return width.to_timedelta64()


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _as_global_fraction(value: Any) -> float:
    return check_fraction(value, "global_fraction", "TemporalEnricher")


@attrs.frozen
class TemporalEnricher(Stage):
    """Draw much of the batch from around one focal value, which differs from batch to batch.

    The focal value is one of the distinct values in the primary shares, all alike in probability. Each share is
    split in two: rows whose value lies in ``[focal - half_width, focal + half_width]``, and ``global_fraction``
    of its quota from all its other rows. A share that has rows on one side only takes its whole quota there,
    so a window never switches a balance off. It comes after all balances, and there is one at most. Rows without
    a value are never focal and in no window.

    Parameters
    ----------
    by
        Ordered column, of numbers or dates.
    half_width
        Half the width of the window, ends included: a number in the unit of the column, or a duration (a
        timedelta, or a text such as ``"2h"``) where it holds dates.
    global_fraction
        Part of each quota that comes from outside the window, in [0, 1].
    scope
        Which shares are split: ``"primary"`` (default), ``"leak"`` or ``"all"``.

    Raises
    ------
    SettingError, SettingTypeError
        For values out of range, and when a sampler is built if the width does not suit the column.

    Examples
    --------
    >>> TemporalEnricher(by="hours", half_width=2)
    TemporalEnricher(by='hours', half_width=2.0, global_fraction=0.3, scope='primary')
    """

    only_divides = True

    by: Any = attrs.field(converter=to_columns)
    half_width: Any = attrs.field(converter=_as_half_width)
    global_fraction: float = attrs.field(default=0.3, converter=_as_global_fraction)
    scope: Scope = attrs.field(default="primary", validator=check_scope)

    def __attrs_post_init__(self) -> None:
        if not isinstance(self.by, str):
            msg = f"`by` must name one ordered column; got {len(self.by)} (TemporalEnricher). Pass a single name."
            raise SettingTypeError(msg)

    @property
    def key_columns(self) -> tuple[str, ...]:
        """No key column is read: `by` names the ordered one."""
        return ()

    @property
    def order_column(self) -> str:
        """The ordered column, `by`."""
        return str(self.by)

    def apply(self, draft: Draft) -> Outcome:
        """Return a choice over focal values and roundings; the draft itself where no row has a value."""
        windows = self._windows(DraftStack.of([draft]))
        parts = int(windows.focal.counts[0])
        if not parts:
            return attrs.evolve(draft, done=draft.done | {"window"})
        chances = windows.roundings.probabilities[0]
        numbers = np.flatnonzero(np.repeat(chances, parts))
        weights = np.repeat(chances, parts)[numbers]
        return Choice(weights, lambda k: windows.take(np.array([0]), numbers[[k]])[0])

    def expand(self, stack: DraftStack) -> Options:
        """Return the focal values and roundings of all drafts."""
        return self._windows(stack).options

    def _windows(self, stack: DraftStack) -> Windows:
        stack.require_before("window", "window")
        timeline = _timeline_of(stack.index, self.order_column)
        return Windows.of(stack, timeline, self.half_width, self.scope, self.global_fraction)

    def findings(self, stack: DraftStack) -> Iterator[Finding]:
        """Tell of selections without a value, of windows that are empty for a share, and of windows that hold all."""
        windows = self._windows(stack)
        without = np.flatnonzero(windows.focal.counts == 0)
        if without.size:
            first = stack.index.describe(stack.primary[int(without[0])])
            count = f"{without.size} of {len(stack)} drafts have none"
            message = f"A window needs a value of {self.by!r}; {count}, first {first}."
            yield Finding("warning", message, "Filter these groups out, or leave the stage out.")
        _, shares, inside, outside = windows.look(_WINDOWS_SEEN)
        if shares.size and not outside.any():
            message = f"A window should leave rows outside; all {shares.size} shares looked at lie inside theirs."
            yield Finding("error", message, "Lower half_width, or leave the stage out.")
        empty = shares[inside == 0]
        if empty.size and self.global_fraction < 1:
            pools = stack.index.describe(stack.pools[int(np.bincount(empty).argmax())])
            message = (
                f"A window should hold rows of each share that it divides; {empty.size} of {shares.size} looked at "
                f"have none in theirs, most often {pools}. Their rows all come from outside."
            )
            severity: Severity = "error" if empty.size == shares.size else "warning"
            yield Finding(severity, message, "Raise half_width, or filter these groups out.")

    def check(self, draft: Draft) -> None:
        """Raise if the width does not suit the column, or the scope the chain."""
        check_leak(self, self.scope, draft)
        timeline = _timeline_of(draft.index, self.order_column)
        if not timeline.has_times:
            msg = (
                f"A window needs values to lie around; {self.by!r} has 0 in {draft.index.size} rows "
                "(TemporalEnricher). Name another column, or leave the stage out."
            )
            raise SettingError(msg)
        dates = timeline.times.dtype.kind == "M"
        if dates == isinstance(self.half_width, float):
            kind = "dates" if dates else "numbers"
            msg = (
                f"half_width must suit its column; {self.by!r} holds {kind}, got {self.half_width} "
                f"(TemporalEnricher). {_WAY_OUT}"
            )
            raise SettingTypeError(msg)


def _timeline_of(index: MetadataIndex, column: str) -> Timeline:
    timeline = index.timeline
    if timeline is None or timeline.column != column:
        found = "none" if timeline is None else repr(timeline.column)
        msg = (
            f"The index must be ordered by the column of the window, {column!r}; it is ordered by {found} "
            f"(TemporalEnricher). Make it with MetadataIndex.from_table(..., order_by={column!r})."
        )
        raise SettingError(msg)
    return timeline
