"""Labels as JSON that keeps their type."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from datetime import date
from typing import Any

import pandas as pd

from batchwright.errors import StorageError

__all__ = ["decode_label", "encode_label"]


def _encode_timestamp(label: pd.Timestamp) -> list[str | None]:
    return [label.isoformat(), label.unit, None if label.tz is None else str(label.tz)]


def _decode_timestamp(value: Any) -> pd.Timestamp:
    text, unit, zone = value
    read = pd.Timestamp(text)
    return (read if zone is None else read.tz_convert(zone)).as_unit(unit)


# Floats are text, since JSON knows neither infinity nor how many digits are meant.
_KINDS: dict[type, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    str: (str, str),
    int: (int, int),
    bool: (bool, bool),
    float: (repr, float),
    date: (date.isoformat, date.fromisoformat),
    pd.Timestamp: (_encode_timestamp, _decode_timestamp),
}
_DECODERS = {kind.__name__: decode for kind, (_, decode) in _KINDS.items()}


def encode_label(label: Hashable, column: str) -> list[Any]:
    """Return a label as ``[type, value]``.

    Parameters
    ----------
    label
        Text, an integer, a truth value, a float, a date or a Timestamp, with or without a zone.
    column
        Its column, for messages.

    Raises
    ------
    StorageError
        If the label is of another type, or would not come back as it is.

    Examples
    --------
    >>> encode_label(0.5, "dose"), decode_label(["float", "0.5"])
    (['float', '0.5'], 0.5)
    """
    if type(label) in _KINDS:
        pair = [type(label).__name__, _KINDS[type(label)][0](label)]
        if _comes_back(pair, label):
            return pair
    names = ", ".join(_DECODERS)
    msg = (
        f"Labels must be {names} to be saved, in a zone that its name tells; {column!r} has 1 that is none: "
        f"{label!r} of type {type(label).__name__}. Convert the column, for instance to text."
    )
    raise StorageError(msg)


def decode_label(pair: list[Any]) -> Hashable:
    """Return the label that `encode_label` made a pair of."""
    kind, value = pair
    label: Hashable = _DECODERS[kind](value)
    return label


def _comes_back(pair: list[Any], label: Hashable) -> bool:
    try:
        return repr(decode_label(pair)) == repr(label)
    except (KeyError, TypeError, ValueError):
        return False
