"""The parts of an index as a folder of arrays, and back."""

from __future__ import annotations

import os
from collections.abc import Hashable, Iterable, Mapping
from hashlib import blake2b
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from batchwright.blocks import Blocks
from batchwright.building import Parts
from batchwright.columns import columns_to_read
from batchwright.errors import StorageError
from batchwright.labeltext import decode_label, encode_label
from batchwright.storage import NewFolder, checksum, open_folder
from batchwright.timeline import Timeline
from batchwright.timelines import OwnTimes, SharedTimes

__all__ = ["fingerprint_of", "read_again", "read_parts", "require_text", "write_parts"]

_TIMELINE = ("times", "time_keys", "time_starts")


def fingerprint_of(parts: Parts) -> str:
    """Return 16 hexadecimal digits that tell tables apart."""
    checksums = {name: checksum(array) for name, array in _arrays_of(parts).items()}
    return _fingerprint(parts.columns, parts.labels, checksums)


def write_parts(parts: Parts, new: NewFolder) -> None:
    """Write the parts of an index into a new folder, and finish it.

    Raises
    ------
    StorageError
        If a label or the name of a column cannot be saved, or something stands where the folder shall.
    """
    order_by = None if parts.timeline is None else parts.timeline.column
    require_text(columns_to_read(parts.columns, order_by))
    named = zip(parts.columns, parts.labels, strict=True)
    labels = [[encode_label(label, name) for label in labels] for name, labels in named]
    checksums = {name: new.put(name, array) for name, array in _arrays_of(parts).items()}
    content = {
        "columns": list(parts.columns),
        "labels": labels,
        "order_by": order_by,
        "fingerprint": _fingerprint(parts.columns, parts.labels, checksums),
    }
    new.finish(content)


def read_parts(folder: str | os.PathLike[str], *, verify: bool) -> tuple[Parts, str]:
    """Return the parts of an index, mapped to a folder, and its fingerprint.

    Raises
    ------
    StorageError
        As of `open_folder`.
    """
    content, arrays = open_folder(Path(folder), verify=verify)
    labels = tuple(tuple(decode_label(pair) for pair in pairs) for pairs in content["labels"])
    order, timeline = _order_of(arrays), _timeline_of(arrays, content["order_by"])
    parts = Parts(tuple(content["columns"]), labels, arrays["cells"], arrays["offsets"], order, timeline)
    return parts, str(content["fingerprint"])


def read_again(folder: Path, fingerprint: str) -> Parts:
    """Return the parts of an index that another process opened; its arrays were verified there, or not.

    Raises
    ------
    StorageError
        If the folder holds another index now; else as of `open_folder`.
    """
    parts, found = read_parts(folder, verify=False)
    if found != fingerprint:
        msg = (
            f"A folder must keep the index that was opened; its fingerprint is {found}, and was "
            f"{fingerprint} ({folder}). Save each index in a folder of its own, and begin again."
        )
        raise StorageError(msg)
    return parts


def _arrays_of(parts: Parts) -> dict[str, NDArray[Any]]:
    """Return all arrays, in the order in which the fingerprint takes them."""
    arrays: dict[str, NDArray[Any]] = {"cells": parts.cells, "offsets": parts.offsets}
    if isinstance(parts.order, Blocks):
        arrays |= {"block_starts": parts.order.starts, "block_rows": parts.order.rows}
    elif parts.order is not None:
        arrays |= {"order": parts.order}
    if parts.timeline is not None:
        line = parts.timeline
        arrays |= {"times": line.times}
        arrays |= {"time_keys": line.keys} if isinstance(line, SharedTimes) else {}
        arrays |= {} if line.starts is None else {"time_starts": line.starts}
    return arrays


def _order_of(arrays: dict[str, NDArray[Any]]) -> NDArray[Any] | Blocks | None:
    if "block_starts" in arrays:
        return Blocks(arrays["block_starts"], arrays["block_rows"])
    return arrays.get("order")


def _timeline_of(arrays: dict[str, NDArray[Any]], column: str | None) -> Timeline | None:
    if column is None:
        return None
    times, starts = arrays["times"], arrays.get("time_starts")
    if "time_keys" in arrays:
        return SharedTimes(column, times, starts, arrays["time_keys"])
    return OwnTimes(column, times, starts, arrays["offsets"])


def _fingerprint(
    columns: tuple[str, ...], labels: tuple[tuple[Hashable, ...], ...], checksums: Mapping[str, int]
) -> str:
    digest = blake2b(repr((columns, labels)).encode(), digest_size=8)
    others = [crc for name, crc in checksums.items() if name not in _TIMELINE]
    # An array that a timeline does without counts as 0, so that no other is taken for it.
    timeline = [checksums.get(name, 0) for name in _TIMELINE] if "times" in checksums else []
    for crc in [*others, *timeline]:
        digest.update(crc.to_bytes(4, "little"))
    return digest.hexdigest()


def require_text(names: Iterable[Any]) -> None:
    """Raise a `StorageError` unless all names of columns are text."""
    for name in names:
        if not isinstance(name, str):
            msg = (
                f"Columns must have names of text to be saved; 1 is {name!r} of type {type(name).__name__}. Rename it."
            )
            raise StorageError(msg)
