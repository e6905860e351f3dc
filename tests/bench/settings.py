"""The settings in which costs are measured, and the table of each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import attrs
import numpy as np

__all__ = ["CONDITIONS", "Setting", "all_settings", "make_table"]

CONDITIONS = 4


@attrs.frozen
class Setting:
    """One size of everything; `topic` names the table in which it is reported.

    Parameters
    ----------
    topic
        ``"rows"``, ``"batch size"``, ``"groups"``, ``"conditions"`` or ``"pools"``.
    rows, batch_size, groups, conditions
        Rows of the table, of a batch, and the numbers of experiments and of conditions.
    steps
        Batches of an epoch; None for those that the rows make.
    """

    topic: str
    rows: int
    batch_size: int = 128
    groups: int = 3
    conditions: int = CONDITIONS
    fixed_steps: int | None = None

    @property
    def steps(self) -> int:
        """Batches of an epoch."""
        return self.fixed_steps or self.rows // self.batch_size


def all_settings(rows: Iterable[int]) -> Iterator[Setting]:
    """Yield the settings for tables of the given numbers of rows, small ones first."""
    for count in sorted(rows):
        yield Setting("rows", count)
        yield from (Setting("batch size", count, size) for size in (32, 1024) if size <= count)
        if count >= 1_000_000:
            yield Setting("groups", count, groups=100_000)
            yield Setting("conditions", count, conditions=2_000)
    for times in (64, 4, 2, 1):
        # Each batch takes 32 rows of a cell of so many times 32 rows; enough batches to spread their blocks over.
        yield Setting("pools", 16 * CONDITIONS * 32 * times, groups=16, fixed_steps=8192)


def make_table(setting: Setting) -> dict[str, Any]:
    """Return a table in random order, with 100 distinct times and times that never repeat.

    Where pools are tight, all cells are equally large; elsewhere they are as chance will have it.
    """
    rng = np.random.default_rng(0)
    rows, groups = setting.rows, setting.groups
    if setting.topic == "pools":
        cells = rng.permutation(rows) % (groups * setting.conditions)
        experiment, condition = np.divmod(cells, setting.conditions)
    else:
        experiment, condition = rng.integers(0, groups, rows), rng.integers(0, setting.conditions, rows)
    return {
        "experiment": experiment.astype(np.int32),
        "condition": condition.astype(np.int16),
        "hours": rng.integers(0, 100, rows).astype(np.float32) / 2,
        "exact_hours": rng.random(rows) * 50,
    }
