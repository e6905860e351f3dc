"""Checks of arguments, with one wording for all of them; and what other libraries raise of values."""

import math
from collections.abc import Hashable, Mapping
from importlib import import_module
from numbers import Integral, Real
from typing import Any

import pandas as pd

from batchwright.errors import BatchwrightError, SettingError, SettingTypeError
from batchwright.plainvalues import plain_label

# What pandas and pyarrow raise of values that they have no type for, or cannot tell apart.
UNFIT = (TypeError, ValueError, NotImplementedError, ArithmeticError)  # One is pyarrow's ArrowNotImplementedError.


def check_integer(value: Any, name: str, who: str, minimum: int | None, way_out: str) -> int:
    """Return `value` as an int, or raise if it is no integer or below `minimum`."""
    if isinstance(value, bool) or not isinstance(value, Integral):
        msg = f"{name} must be an integer; got {value!r} of type {type(value).__name__} ({who}). {way_out}"
        raise SettingTypeError(msg)
    if minimum is not None and value < minimum:
        msg = f"{name} must be at least {minimum}; got {value} ({who}). {way_out}"
        raise SettingError(msg)
    return int(value)


def check_number(value: Any, name: str, who: str, way_out: str) -> float:
    """Return `value` as a finite float that is not negative, or raise."""
    if isinstance(value, bool) or not isinstance(value, Real):
        msg = f"{name} must be a number; got {value!r} of type {type(value).__name__} ({who}). {way_out}"
        raise SettingTypeError(msg)
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number) or number < 0:
        msg = f"{name} must be finite and not negative; got {number} ({who}). {way_out}"
        raise SettingError(msg)
    return number


def check_fraction(value: Any, name: str, who: str) -> float:
    """Return `value` as a float in [0, 1], or raise."""
    way_out = f"Pass {name} between 0 and 1, for instance 0.2 for a fifth of the rows."
    number = check_number(value, name, who, way_out)
    if number > 1:
        msg = f"{name} must be at most 1; got {value} ({who}). {way_out}"
        raise SettingError(msg)
    return number


def check_flag(value: Any, name: str, who: str) -> bool:
    """Return `value` if it is a bool, or raise."""
    if not isinstance(value, bool):
        msg = f"{name} must be True or False; got {value!r} ({who}). Pass a bool."
        raise SettingTypeError(msg)
    return value


def check_weights(value: Any, name: str, who: str) -> dict[Hashable, float]:
    """Return a mapping or Series as a dict from label to finite, non-negative weight, not all zero, or raise."""
    if isinstance(value, pd.Series):
        again = value.index[value.index.duplicated()]
        if len(again):
            msg = f"{name} must name each label once; {len(again)} stand again: {some_of(again)} ({who}). Sum them up."
            raise SettingError(msg)
        value = value.to_dict()
    if not isinstance(value, Mapping):
        msg = f"{name} must map labels to numbers; got {value!r} ({who}). Pass a dict such as {{'a': 1, 'b': 3}}."
        raise SettingTypeError(msg)
    way_out = "Weights are relative: 1 and 3 give a quarter and three quarters."
    entries = [(plain_label(label), number) for label, number in value.items()]
    weights = {label: check_number(number, f"{name}[{label!r}]", who, way_out) for label, number in entries}
    if not any(weights.values()):
        msg = f"{name} must have a positive entry; got {len(weights)} entries, none above 0 ({who}). {way_out}"
        raise SettingError(msg)
    if not math.isfinite(sum(weights.values())):
        most = max(weights.values())
        msg = f"{name} must have a finite sum; got {len(weights)} entries up to {most} ({who}). {way_out}"
        raise SettingError(msg)
    # Sorted, so that the order in which a user writes labels does not make another chain.
    return dict(sorted(weights.items(), key=lambda item: repr(item[0])))


def import_extra(module: str, rule: str, who: str, extra: str, error: type[BatchwrightError] = SettingError) -> Any:
    """Return a module that an extra installs, or raise if it is missing; `rule` says what takes it."""
    try:
        return import_module(module)
    except ModuleNotFoundError as missing:
        msg = f"{rule}; 0 versions of it are there ({who}). Install batchwright[{extra}]."
        raise error(msg) from missing


def some_of(names: Any, limit: int = 5) -> str:
    """Return the first few names as text, with the number of those left out."""
    names = list(names)
    shown = ", ".join(repr(name) for name in names[:limit])
    return shown if len(names) <= limit else f"{shown} and {len(names) - limit} more"
