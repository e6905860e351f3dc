"""Where something stands in a chain file, and what is named most like it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

__all__ = ["member", "names_of", "nearest", "type_of"]

_TYPES = {type(None): "null", bool: "true or false", int: "an integer", float: "a number", str: "text"}


def member(place: str, key: str) -> str:
    """Return the place of a member of an object, such as ``$.stages[1].fraction``."""
    return f"{place}.{key}" if key.isidentifier() else f"{place}[{json.dumps(key, ensure_ascii=False)}]"


def names_of(names: Iterable[str]) -> str:
    """Return names as text."""
    return ", ".join(map(repr, names))


def nearest(name: str, known: Iterable[str]) -> str:
    """Return the way out of a name that is not known: the one most like it, or all that there are."""
    known = sorted(known)
    like = get_close_matches(name, known, 1)
    if not known:
        return "Remove it."
    return f"Write {like[0]!r}, which is most like it." if like else f"Write one of these: {names_of(known)}."


def type_of(value: Any) -> str:
    """Return what a value of a file is, in the words of the format."""
    return _TYPES.get(type(value), "an object" if isinstance(value, dict) else "a list")
