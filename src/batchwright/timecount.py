"""`TimeCounter`: times as numbers, and rows counted by cell and time, while rows come in and times repeat."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from batchwright.timeline import Timeline
from batchwright.times import rank_times

__all__ = ["TimeCounter"]

Integers = NDArray[np.int64]

# Cells times distinct times at most: counts of so many take 8 MB.
_MOST = 1 << 20


class TimeCounter:
    """Numbers the values of an ordered column, some rows at a time, and counts rows by cell and value.

    Where values repeat, a small number a row is all that need be put by, and the counts say where each row goes.
    """

    def __init__(self) -> None:
        self._counts = np.zeros((0, 0), dtype=np.int64)
        self._times: NDArray[Any] | None = None

    def encode(self, ids: NDArray[Any], times: NDArray[Any]) -> NDArray[Any] | None:
        """Take in some rows and return the numbers of their times, in integers as small as may be.

        None, and nothing is taken in, where the times would be too many, or are of another type than those before.

        Parameters
        ----------
        ids
            Integers, shape (K,): the number of the cell of each row.
        times
            float64, int64 or datetime64, shape (K,): the time of each row; one number stands for all that are missing.
        """
        known = times[:0] if self._times is None else self._times
        if known.dtype != times.dtype:
            return None
        numbers, distinct = pd.factorize(np.concatenate([known, times]), use_na_sentinel=False)
        numbers = numbers[known.size :]
        shape = (max(len(self._counts), int(ids.max()) + 1), distinct.size)
        if shape[0] * shape[1] > _MOST:
            return None
        if shape != self._counts.shape:
            counts = np.zeros(shape, dtype=np.int64)
            counts[: len(self._counts), : known.size] = self._counts
            self._counts, self._times = counts, distinct
        np.add.at(self._counts.reshape(-1), ids * np.int64(distinct.size) + numbers, 1)
        return numbers.astype(np.min_scalar_type(distinct.size))

    def decode(self, numbers: NDArray[Any]) -> NDArray[Any]:
        """Return the times that have some numbers."""
        times = np.empty(0) if self._times is None else self._times
        decoded: NDArray[Any] = times[numbers]
        return decoded

    def finish(self, column: str, rank: Integers) -> tuple[NDArray[Any], Timeline]:
        """Return in which run the rows of a cell and a time stand, by their numbers, and the runs themselves.

        Parameters
        ----------
        column
            The ordered column.
        rank
            int64: the place of each cell by its number.
        """
        times, ranks = rank_times(self.decode(np.arange(self._counts.shape[1])))
        keys = (rank[: len(self._counts), None] * (times.size + 1) + ranks).ravel()
        counts = self._counts.ravel()
        used = np.flatnonzero(counts)
        used = used[np.argsort(keys[used])]
        runs = np.zeros(keys.size, dtype=np.min_scalar_type(used.size))
        runs[used] = np.arange(used.size)
        starts = np.concatenate([[0], np.cumsum(counts[used])])
        return runs.reshape(self._counts.shape), Timeline(column, times, keys[used], starts)
