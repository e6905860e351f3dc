"""`Ahead`: epochs of few batches, of which several are drawn at once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from batchwright.drawing import as_lists, draw_epochs, iterate_batches, most_at_once
from batchwright.plan import Plan

__all__ = ["Ahead"]

# Half as many bytes as the allocator shall keep, which is more than all arrays take by which a block is drawn.
_ROOM = 1 << 23
# So many more slots are drawn each time, or one epoch more if that has more: they take about as long as NumPy's calls
# for any block.
_MORE_SLOTS = 1 << 13


@attrs.frozen(eq=False)
class _Drawn:
    """Batches that were drawn: integer rows, shape (len(epochs), len(steps), batch size)."""

    seed: int
    epochs: range
    steps: range
    rows: NDArray[np.integer]


class Ahead:
    """The batches of a plan, where of epochs that are short and follow one another several are drawn at once.

    To draw a few batches takes nearly as long as to draw a thousand. So each time some more epochs are drawn than the
    time before, as long as they are one block. What is kept is what their addresses give at any time: it can be
    forgotten, and copies are without it.

    Parameters
    ----------
    plan
        The probability tree.
    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        # The allocator of glibc gives what is freed back to the system and fetches it again page by page, block after
        # block, until an array of this size has come and gone: then it keeps twice as much. This one is never touched.
        np.empty(_ROOM, dtype=np.uint8)
        self._drawn = _Drawn(0, range(0), range(0), np.empty((0, 0, 0), dtype=np.int64))

    def batches(self, seed: int, epoch: int, steps: range) -> Iterator[list[int]]:
        """Yield the batches that `iterate_batches` yields."""
        most = most_at_once(self._plan) // max(1, len(steps))
        if not steps or most <= 1:
            yield from iterate_batches(self._plan, seed, epoch, steps)
            return
        drawn = self._drawn
        kept = (drawn.seed, drawn.steps) == (seed, steps) and epoch in drawn.epochs
        if not kept:
            drawn = self._drawn = self._draw(seed, epoch, steps, most)
        yield from as_lists(drawn.rows[epoch - drawn.epochs.start])

    def _draw(self, seed: int, epoch: int, steps: range, most: int) -> _Drawn:
        before = self._drawn
        follows = (before.seed, before.steps, before.epochs.stop) == (seed, steps, epoch)
        more = max(1, _MORE_SLOTS // (len(steps) * self._plan.batch_size))
        epochs = range(epoch, epoch + (min(len(before.epochs) + more, most) if follows else 1))
        return _Drawn(seed, epochs, steps, draw_epochs(self._plan, seed, epochs, steps))

    def __reduce__(self) -> Any:
        return Ahead, (self._plan,)
