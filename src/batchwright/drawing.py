"""Block drawing: from random numbers to the rows of many batches at once."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, repeat

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
# where each comes to a leaf of its own. Rows are drawn for fewer at a time, in arrays that a processor's cache holds
# and that are not given back to the system again and again; Python integers for fewer still, in memory that the
# batches before have just left.
_BATCHES_OF_A_BLOCK, _BATCHES_OF_A_SMALL_BLOCK = 1 << 10, 1 << 9
_SLOTS_OF_A_BLOCK, _SLOTS_OF_A_SMALL_BLOCK = 1 << 17, 1 << 14
_SLOTS_OF_A_LOT = 1 << 16
_SLOTS_OF_LISTS = 1 << 13


def iterate_batches(plan: Plan, seed: int, epoch: int, steps: range, stride: int | None = None) -> Iterator[list[int]]:
    """Yield the batches of the given steps; blocks start with one batch and grow, unless one small block has all."""
    most = max(1, min(_BATCHES_OF_A_BLOCK, _SLOTS_OF_A_BLOCK // plan.batch_size, plan.most_drafts))
    small = max(1, min(_BATCHES_OF_A_SMALL_BLOCK, _SLOTS_OF_A_SMALL_BLOCK // plan.batch_size, most))
    sizes = chain([1, small] if len(steps) > small else [], repeat(most))
    lists = max(1, _SLOTS_OF_LISTS // plan.batch_size)
    while steps:
        size = next(sizes)
        rows = draw_block(plan, seed, epoch, steps[:size], stride)
        for start in range(0, len(rows), lists):
            yield from rows[start : start + lists].tolist()
        steps = steps[size:]


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
