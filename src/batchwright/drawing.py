"""Block drawing: from random numbers to the rows of many batches at once."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from batchwright.layout import Layout
from batchwright.plan import Plan
from batchwright.ragged import gather
from batchwright.stages.base import BaseDrawer
from batchwright.stream import uniforms

__all__ = ["draw_block", "iterate_batches"]

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]

# A block has so many slots and batches: enough to spread the cost of NumPy's calls over many batches, and no long wait
# where each comes to a leaf of its own. The first is smaller, for no wait at all. Rows are drawn for fewer at a time,
# in arrays that a processor's cache holds and that are not given back to the system again and again; Python integers
# for fewer still, in memory that the batches before have just left.
_BATCHES_OF_A_BLOCK, _BATCHES_OF_THE_FIRST = 1 << 10, 1 << 9
_SLOTS_OF_A_BLOCK, _SLOTS_OF_THE_FIRST = 1 << 17, 1 << 14
_SLOTS_OF_A_LOT = 1 << 16
_SLOTS_OF_LISTS = 1 << 13


def iterate_batches(plan: Plan, seed: int, epoch: int, steps: range, stride: int | None = None) -> Iterator[list[int]]:
    """Yield the batches of the given steps; the first block is a small one, so that it comes at once."""
    most = max(1, min(_BATCHES_OF_A_BLOCK, _SLOTS_OF_A_BLOCK // plan.batch_size, plan.most_drafts))
    size = max(1, min(_BATCHES_OF_THE_FIRST, _SLOTS_OF_THE_FIRST // plan.batch_size, most))
    lists = max(1, _SLOTS_OF_LISTS // plan.batch_size)
    while steps:
        rows = draw_block(plan, seed, epoch, steps[:size], stride)
        for start in range(0, len(rows), lists):
            yield from rows[start : start + lists].tolist()
        steps, size = steps[size:], most


def draw_block(plan: Plan, seed: int, epoch: int, steps: range, stride: int | None = None) -> NDArray[np.integer]:
    """Draw the batches of the given steps.

    Parameters
    ----------
    plan
        The probability tree.
    seed, epoch, steps
        The address of the batches.
    stride
        Random numbers set aside for each batch: by default one for the path and one a slot.

    Returns
    -------
    numpy.ndarray
        Integer rows of the table, shape (len(steps), plan.batch_size).
    """
    width = 1 + plan.batch_size
    numbers = uniforms(seed, epoch, steps, width, stride or width)
    layout, leaves = plan.trunk.follow(numbers[:, 0])
    size = max(1, _SLOTS_OF_A_LOT // plan.batch_size)
    lots = [slice(start, start + size) for start in range(0, len(steps), size)]
    drawer = plan.pipeline.drawer
    return np.concatenate([plan.index.rows(_positions(layout, leaves[lot], drawer, numbers[lot, 1:])) for lot in lots])


def _positions(layout: Layout, leaves: Integers, drawer: BaseDrawer, numbers: Floats) -> Integers:
    """Draw from the shares of a block; return positions, shape (batches, batch size)."""
    at, _ = gather(layout.bounds, leaves)
    quotas, sizes, base, first, gap = layout.columns[:, at]
    drawn = drawer.draw(quotas, sizes, numbers).ravel()
    positions: Integers = drawn + np.repeat(base, quotas)
    if gap.any():
        positions += np.repeat(gap, quotas) * (drawn >= np.repeat(first, quotas))
    layout.resolve(positions)
    return positions.reshape(numbers.shape)
