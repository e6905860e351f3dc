"""`Spill`: arrays put by, one after the other, in memory or in a file, and read back in order; `new_array`."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import DTypeLike, NDArray

from batchwright.errors import StorageError

__all__ = ["UNSUPPORTED", "Spill", "new_array", "write_array", "writing"]

# What a system says of that which it, or a file system, does not do.
UNSUPPORTED = (errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP)
# Read from a file at a time: each lot of rows writes to all cells, and pages are written as a whole.
_ENTRIES_READ = 1 << 22


class Spill:
    """Flat arrays in the order in which they came.

    Parameters
    ----------
    path
        A file to keep them in; by default they stay in memory.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._arrays: list[NDArray[Any]] = []
        self._forms: list[tuple[np.dtype[Any], int]] = []

    def append(self, array: NDArray[Any]) -> None:
        """Put an array by."""
        if self._path is None:
            self._arrays.append(array)
            return
        self._forms.append((array.dtype, array.size))
        with writing(self._path), self._path.open("ab") as file:
            write_array(file, array)

    def drain(self, dtype: np.dtype[Any] | None = None) -> Iterator[NDArray[Any]]:
        """Yield the entries in order, as the given type, and let go of them; from a file in larger arrays.

        Spills that were filled with arrays of the same lengths yield arrays of the same lengths.
        """
        arrays = self._drain()
        converted = arrays if dtype is None else (array.astype(dtype, copy=False) for array in arrays)
        return converted if self._path is None else _join(converted)

    def _drain(self) -> Iterator[NDArray[Any]]:
        if self._path is None:
            self._arrays.reverse()
            while self._arrays:
                yield self._arrays.pop()
        elif self._forms:
            with self._path.open("rb") as file:
                for dtype, size in self._forms:
                    yield np.fromfile(file, dtype=dtype, count=size)
            self._path.unlink()
            self._forms = []


def write_array(file: BinaryIO, array: NDArray[Any]) -> None:
    """Write the entries of an array as they stand in memory."""
    # NumPy's own `tofile` says nothing where the last bytes do not fit on the disk.
    file.write(np.ascontiguousarray(array).view(np.uint8).data)


def new_array(folder: Path | None, name: str, dtype: DTypeLike, size: int) -> NDArray[Any]:
    """Return an array to be filled, in memory or in a file of a folder."""
    if folder is None:
        return np.empty(size, dtype=dtype)
    path = folder / f"{name}.npy"
    with writing(path):
        array = np.lib.format.open_memmap(path, mode="w+", dtype=dtype, shape=(size,))
        _make_room(path)
    return array


def _make_room(path: Path) -> None:
    """Let a full disk be an error here, where the system can: it would end the process that fills the file."""
    if hasattr(os, "posix_fallocate"):
        with path.open("r+b") as file:
            try:
                os.posix_fallocate(file.fileno(), 0, path.stat().st_size)
            except OSError as error:
                if error.errno not in UNSUPPORTED:
                    raise


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Say of what goes wrong with a file that an index could not be written."""
    try:
        yield
    except OSError as error:
        msg = (
            f"All files of an index must be written; 1 could not be: {error} ({path}). "
            "Make room there, or name another folder."
        )
        raise StorageError(msg) from error


def _join(arrays: Iterable[NDArray[Any]]) -> Iterator[NDArray[Any]]:
    """Yield arrays joined until they have so many entries, or there are no more."""
    held: list[NDArray[Any]] = []
    size = 0
    for array in arrays:
        held.append(array)
        size += array.size
        if size >= _ENTRIES_READ:
            joined = np.concatenate(held)
            held.clear()
            size = 0
            yield joined
    if held:
        yield np.concatenate(held)
