"""`load_chain` and `dump_chain`: a chain as the text of a file, and back."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from batchwright.chainfile.elements import build, check_keys, describe, require
from batchwright.chainfile.places import names_of
from batchwright.chainfile.text import Format, check_format, read_text, write_text
from batchwright.errors import BatchwrightError, ChainFileError, SettingTypeError
from batchwright.pipeline import Pipeline
from batchwright.stages.base import Element

__all__ = ["dump_chain", "load_chain"]

_VERSION = 1
_KEYS = ("batchwright", "stages")
_FORMATS: dict[str, Format] = {".json": "json", ".yaml": "yaml", ".yml": "yaml"}


def load_chain(path_or_text: str | os.PathLike[str]) -> Pipeline:
    """Return the chain that a file describes.

    A file names kinds of stage and their settings. It can neither import nor call anything: kinds are those of the
    library, those that `register_stage` was told, and those of packages that are installed and offer them.

    Parameters
    ----------
    path_or_text
        A file ``*.json``, ``*.yaml`` or ``*.yml``; or the text of one, which has several lines or begins with a brace.
        Text that begins with a brace is JSON, any other YAML.

    Raises
    ------
    ChainFileError
        If the file cannot be read, or anything in it is unknown, missing, there twice, of a wrong type or of a newer
        version. The message names the place, such as ``$.stages[1].fraction``.
    ChainError
        If the stages do not make a chain.

    Examples
    --------
    >>> load_chain('{"batchwright": 1, "stages": [{"kind": "ExperimentSelector", "by": "donor"}, {"kind": "Drawer"}]}')
    Pipeline(stages=(ExperimentSelector(by='donor', weights=None), Drawer()))
    """
    if not isinstance(path_or_text, str | os.PathLike):
        msg = f"A chain file must be a path or text; got {path_or_text!r} (load_chain). Pass the name of a file."
        raise SettingTypeError(msg)
    text = path_or_text if isinstance(path_or_text, str) else ""
    if "\n" in text or text.lstrip().startswith("{"):
        return _chain_of(text, "json" if text.lstrip().startswith("{") else "yaml")
    path = Path(path_or_text)
    try:
        return _chain_of(*_read_file(path))
    except BatchwrightError as error:
        error.add_note(f"in the chain file {str(path)!r}")
        raise


def dump_chain(pipeline: Pipeline | Iterable[Element], form: Format = "json") -> str:
    """Return a chain as the text of a file, in canonical form: every setting of every stage, in order.

    Parameters
    ----------
    pipeline
        The chain: a `Pipeline`, or its stages in order.
    form
        ``"json"`` (default) or ``"yaml"``, which takes PyYAML.

    Raises
    ------
    ChainFileError
        If a stage is of a kind that no file can name, or has settings that would not come back as they are.

    Examples
    --------
    >>> from batchwright import Drawer, LeakMixer, ExperimentSelector
    >>> print(dump_chain([ExperimentSelector("donor"), LeakMixer(0.2), Drawer()]), end="")
    {"batchwright": 1, "stages": [
      {"kind": "ExperimentSelector", "by": "donor", "weights": null},
      {"kind": "LeakMixer", "fraction": 0.2},
      {"kind": "Drawer"}
    ]}
    """
    check_format(form, "dump_chain")
    stages = (pipeline if isinstance(pipeline, Pipeline) else Pipeline(pipeline)).stages
    described = [describe(stage, f"$.stages[{number}]") for number, stage in enumerate(stages)]
    text = write_text({"batchwright": _VERSION, "stages": described}, form)
    for number, (stage, back) in enumerate(zip(stages, _chain_of(text, form).stages, strict=True)):
        # By its text, since that is what tells chains apart where positions are saved.
        if repr(back) != repr(stage):
            msg = (
                f"A stage must come back from a file as it is; {stage!r} comes back as {back!r} ($.stages[{number}]). "
                "Let its constructor keep settings as they come: plain values, and tuples instead of lists."
            )
            raise ChainFileError(msg)
    return text


def _read_file(path: Path) -> tuple[str, Format]:
    if path.suffix not in _FORMATS:
        msg = f"A chain file must be named {names_of(_FORMATS)}; got {str(path)!r} (load_chain). Rename the file."
        raise ChainFileError(msg)
    try:
        return path.read_text(encoding="utf-8-sig"), _FORMATS[path.suffix]
    # Bytes that are no text are a ValueError.
    except (OSError, ValueError) as error:
        msg = f"A chain file must be readable text; 1 is not: {error} (load_chain). Name a file of UTF-8."
        raise ChainFileError(msg) from error


def _chain_of(text: str, form: Format) -> Pipeline:
    document = require(read_text(text, form), dict, "$")
    _check_version(document)
    check_keys(document, _KEYS, _KEYS, "$")
    described = require(document["stages"], list, "$.stages")
    return Pipeline([build(each, f"$.stages[{number}]") for number, each in enumerate(described)])


def _check_version(document: dict[str, Any]) -> None:
    version = document.get("batchwright")
    if type(version) is not int or version < 1:
        found = repr(version) if "batchwright" in document else "none"
        msg = f"A chain file must say its version; got {found} ($.batchwright). Add the key batchwright with value 1."
        raise ChainFileError(msg)
    if version > _VERSION:
        msg = (
            f"A chain file must be of version {_VERSION}; got {version}, which is newer ($.batchwright). "
            "Update batchwright, or write the file with this version."
        )
        raise ChainFileError(msg)
