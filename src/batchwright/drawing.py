"""Block drawing: from random numbers to the rows of many batches at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

import attrs
import numpy as np
from numpy.typing import NDArray

from batchwright.layout import Layout
from batchwright.plan import Leaf, Node, Plan
from batchwright.stream import uniforms

__all__ = ["draw_block", "iterate_batches"]

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]

# A block grows up to this many slots and batches: small enough for a processor's cache, and for no long wait where
# each batch opens a new leaf; large enough to spread the cost of a NumPy call over many batches. Python integers
# are made for fewer at a time, in memory that the batches before have just left.
_SLOTS_OF_A_BLOCK = 1 << 17
_BATCHES_OF_A_BLOCK = 1 << 10
_SLOTS_OF_LISTS = 1 << 13
_GROWTH = 32

_BELOW_ONE = np.nextafter(1.0, 0.0)


def iterate_batches(plan: Plan, seed: int, epoch: int, steps: range, stride: int | None = None) -> Iterator[list[int]]:
    """Yield the batches of the given steps; blocks start with one batch and grow, so the first comes at once."""
    size, most = 1, max(1, min(_BATCHES_OF_A_BLOCK, _SLOTS_OF_A_BLOCK // plan.batch_size))
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
    # A node stands for an interval of the path's number, so sorted by it the batches of one node stand together.
    order = np.argsort(numbers[:, 0])
    numbers = numbers[order]
    paths = _Paths(plan, [], [])
    paths.follow(plan.root, numbers[:, 0])
    rows = plan.index.rows(_positions(plan, paths, numbers[:, 1:]))
    back = np.empty_like(order)
    back[order] = np.arange(order.size)
    return rows[back]


@attrs.frozen(eq=False)
class _Paths:
    """The paths of a block, followed together: the columns of the leaf of each batch, in order, and all far ranges."""

    plan: Plan
    columns: list[Integers]
    far: list[Layout]

    def follow(self, node: Node, u: Floats) -> None:
        """Follow the paths of some batches from a node; one sorted number each decides the path, level by level."""
        if isinstance(node, Leaf):
            self._settle(node.layout, [0] * u.size)
            return
        k = np.searchsorted(node.bounds, u, side="right") - 1
        if node.choice.stack is not None and self.plan.is_last(node):
            self._settle(Layout.of(node.choice.stack(k), self.plan.index.size), range(u.size))
            return
        low, high = node.bounds[k], node.bounds[k + 1]
        rest = np.minimum((u - low) / (high - low), _BELOW_ONE)
        bounds = [0, *(np.flatnonzero(k[1:] != k[:-1]) + 1).tolist(), k.size]
        for start, stop in pairwise(bounds):
            self.follow(self.plan.child(node, int(k[start])), rest[start:stop])

    def _settle(self, layout: Layout, drafts: Sequence[int]) -> None:
        """Append the columns of the given drafts, one a batch."""
        if layout.far_sizes.size:
            layout = layout.moved(self.plan.index.size, sum(int(other.far_sizes.sum()) for other in self.far))
            self.far.append(layout)
        self.columns.extend(layout.columns[draft] for draft in drafts)


def _positions(plan: Plan, paths: _Paths, numbers: Floats) -> Integers:
    """Draw from the shares of a block; return positions, shape (batches, batch size)."""
    quotas, sizes, base, first, gap = np.concatenate(paths.columns, axis=1)
    drawn = plan.pipeline.drawer.draw(quotas, sizes, numbers).ravel()
    positions: Integers = drawn + np.repeat(base, quotas)
    positions += np.where(drawn >= np.repeat(first, quotas), np.repeat(gap, quotas), 0)
    if paths.far:
        _resolve(positions, paths.far, plan.index.size)
    return positions.reshape(numbers.shape)


def _resolve(positions: Integers, far: list[Layout], total: int) -> None:
    """Replace addresses in far ranges by the positions that they stand for, in place."""
    starts = np.concatenate([layout.far_starts for layout in far])
    sizes = np.concatenate([layout.far_sizes for layout in far])
    before = np.cumsum(sizes) - sizes
    slots = np.flatnonzero(positions >= total)
    address = positions[slots] - total
    ranges = np.searchsorted(before, address, side="right") - 1
    positions[slots] = starts[ranges] + address - before[ranges]
