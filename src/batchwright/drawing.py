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

# A block grows up to this many slots and batches: small enough for a processor's cache, and for no long wait where
# each batch comes to a leaf of its own; large enough to spread the cost of a NumPy call over many batches. Python
# integers are made for fewer at a time, in memory that the batches before have just left.
_SLOTS_OF_A_BLOCK = 1 << 17
_BATCHES_OF_A_BLOCK = 1 << 10
_SLOTS_OF_LISTS = 1 << 13
_GROWTH = 128


def iterate_batches(plan: Plan, seed: int, epoch: int, steps: range, stride: int | None = None) -> Iterator[list[int]]:
    """Yield the batches of the given steps; blocks start with one batch and grow, so the first comes at once."""
    size, most = 1, max(1, min(_BATCHES_OF_A_BLOCK, _SLOTS_OF_A_BLOCK // plan.batch_size, plan.most_drafts))
    lists = max(1, _SLOTS_OF_LISTS // plan.batch_size)
    while steps:
        rows = draw_block(plan, seed, epoch, steps[:size], stride)
        for start in range(0, len(rows), lists):
            yield from rows[start : start + lists].tolist()
        steps, size = steps[size:], min(_GROWTH * size, most)


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
    return plan.index.rows(_positions(layout, leaves, plan.pipeline.drawer, numbers[:, 1:]))


def _positions(layout: Layout, leaves: Integers, drawer: BaseDrawer, numbers: Floats) -> Integers:
    """Draw from the shares of a block; return positions, shape (batches, batch size)."""
    at, _ = gather(layout.bounds, leaves)
    quotas, sizes, base, first, gap = layout.columns[:, at]
    drawn = drawer.draw(quotas, sizes, numbers).ravel()
    positions: Integers = drawn + np.repeat(base, quotas)
    if gap.any():
        positions += np.where(drawn >= np.repeat(first, quotas), np.repeat(gap, quotas), 0)
    layout.resolve(positions)
    return positions.reshape(numbers.shape)
