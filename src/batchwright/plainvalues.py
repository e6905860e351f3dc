"""Labels as Python has them, of whatever library their values are."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import numpy as np

__all__ = ["plain_label", "plain_value"]


def plain_value(value: Any) -> Hashable:
    """Return a value of a table as Python has it, where it can be had so."""
    if isinstance(value, np.number | np.bool_ | np.character):
        # Some have no plain form of their own.
        value = float(value) if isinstance(value, np.floating) else value.item()
    if isinstance(value, str):
        return str.__str__(value)
    # There are two zeros, which are equal: one of them stands for both, whichever came first.
    return value + 0.0 if type(value) is float else value


def plain_label(label: Hashable) -> Hashable:
    """Return a label, or a tuple of labels, of plain values, so that equal settings read the same."""
    return tuple(map(plain_value, label)) if isinstance(label, tuple) else plain_value(label)
