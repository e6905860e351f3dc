"""Block drawing: from random numbers to the rows of many batches at once."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from batchwright.layout import Layout
from batchwright.plan import Plan
from batchwright.ragged import gather
from batchwright.stages.base import BaseDrawer
from batchwright.stream import keys_of, uniforms

__all__ = ["as_lists", "draw_block", "draw_epochs", "iterate_batches", "most_at_once"]

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]
Words = NDArray[np.uint64]

# So many batches and slots at most. Rows are drawn for a lot: enough to spread the cost of NumPy's calls over many
# batches, in arrays that stay near the processor. A block has more where leaves are still to be worked out, which takes
# more calls; of so many ranges in all, which is what that takes memory for. A short epoch is one block, or several that
# follow one another are.
_LOT = (1 << 12, 1 << 17)
_BLOCK = (1 << 12, 1 << 19)
_RANGES_OF_A_BLOCK = 1 << 16
# Longer epochs start with few batches, so that the first comes at once.
_FIRST_BATCHES = 1 << 6
# A Python integer takes several times as much memory as one in an array, so lists are made for fewer slots at a time.
_SLOTS_OF_LISTS = 1 << 13


def iterate_batches(plan: Plan, seed: int, epoch: int, steps: range) -> Iterator[list[int]]:
    """Yield the batches of the given steps."""
    for block in _blocks(plan, steps):
        for rows in _lots(plan, keys_of(seed, range(epoch, epoch + 1), block)[0]):
            yield from as_lists(rows)


def as_lists(batches: NDArray[np.integer]) -> Iterator[list[int]]:
    """Yield batches, shape (batches, batch size), as lists; some are made at a time."""
    size = max(1, _SLOTS_OF_LISTS // batches.shape[1])
    for start in range(0, len(batches), size):
        yield from batches[start : start + size].tolist()


def draw_block(plan: Plan, seed: int, epoch: int, steps: range) -> NDArray[np.integer]:
    """Draw the batches of the given steps.

    Parameters
    ----------
    plan
        The probability tree.
    seed, epoch, steps
        The address of the batches.

    Returns
    -------
    numpy.ndarray
        Integer rows of the table, shape (len(steps), plan.batch_size).
    """
    rows: NDArray[np.integer] = draw_epochs(plan, seed, range(epoch, epoch + 1), steps)[0]
    return rows


def draw_epochs(plan: Plan, seed: int, epochs: range, steps: range) -> NDArray[np.integer]:
    """Draw the batches of the given steps of several epochs, shape (len(epochs), len(steps), plan.batch_size)."""
    keys = keys_of(seed, epochs, steps)
    return np.concatenate([*_lots(plan, keys.ravel())]).reshape(*keys.shape, plan.batch_size)


def most_at_once(plan: Plan) -> int:
    """Return how many batches, of an epoch or of several, are few enough to be drawn at once before the first comes."""
    if plan.one_by_one and not plan.trunk.is_whole:
        return 1  # A stage goes from draft to draft then: twice as many batches take twice as long.
    return _batches_in_memory(plan)


def _blocks(plan: Plan, steps: range) -> Iterator[range]:
    """Yield the steps some at a time."""
    most = _batches_of(_LOT, plan) if plan.trunk.is_whole else _batches_in_memory(plan)
    size = len(steps) if len(steps) <= min(most_at_once(plan), most) else min(_FIRST_BATCHES, most)
    while steps:
        yield steps[:size]
        steps, size = steps[size:], most


def _batches_of(limits: tuple[int, int], plan: Plan) -> int:
    batches, slots = limits
    return max(1, min(batches, slots // plan.batch_size))


def _batches_in_memory(plan: Plan) -> int:
    return min(_batches_of(_BLOCK, plan), max(1, _RANGES_OF_A_BLOCK // plan.breadth))


def _lots(plan: Plan, keys: Words) -> Iterator[NDArray[np.integer]]:
    """Yield the batches of some keys as arrays of rows, some at a time."""
    # The first number of a batch decides its path, and the others one row each.
    layout, leaves = plan.trunk.follow(uniforms(keys, range(1))[:, 0])
    size = _batches_of(_LOT, plan)
    for start in range(0, keys.size, size):
        lot = slice(start, start + size)
        numbers = uniforms(keys[lot], range(1, 1 + plan.batch_size))
        yield plan.index.rows(_positions(layout, leaves[lot], plan.pipeline.drawer, numbers))


def _positions(layout: Layout, leaves: Integers, drawer: BaseDrawer, numbers: Floats) -> Integers:
    """Draw from the shares of a block; return positions, shape (batches, batch size)."""
    at, _ = gather(layout.bounds, leaves)
    columns = layout.columns.take(at, axis=1)
    quotas, sizes = columns[:2]
    drawn = drawer.draw(quotas, sizes, numbers).ravel()
    return layout.positions(columns, quotas, drawn).reshape(numbers.shape)
