"""Values and frames as plain Python: what JSON has a word for."""

from __future__ import annotations

import math
from numbers import Integral, Real
from typing import Any

import pandas as pd

__all__ = ["plain", "records"]


def plain(value: Any) -> Any:
    """Return None, a bool, an int, a float or a text for any value; a missing one is None, an infinite one text.

    Examples
    --------
    >>> [plain(value) for value in (float("nan"), float("-inf"), 2, True, pd.Timestamp("2026-03-01"), "a")]
    [None, '-inf', 2, True, '2026-03-01 00:00:00', 'a']
    """
    if value is None or value is pd.NaT or isinstance(value, bool):
        return None if value is pd.NaT else value
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Real):
        number = float(value)
        return None if math.isnan(number) else number if math.isfinite(number) else str(number)
    return str(value)


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of a frame as dicts of plain values."""
    columns = [[plain(value) for value in frame[name].tolist()] for name in frame]
    return [dict(zip(map(str, frame), row, strict=True)) for row in zip(*columns, strict=True)]
