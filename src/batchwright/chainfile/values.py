"""Settings as plain values, and back: what JSON lacks is written as an object of one key that begins with a ``$``."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from batchwright.chainfile.places import member, nearest, type_of
from batchwright.errors import ChainFileError, StorageError
from batchwright.labeltext import decode_label, encode_label

__all__ = ["decode", "encode"]

_SPECIAL = ("$date", "$Timestamp", "$float")
_UNITS = {"days": "D", "hours": "h", "minutes": "min", "seconds": "s"}
_UNITS |= {"milliseconds": "ms", "microseconds": "us", "nanoseconds": "ns"}


def encode(value: Any, place: str) -> Any:
    """Return a setting as plain values.

    Parameters
    ----------
    value
        None, a truth value, a number, text, a duration, a date or a Timestamp; or a sequence of such, or a mapping from
        labels, which may be tuples, to such.
    place
        Where it will stand, for messages.

    Raises
    ------
    ChainFileError
        If it is of another type.

    Examples
    --------
    >>> encode({"a": 1.0}, "$"), encode({1: 0.5, 2: 0.5}, "$")
    ({'a': 1.0}, {'$pairs': [[1, 0.5], [2, 0.5]]})
    """
    if value is None or type(value) in (bool, int, str) or (type(value) is float and math.isfinite(value)):
        return value
    if isinstance(value, list | tuple):
        return [encode(each, f"{place}[{number}]") for number, each in enumerate(value)]
    if isinstance(value, Mapping):
        return _encode_mapping(value, place)
    if isinstance(value, np.timedelta64) and not np.isnat(value):
        return _duration(value)
    try:
        kind, plain = encode_label(value, place)
    except StorageError as error:
        msg = (
            f"A setting must be of a type that a chain file has; got {value!r} of type {type(value).__name__} "
            f"({place}). Keep it as None, a truth value, number, text, duration or date, or tuples or dicts of these."
        )
        raise ChainFileError(msg) from error
    return {f"${kind}": plain}


def decode(value: Any, place: str) -> Any:
    """Return the setting that `encode` made plain values of; lists become tuples, since settings do not change.

    Raises
    ------
    ChainFileError
        If a key begins with ``$`` and is none that `encode` writes, or its value cannot be read.
    """
    if isinstance(value, list):
        return tuple(decode(each, f"{place}[{number}]") for number, each in enumerate(value))
    if not isinstance(value, dict):
        return value
    special = [key for key in value if key.startswith("$")]
    if not special:
        return {key: decode(each, member(place, key)) for key, each in value.items()}
    if len(value) > 1:
        msg = (
            f"A key that begins with $ must stand alone; {special[0]!r} is one of {len(value)} ({place}). "
            'Where it is a label, write pairs: {"$pairs": [["$a", 0.5], ["b", 0.5]]}.'
        )
        raise ChainFileError(msg)
    return _decode_special(special[0], value[special[0]], member(place, special[0]))


def _encode_mapping(value: Mapping[Hashable, Any], place: str) -> dict[str, Any]:
    if all(type(label) is str and not label.startswith("$") for label in value):
        return {str(label): encode(each, member(place, str(label))) for label, each in value.items()}
    items = enumerate(value.items())
    return {"$pairs": [[encode(key, f"{place}[{i}][0]"), encode(each, f"{place}[{i}][1]")] for i, (key, each) in items]}


def _decode_special(key: str, value: Any, place: str) -> Any:
    if key == "$pairs":
        return _decode_pairs(value, place)
    if key not in _SPECIAL:
        msg = f"A key that begins with $ must be known; {key!r} is not ({place}). {nearest(key, [*_SPECIAL, '$pairs'])}"
        raise ChainFileError(msg)
    try:
        return decode_label([key[1:], value])
    except (TypeError, ValueError) as error:
        msg = f"{key} must hold what dump_chain writes; got {value!r}: {error} ({place}). Correct the value."
        raise ChainFileError(msg) from error


def _decode_pairs(value: Any, place: str) -> dict[Hashable, Any]:
    if not isinstance(value, list) or not all(isinstance(pair, list) and len(pair) == 2 for pair in value):
        msg = f"$pairs must be a list of pairs; got {type_of(value)} ({place}). Write [[1, 0.5], [2, 0.5]]."
        raise ChainFileError(msg)
    pairs: dict[Hashable, Any] = {}
    for number, (label, each) in enumerate(decode(value, place)):
        again = _stands_in(pairs, label)
        if again is not False:
            found = f"{label!r} again" if again else "an object"
            msg = f"A label must be a plain value that stands once; got {found} ({place}[{number}]). Correct the pair."
            raise ChainFileError(msg)
        pairs[label] = each
    return pairs


def _stands_in(pairs: Mapping[Hashable, Any], label: Any) -> bool | None:
    """Return whether a label stands in some pairs; None where it cannot, since there is an object in it."""
    try:
        return label in pairs
    except TypeError:
        return None


def _duration(value: np.timedelta64) -> str:
    """Return a duration as text that pandas reads exactly, such as ``1h 30min``."""
    counts = pd.Timedelta(value).components._asdict()
    return " ".join(f"{counts[name]}{unit}" for name, unit in _UNITS.items() if counts[name]) or "0s"
