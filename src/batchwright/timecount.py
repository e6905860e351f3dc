"""`TimeCounter`: times as numbers, and rows counted by cell and time, while rows come in and times repeat."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from batchwright.times import rank_times

__all__ = ["TimeCounter"]

Integers = NDArray[np.int64]

# Cells times distinct times at most: counts of so many take 8 MB, and twice as much where they grow.
_MOST = 1 << 20
# Small chunks that go on bringing new times cost more than they hold. So much is borne, and so much more for each row.
_COST_AT_FIRST = 1 << 24
_COST_OF_A_ROW = 1 << 4


class TimeCounter:
    """Numbers the values of an ordered column, some rows at a time, and counts rows by cell and value.

    As long as they are few, a small number a row is all that need be put by, and the counts say where each row goes.
    """

    def __init__(self) -> None:
        self._counts = np.zeros((0, 0), dtype=np.int64)
        self._times: NDArray[Any] = np.empty(0)
        self._means = _COST_AT_FIRST

    def encode(self, ids: NDArray[Any], times: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any] | None:
        """Take in some rows and return the numbers of their times, in integers as small as may be.

        None, and nothing is taken in, where the times would be too many or cost too much. From then on it only
        decodes the numbers that it gave.

        Parameters
        ----------
        ids
            Integers, shape (K,): the number of the cell of each row.
        times
            float64, int64 or datetime64, shape (K,): the time of each row; one number stands for all that are missing.
        dtype
            The type that all times have once these are in.
        """
        values = np.concatenate([part.astype(dtype, copy=False) for part in (self._times, times)])
        numbers, distinct = pd.factorize(values, use_na_sentinel=False)
        # Known times keep their numbers.
        known = self._times.size
        numbers = numbers[known:]
        shape = (max(len(self._counts), int(ids.max()) + 1), distinct.size)
        grows = shape != self._counts.shape
        self._means += _COST_OF_A_ROW * times.size - known - grows * self._counts.size
        if shape[0] * shape[1] > _MOST or self._means < 0:
            return None
        if grows:
            counts = np.zeros(shape, dtype=np.int64)
            counts[: len(self._counts), :known] = self._counts
            self._counts = counts
        self._times = distinct
        np.add.at(self._counts.reshape(-1), ids.astype(np.int64) * distinct.size + numbers, 1)
        return numbers.astype(np.min_scalar_type(distinct.size))

    def decode(self, numbers: NDArray[Any]) -> NDArray[Any]:
        """Return the times that have some numbers."""
        times: NDArray[Any] = self._times[numbers]
        return times

    def finish(self, rank: Integers) -> tuple[NDArray[Any], NDArray[Any], Integers]:
        """Return in which run the rows of a cell and a time stand, and the runs themselves.

        Parameters
        ----------
        rank
            int64: the place of each cell by its number.

        Returns
        -------
        runs
            Integers, shape (cells, times): the run of each number of a cell and number of a time.
        times
            The time of each run, in order of position.
        counts
            int64: the rows of each run.
        """
        # Values that are equal, as two zeros and all that are missing, have one number, so no key comes twice.
        times, ranks = rank_times(self._times)
        keys = (rank[: len(self._counts), None] * (times.size + 1) + ranks).ravel()
        counts = self._counts.ravel()
        used = np.flatnonzero(counts)
        used = used[np.argsort(keys[used])]
        runs = np.zeros(keys.size, dtype=np.min_scalar_type(used.size))
        runs[used] = np.arange(used.size)
        return runs.reshape(self._counts.shape), self._times[used % self._times.size], counts[used]
