"""What NumPy needs at least for batches of random rows: uniforms, a gather, lists."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

__all__ = ["floor_batches"]

# Blocks that a processor's cache holds, and lists for fewer slots at a time, measured as best for this.
_SLOTS = 1 << 16
_SLOTS_OF_LISTS = 1 << 13
_BATCHES = 1 << 10


def floor_batches(
    generator: np.random.Generator, order: NDArray[np.uint32], batch_size: int, steps: int
) -> Iterator[list[int]]:
    """Yield so many batches of rows drawn from `order`, each alike, with repeats."""
    block = max(1, min(_BATCHES, _SLOTS // batch_size))
    lists = max(1, _SLOTS_OF_LISTS // batch_size)
    for start in range(0, steps, block):
        count = min(block, steps - start)
        uniforms = generator.random((count, batch_size))
        rows = order[(uniforms * order.size).astype(np.int64)]
        for first in range(0, count, lists):
            yield from rows[first : first + lists].tolist()
