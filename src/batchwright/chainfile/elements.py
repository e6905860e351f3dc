"""A stage as an object of a chain file, and back."""

from __future__ import annotations

import re
from inspect import Parameter
from typing import Any

from batchwright.chainfile.places import member, names_of, nearest, type_of
from batchwright.chainfile.registry import known_kinds, settings_of, stage_class
from batchwright.chainfile.values import decode, encode
from batchwright.errors import BatchwrightError, ChainFileError
from batchwright.stages.base import Element

__all__ = ["build", "check_keys", "describe", "require"]


def build(described: Any, place: str) -> Element:
    """Return the stage that an object of a chain file describes.

    Raises
    ------
    ChainFileError
        If it is of no known kind, its settings are not those of the kind, or the stage refuses them.
    """
    members = require(described, dict, place)
    check_keys(members, members, ["kind"], place)
    name = require(members["kind"], str, f"{place}.kind")
    kind = stage_class(name)
    if kind is None:
        msg = (
            f"A kind of stage must be known; {name!r} is not ({place}.kind). {nearest(name, known_kinds())} "
            "One of your own is made known by register_stage, or by an entry point of the package that has it."
        )
        raise ChainFileError(msg)
    parameters = settings_of(kind)
    needed = [name for name, parameter in parameters.items() if parameter.default is Parameter.empty]
    given = {key: value for key, value in members.items() if key != "kind"}
    check_keys(given, parameters, needed, place)
    settings = {key: decode(value, member(place, key)) for key, value in given.items()}
    try:
        return kind(**settings)
    except BatchwrightError as error:
        # Messages begin with the setting that they are about.
        about = re.match(r"`?(\w+)", str(error))
        msg = f"{member(place, about[1]) if about and about[1] in settings else place}: {error}"
        raise ChainFileError(msg) from error
    except Exception as error:
        msg = (
            f"A stage must take its settings; {name} does not: {type(error).__name__}: {error} ({place}). "
            "Correct them in the file."
        )
        raise ChainFileError(msg) from error


def describe(stage: Element, place: str) -> dict[str, Any]:
    """Return a stage as an object of a chain file, with all its settings.

    Raises
    ------
    ChainFileError
        If its kind is not registered, or a setting cannot be had or written.
    """
    kind = type(stage)
    if stage_class(kind.__name__) is not kind:
        msg = (
            f"A stage must be of a kind that files can name; {kind.__module__}.{kind.__qualname__} is not registered "
            f"({place}). Register it with batchwright.chainfile.register_stage."
        )
        raise ChainFileError(msg)
    described: dict[str, Any] = {"kind": kind.__name__}
    for name in settings_of(kind):
        if not hasattr(stage, name):
            msg = (
                f"A setting must be kept as an attribute of its name; {name!r} of {kind.__name__} is not "
                f"({member(place, name)}). Let the constructor keep it as self.{name}."
            )
            raise ChainFileError(msg)
        described[name] = encode(getattr(stage, name), member(place, name))
    return described


def check_keys(found: dict[str, Any], known: Any, needed: Any, place: str) -> None:
    """Raise unless all keys of an object are known, and those that are needed are there."""
    unknown = [key for key in found if key not in known]
    if unknown:
        msg = (
            f"A key must be known; {unknown[0]!r} is not ({member(place, unknown[0])}). "
            f"{nearest(unknown[0], set(known).difference(found))}"
        )
        raise ChainFileError(msg)
    missing = [key for key in needed if key not in found]
    if missing:
        msg = f"Every key that is needed must be there; {len(missing)} lack: {names_of(missing)} ({place}). Add them."
        raise ChainFileError(msg)


def require(value: Any, kind: type, place: str) -> Any:
    """Return a value if it is of a type, or raise."""
    if not isinstance(value, kind):
        wanted = type_of(kind())
        msg = f"Here must stand {wanted}; got {type_of(value)}, {value!r} ({place}). Write {wanted}."
        raise ChainFileError(msg)
    return value
