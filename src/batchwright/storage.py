"""Folders of arrays with a header: they appear as a whole or not at all, and are checked and mapped when opened."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from batchwright.errors import StorageError
from batchwright.spill import UNSUPPORTED, write_array, writing

__all__ = ["NewFolder", "checksum", "open_folder"]

_FORMAT = "batchwright index"
_VERSION = 2  # In version 1, times that never repeat were kept like those that do.
_HEADER = "header.json"
_AGAIN = "Make the index again and save it in a new folder."


def checksum(array: NDArray[Any]) -> int:
    """Return the crc32 of the bytes of an array, as they stand in memory."""
    return zlib.crc32(np.ascontiguousarray(array).view(np.uint8).data)


class NewFolder:
    """A folder that is filled beside its place, and moved there when it is complete.

    Use it in a ``with`` statement. Unless `finish` was called, nothing is left at the end.

    Parameters
    ----------
    target
        The folder to be; nothing may be there yet.

    Raises
    ------
    StorageError
        If something is there, or the folder cannot be made.
    """

    def __init__(self, target: str | os.PathLike[str]) -> None:
        self.target = Path(target).absolute()
        self.path = self.target.parent / f".{self.target.name}.{secrets.token_hex(4)}.partial"
        self._forms: dict[str, dict[str, Any]] = {}

    def __enter__(self) -> Self:
        if os.path.lexists(self.target):
            raise self._taken()
        try:
            self.path.mkdir()
        except OSError as error:
            raise self._refused(error) from error
        return self

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self.path, ignore_errors=True)

    def put(self, name: str, array: NDArray[Any]) -> int:
        """Write an array, unless it is mapped to its file here already, and return its checksum."""
        path = self.path / f"{name}.npy"
        with writing(path):
            if isinstance(array, np.memmap) and path.exists():
                array.flush()
            else:
                _save(path, np.asarray(array, order="C"))
        crc, size = checksum(array), path.stat().st_size
        head = size - array.nbytes
        self._forms[name] = {
            "dtype": array.dtype.str,
            "shape": list(array.shape),
            "bytes": size,
            "crc32": crc,
            "head_bytes": head,
            "head_crc32": _checksum_of_head(path, head),
        }
        return crc

    def finish(self, content: Mapping[str, Any]) -> None:
        """Write the header, see to it that all is on disk, and move the folder to its place.

        Parameters
        ----------
        content
            What the header shall say besides, as JSON has it.

        Raises
        ------
        StorageError
            If something has come to stand there.
        """
        header = {"format": _FORMAT, "version": _VERSION, "arrays": self._forms, "content": dict(content)}
        header["checksum"] = _checksum_of_header(header)
        with writing(self.path):
            (self.path / _HEADER).write_text(json.dumps(header, allow_nan=False), encoding="ascii")
            self._sync_all()
        try:
            self.path.rename(self.target)
        except OSError as error:
            if os.path.lexists(self.target):
                raise self._taken() from error
            raise self._refused(error) from error
        with writing(self.target):
            _sync_folder(self.target.parent)

    def _sync_all(self) -> None:
        wanted = {_HEADER, *(f"{name}.npy" for name in self._forms)}
        for path in self.path.iterdir():
            if path.name in wanted:
                _sync(path)
            else:
                # It was needed on the way only.
                path.unlink()
        _sync_folder(self.path)

    def _refused(self, error: OSError) -> StorageError:
        msg = (
            f"An index is written beside its place; 0 folders could be made there: {error} ({self.target}). "
            "Name a place in a folder that exists and may be written to."
        )
        return StorageError(msg)

    def _taken(self) -> StorageError:
        msg = (
            f"An index is saved where nothing stands, so that none is lost; 1 folder or file is there ({self.target}). "
            "Name another folder, or remove it first."
        )
        return StorageError(msg)


def open_folder(folder: Path, *, verify: bool) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Return what the header of a folder says besides, and its arrays by name, mapped to their files and read-only.

    Parameters
    ----------
    folder
        A folder that `NewFolder` made.
    verify
        Whether to read all arrays and compare their checksums. Header, sizes, types and shapes are always checked.

    Raises
    ------
    StorageError
        If this is no such folder, it is of another version, or anything is missing or was altered.
    """
    header = _read_header(folder)
    arrays = {name: _map(folder / f"{name}.npy", form) for name, form in header["arrays"].items()}
    if verify:
        for name, form in header["arrays"].items():
            found = checksum(arrays[name])
            if found != form["crc32"]:
                raise _altered(folder / f"{name}.npy", "checksum", found, form["crc32"])
    return header["content"], arrays


def _read_header(folder: Path) -> dict[str, Any]:
    path = folder / _HEADER
    try:
        text = path.read_bytes()
    except OSError as error:
        msg = (
            f"A stored index is a folder with a {_HEADER}; there are 0 that can be read: {error} ({folder}). "
            "Name the folder that was saved."
        )
        raise StorageError(msg) from error
    try:
        header = json.loads(text)
    except (ValueError, RecursionError) as error:
        msg = f"A header must be whole; the {len(text)} bytes of this one are no JSON: {error} ({path}). {_AGAIN}"
        raise StorageError(msg) from error
    _check_header(header, path)
    return dict(header)


def _check_header(header: Any, path: Path) -> None:
    if not isinstance(header, dict) or header.get("format") != _FORMAT or not isinstance(header.get("version"), int):
        msg = f"A header must be of format {_FORMAT!r}; this is 1 of another ({path}). Name the folder that was saved."
        raise StorageError(msg)
    if header["version"] != _VERSION:
        upgrade = "Upgrade batchwright, or make the index again with this version."
        msg = (
            f"A stored index must be of version {_VERSION}; this one has {header['version']} ({path}). "
            f"{upgrade if header['version'] > _VERSION else _AGAIN}"
        )
        raise StorageError(msg)
    expected = _checksum_of_header(header)
    if header.get("checksum") != expected:
        raise _altered(path, "checksum", expected, header.get("checksum"))


def _map(path: Path, form: Mapping[str, Any]) -> NDArray[Any]:
    try:
        size = path.stat().st_size
        if size != form["bytes"]:
            raise _altered(path, "size in bytes", size, form["bytes"])
        head = _checksum_of_head(path, form["head_bytes"])
        # NumPy reads heads of any kind, with errors and warnings of any kind.
        if head != form["head_crc32"]:
            raise _altered(path, "checksum of the head", head, form["head_crc32"])
        mapped = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError) as error:
        if isinstance(error, StorageError):
            raise
        msg = f"Every array of a header must be there; 1 cannot be read: {error} ({path}). {_AGAIN}"
        raise StorageError(msg) from error
    found = [mapped.dtype.str, list(mapped.shape), mapped.flags.c_contiguous]
    if found != [form["dtype"], form["shape"], True]:
        raise _altered(path, "form", found, [form["dtype"], form["shape"], True])
    # A plain array on the same pages: slices of a memmap cost more, and nothing here asks for its file.
    return np.asarray(mapped)


def _save(path: Path, array: NDArray[Any]) -> None:
    """Write what `numpy.save` would of an array that is C-contiguous."""
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, np.lib.format.header_data_from_array_1_0(array))
        write_array(file, array)


def _checksum_of_head(path: Path, size: int) -> int:
    with path.open("rb") as file:
        return zlib.crc32(file.read(size))


def _altered(path: Path, what: str, found: Any, expected: Any) -> StorageError:
    msg = f"A stored index must stay as it was saved; {what} is {found}, and was {expected} ({path}). {_AGAIN}"
    return StorageError(msg)


def _checksum_of_header(header: Mapping[str, Any]) -> int:
    rest = {name: value for name, value in header.items() if name != "checksum"}
    return zlib.crc32(json.dumps(rest, sort_keys=True, separators=(",", ":")).encode())


def _sync(path: Path) -> None:
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def _sync_folder(path: Path) -> None:
    """Let names of files be on disk, where there is such a thing for folders, and they may be read."""
    try:
        _sync(path)
    except OSError as error:
        if not isinstance(error, PermissionError) and error.errno not in UNSUPPORTED:
            raise
