"""`Drawer`: the even draw, distinct rows while the pool suffices."""

from __future__ import annotations

import attrs
import numpy as np
from numpy.typing import NDArray

from batchwright.stages.base import BaseDrawer

__all__ = ["Drawer"]

Integers = NDArray[np.int64]


@attrs.frozen
class Drawer(BaseDrawer):
    """Draw evenly: of n rows and a quota q, every row stands in the batch floor(q/n) or ceil(q/n) times.

    All rows of a share are alike in probability, and every set of rows is as likely as any other. Rows of a
    share stand together, in no order that means anything.

    Notes
    -----
    One uniform a slot, by Floyd's sampling (Bentley and Floyd, "A sample of brilliance", Communications of
    the ACM 30(9), 1987): slot j of a draw of q out of n takes t = floor(u * (n - q + j + 1)), or n - q + j if
    t is taken already. Here all slots of a block are taken at once, and clashes, which sorting shows, are
    resolved until none is left; that ends in the same set as going through the slots one by one.
    """

    def draw(self, quotas: Integers, sizes: Integers, uniforms: NDArray[np.float64]) -> Integers:
        """Draw the rows of a block of batches; see `BaseDrawer.draw`."""
        if (quotas > sizes).any():
            quotas, sizes = _rounds(quotas, sizes)
        before = np.cumsum(quotas) - quotas
        top = np.repeat(sizes - quotas - before, quotas)
        top += np.arange(uniforms.size)
        drawn: Integers = (uniforms.ravel() * (top + 1)).astype(np.int64)
        # Draws are told apart by an offset of their own, so that only rows of one draw can clash.
        offset = np.repeat(np.cumsum(sizes) - sizes, quotas)
        drawn += offset
        top += offset
        _settle(drawn.reshape(uniforms.shape), top.reshape(uniforms.shape))
        drawn -= offset
        return drawn.reshape(uniforms.shape)


def _rounds(quotas: Integers, sizes: Integers) -> tuple[Integers, Integers]:
    """Cut each quota that exceeds its pool into rounds of distinct draws: all rows, again all rows, the rest."""
    # A share of no rows still is one round, of none.
    rounds = np.maximum(-(-quotas // np.maximum(sizes, 1)), 1)
    last = np.cumsum(rounds) - 1
    cut = np.repeat(sizes, rounds)
    cut[last] = quotas - (rounds - 1) * sizes
    return cut, np.repeat(sizes, rounds)


def _settle(drawn: Integers, top: Integers) -> None:
    """Replace, in each row of shape (batches, slots), a number that an earlier slot has by that slot's top; in place.

    A slot that repeats an earlier one takes its top for good: whichever slot comes to hold the number in the
    end is an earlier one still. A top can itself be what a later slot drew, so this goes on until all differ.
    """
    bits = int(drawn.shape[1]).bit_length()
    slots = np.arange(drawn.shape[1])
    batches = np.arange(len(drawn))
    keys = drawn << bits
    while batches.size:
        keys |= slots
        keys.sort(axis=1)
        clash, place = np.nonzero((keys[:, 1:] ^ keys[:, :-1]) < (1 << bits))
        slot = keys[clash, place + 1] & ((1 << bits) - 1)
        drawn[batches[clash], slot] = top[batches[clash], slot]
        batches = np.unique(batches[clash])
        keys = drawn[batches] << bits
