"""The cascade from which batchwright comes, re-told in plain NumPy: group, then leak, then window or balance.

Written from its description: rows by group and by (group, condition) are kept; each batch chooses an experiment in
proportion to its rows, gathers the rows of all other experiments to draw the leak from, and then draws the rest
either around a focal time or in equal parts of each condition, of which the last takes the remainder.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Cascade"]

Integers = NDArray[np.int64]


class Cascade:
    """Batches of one experiment and a leak; with a window around a focal time, or balanced by condition."""

    def __init__(self, table: dict[str, Any], batch_size: int, leak: float, half_width: float | None = None) -> None:
        self._leaked = int(batch_size * leak)
        self._own = batch_size - self._leaked
        self._times, self._half_width = table["hours"], half_width
        self._groups = _rows_by(table["experiment"])
        self._strata = [[rows[part] for part in _rows_by(table["condition"][rows])] for rows in self._groups]
        self._weights = np.array([rows.size for rows in self._groups]) / len(table["experiment"])
        self._rng = np.random.default_rng(0)

    def __iter__(self) -> Iterator[list[int]]:
        while True:
            group = int(self._rng.choice(len(self._groups), p=self._weights))
            own = self._stratified(group) if self._half_width is None else self._temporal(group, self._half_width)
            yield np.concatenate([*own, self._outside(group)]).tolist()

    def _outside(self, group: int) -> Integers:
        others = self._groups[:group] + self._groups[group + 1 :]
        if not self._leaked or not others:
            return np.empty(0, dtype=np.int64)
        return self._draw(np.concatenate(others), self._leaked)

    def _stratified(self, group: int) -> list[Integers]:
        strata = self._strata[group]
        quotas = [self._own // len(strata)] * len(strata)
        quotas[-1] += self._own - sum(quotas)
        return [self._draw(rows, quota) for rows, quota in zip(strata, quotas, strict=True)]

    def _temporal(self, group: int, half_width: float) -> list[Integers]:
        rows = self._groups[group]
        times = self._times[rows]
        inside = np.abs(times - times[self._rng.integers(rows.size)]) <= half_width
        far = int(self._own * 0.3) if not inside.all() else 0
        return [self._draw(rows[inside], self._own - far), self._draw(rows[~inside], far)]

    def _draw(self, rows: Integers, count: int) -> Integers:
        return self._rng.choice(rows, count, replace=rows.size < count) if count else rows[:0]


def _rows_by(labels: NDArray[Any]) -> list[Integers]:
    """Return the rows of each label, labels in order."""
    order = np.argsort(labels, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(labels[order])) + 1)
