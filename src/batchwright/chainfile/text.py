"""The text of a chain file as plain values, and back: JSON, or the part of YAML that says the same."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any, Literal, get_args

from batchwright._checks import import_extra
from batchwright.chainfile.places import member, type_of
from batchwright.errors import ChainFileError, SettingError

__all__ = ["Format", "check_format", "read_text", "write_text"]

Format = Literal["json", "yaml"]

# What text without quotes is, as the core schema of YAML 1.2 has it: no dates, and no truth values but these.
_PLAIN = {
    "null": (r"~|null|Null|NULL|", ["", *"~nN"]),
    "bool": (r"true|True|TRUE|false|False|FALSE", [*"tTfF"]),
    "int": (r"[-+]?[0-9]+", [*"-+0123456789"]),
    "float": (r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", [*"-+.0123456789"]),
}
_TAG = "tag:yaml.org,2002:"
# The line breaks of YAML 1.1 besides "\n".
_BREAKS = re.compile("[\x85\u2028\u2029]")
_READ: dict[str, Callable[[str], Any]] = {
    "null": lambda _: None,
    "bool": lambda text: text.lower() == "true",
    "int": int,
    "float": float,
    "str": str,
}


class _Members(list[tuple[Any, Any]]):
    """The members of an object as they stand in the text, which may name one twice."""


def check_format(form: Any, who: str) -> None:
    """Raise unless this is a format."""
    if form not in get_args(Format):
        msg = f"A chain file is JSON or YAML; got {form!r} ({who}). Name 'json' or 'yaml'."
        raise SettingError(msg)


def read_text(text: str, form: Format) -> Any:
    """Return what a text says: dicts with keys of text, lists, text, numbers, truth values and None.

    Raises
    ------
    ChainFileError
        If it cannot be read, names a key twice or one that is no text, or is YAML with tags or aliases.
    SettingError
        If it is YAML and PyYAML is missing.
    """
    try:
        read = _read_json(text) if form == "json" else _read_yaml(text)
        return _unfold(read, "$")
    except RecursionError as error:
        msg = "A chain file must be flat; the lists in this one lie too deep to be read ($). Nest them less."
        raise ChainFileError(msg) from error


def write_text(document: dict[str, Any], form: Format) -> str:
    """Return plain values as text that `read_text` reads, in canonical form."""
    if form == "json":
        return _write_json(document)
    yaml = _import_yaml()
    # Quotes stand wherever this YAML or an older one would read something else than text.
    dumper: Any = type("Dumper", (yaml.SafeDumper,), {"ignore_aliases": lambda *_: True})
    dumper.add_representer(str, _represent_text)
    _resolve(dumper)
    # Lists and objects of plain values stand in one line, so that a stage takes one.
    return str(
        yaml.dump(document, Dumper=dumper, sort_keys=False, default_flow_style=None, width=1e9, allow_unicode=True)
    )


def _represent_text(dumper: Any, text: str) -> Any:
    """Write a rare line break as an escape, which takes double quotes: as it stands, readers may make it a space."""
    return dumper.represent_scalar(f"{_TAG}str", text, style='"' if _BREAKS.search(text) else None)


def _read_json(text: str) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_Members, parse_constant=_refuse_constant)
    except ValueError as error:
        msg = f"A chain file must be JSON; it is not: {error} ($). Correct the text, or name the file *.yaml."
        raise ChainFileError(msg) from error


def _write_json(document: dict[str, Any]) -> str:
    """Return text that has a stage in each line."""

    def line(value: Any) -> str:
        return json.dumps(value, ensure_ascii=False, allow_nan=False)

    members = [
        f"{line(key)}: [\n  " + ",\n  ".join(map(line, value)) + "\n]"
        if isinstance(value, list)
        else f"{line(key)}: {line(value)}"
        for key, value in document.items()
    ]
    return "{" + ", ".join(members) + "}\n"


def _refuse_constant(name: str) -> Any:
    msg = f"{name} is no number of JSON"
    raise ValueError(msg)


def _read_yaml(text: str) -> Any:
    yaml = _import_yaml()
    loader = type("Loader", (yaml.SafeLoader,), {"yaml_implicit_resolvers": {}})
    _resolve(loader)
    try:
        node = yaml.compose(text, Loader=loader)
        events = list(yaml.parse(text))
    except yaml.YAMLError as error:
        found = " ".join(str(error).split())
        msg = f"A chain file must be YAML; it is not: {found} ($). Correct the text, or name the file *.json."
        raise ChainFileError(msg) from error
    _require_plain(events, yaml)
    return None if node is None else _value_of(node)


def _require_plain(events: list[Any], yaml: Any) -> None:
    """Raise if a text of YAML has what JSON cannot say. Nothing is made of what a tag asks for."""
    aliases = [event for event in events if isinstance(event, yaml.AliasEvent)]
    if aliases:
        msg = (
            f"A chain file must say everything where it stands; it has {len(aliases)} aliases, first "
            f"'*{aliases[0].anchor}' (line {aliases[0].start_mark.line + 1}). Write out what the alias stands for."
        )
        raise ChainFileError(msg)
    for event in events:
        merges = isinstance(event, yaml.ScalarEvent) and event.implicit[0] and event.value == "<<"
        found = "<<" if merges else getattr(event, "tag", None)
        if found:
            msg = (
                f"A chain file holds plain values only; {found.replace(_TAG, '!!')!r} asks for something else "
                f"(line {event.start_mark.line + 1}). Write the value without a tag, in quotes if it is text."
            )
            raise ChainFileError(msg)


def _value_of(node: Any) -> Any:
    """Return what a node of YAML says."""
    if node.id == "mapping":
        return _Members((_value_of(key), _value_of(value)) for key, value in node.value)
    if node.id == "sequence":
        return [_value_of(each) for each in node.value]
    try:
        return _READ[node.tag.removeprefix(_TAG)](node.value)
    except ValueError as error:
        msg = (
            f"A number must not be too long; {error} (line {node.start_mark.line + 1}). Put it in quotes if it is text."
        )
        raise ChainFileError(msg) from error


def _resolve(kind: Any) -> None:
    """Let a loader or dumper of PyYAML know what text without quotes is."""
    for name, (pattern, first) in _PLAIN.items():
        kind.add_implicit_resolver(_TAG + name, re.compile(rf"(?:{pattern})\Z"), first)


def _import_yaml() -> Any:
    return import_extra("yaml", "YAML, unlike JSON, is read and written by PyYAML", "chain file", "yaml")


def _unfold(value: Any, place: str) -> Any:
    """Return a value with its objects as dicts."""
    if isinstance(value, _Members):
        members: dict[str, Any] = {}
        for key, each in value:
            _check_key(key, members, place)
            members[key] = _unfold(each, member(place, key))
        return members
    if isinstance(value, list):
        return [_unfold(each, f"{place}[{number}]") for number, each in enumerate(value)]
    return value


def _check_key(key: Any, before: dict[str, Any], place: str) -> None:
    if not isinstance(key, str):
        msg = (
            f"Keys must be text; got {key!r}, {type_of(key)} ({place}). Put it in quotes, or where labels are no "
            'text, write pairs: {"$pairs": [[1, 0.5], [2, 0.5]]}.'
        )
        raise ChainFileError(msg)
    if key in before:
        msg = f"Each key must stand once; {key!r} stands 2 times ({member(place, key)}). Remove one of the two."
        raise ChainFileError(msg)
