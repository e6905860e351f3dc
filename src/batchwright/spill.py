"""`Spill`: arrays put by, one after the other, in memory or in a file, and read back in order."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Spill"]


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
        with self._path.open("ab") as file:
            np.ascontiguousarray(array).tofile(file)

    def drain(self) -> Iterator[NDArray[Any]]:
        """Yield the arrays in order, and let go of each."""
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
