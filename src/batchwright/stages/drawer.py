"""`Drawer`: the even draw, distinct rows while the pool suffices."""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from batchwright.stages.base import BaseDrawer

__all__ = ["Drawer"]

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]

# A pool of up to so many times its quota is tight: nearly every draw from it has slots that clash, again and again.
# To go through the slots of tight draws pays where there are so many rows to draw for each slot number.
_TIGHT = 4
_PAYS = 256

# Slots are sorted by words of 32 bits where their numbers take so many of them at most.
_BITS_OF_A_SLOT = 12


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

    def draw(self, quotas: Integers, sizes: Integers, uniforms: Floats) -> Integers:
        """Draw the rows of a block of batches; see `BaseDrawer.draw`."""
        if (quotas > sizes).any():
            quotas, sizes = _rounds(quotas, sizes)
        before = quotas.cumsum() - quotas
        # As floats, in which such numbers are exact and products come without a conversion on the way.
        ends = (sizes - quotas - before + 1).astype(np.float64).repeat(quotas)
        ends += np.arange(ends.size, dtype=np.float64)
        numbers = uniforms.ravel() * ends
        settled = quotas == sizes
        if settled.any():
            # A draw of all rows takes them in order, whatever the numbers are.
            numbers = np.where(settled.repeat(quotas), ends - 1, numbers)
        drawn: Integers = numbers.astype(np.int64)
        tight = np.flatnonzero(~settled & (sizes <= _TIGHT * quotas))
        slots = quotas[tight]
        if tight.size and _PAYS * slots.max() <= slots.sum():
            _go_through(drawn, before[tight], slots, sizes[tight])
            settled[tight] = True
        if not settled.all():
            _take_at_once(drawn, ends, quotas, sizes, settled, uniforms.shape[1])
        return drawn.reshape(uniforms.shape)


def _take_at_once(
    drawn: Integers, ends: Floats, quotas: Integers, sizes: Integers, settled: NDArray[np.bool_], batch_size: int
) -> None:
    """Settle all slots of a block at once, in place; slot by slot, a draw takes numbers below `ends`.

    Draws that are `settled`, bool, shape (draws,), have no clashes and need no second look.
    """
    # Draws are told apart by an offset of their own, so that only rows of one draw can clash.
    offset = (sizes.cumsum() - sizes).repeat(quotas)
    slots = _suspects(drawn + offset, batch_size)
    if _settle(drawn, offset, ends, slots):
        # What was replaced became one of the last numbers of its pool, which a later slot may have drawn.
        slots = np.flatnonzero(drawn >= np.where(settled, sizes, sizes - quotas).repeat(quotas))
        while _settle(drawn, offset, ends, slots):
            pass


def _go_through(drawn: Integers, first: Integers, quotas: Integers, sizes: Integers) -> None:
    """Settle some draws slot by slot, all draws at once, as the algorithm is told; in place.

    `first` is where the slots of each draw begin. It keeps a mark for every row of the pools.
    """
    most = int(quotas.max())
    # In few bits, which NumPy sorts by counting.
    order = np.argsort((most - quotas).astype(np.min_scalar_type(most)), kind="stable")
    first, quotas, sizes = first[order], quotas[order], sizes[order]
    offset = np.cumsum(sizes) - sizes
    taken = np.zeros(sizes.sum(), dtype=bool)
    # As slots go on, fewer draws have so many.
    draws = np.searchsorted(-quotas, -np.arange(most), side="left")
    for slot, count in enumerate(draws.tolist()):
        at = first[:count] + slot
        row = drawn[at]
        top = sizes[:count] - quotas[:count] + slot
        row = np.where(taken[offset[:count] + row], top, row)
        taken[offset[:count] + row] = True
        drawn[at] = row


def _rounds(quotas: Integers, sizes: Integers) -> tuple[Integers, Integers]:
    """Cut each quota that exceeds its pool into rounds of distinct draws: all rows, again all rows, the rest."""
    # A share of no rows still is one round, of none.
    rounds = np.maximum(-(-quotas // np.maximum(sizes, 1)), 1)
    last = rounds.cumsum() - 1
    whole = sizes.repeat(rounds)
    cut = whole.copy()
    cut[last] = quotas - (rounds - 1) * sizes
    return cut, whole


def _suspects(numbers: Integers, batch_size: int) -> Integers:
    """Return the slots, counted over the whole block, that may hold the same number as another slot of their batch.

    What is compared are the lower bits of the numbers, as many as fit beside the slot into 32: those sort in half the
    time, and few numbers agree in so many bits. Wide batches leave too few, and take 64.
    """
    bits = batch_size.bit_length()
    word: Any = np.uint32 if bits <= _BITS_OF_A_SLOT else np.uint64
    keys = numbers.astype(word).reshape(-1, batch_size)
    keys <<= word(bits)
    keys |= np.arange(batch_size, dtype=word)
    keys.sort(axis=1)
    flat = keys.ravel()
    # The last slot of a batch and the first of the next may seem to agree, which does no harm.
    same = (flat[1:] ^ flat[:-1]) < (1 << bits)
    found = np.zeros(flat.size, dtype=bool)
    found[1:] = same
    found[:-1] |= same
    at = found.nonzero()[0]
    slots: Integers = at - at % batch_size + (flat[at] & word((1 << bits) - 1)).astype(np.int64)
    return slots


def _stable_order(numbers: Integers) -> Integers:
    """Return `numbers.argsort(kind="stable")`, by a plain sort of numbers with their places where these fit beside."""
    bits = numbers.size.bit_length()
    if numbers.max(initial=0) >> (63 - bits):
        return numbers.argsort(kind="stable")
    keys = numbers << bits
    keys |= np.arange(numbers.size)
    keys.sort()
    keys &= (1 << bits) - 1
    return keys


def _settle(drawn: Integers, offset: Integers, ends: Floats, slots: Integers) -> bool:
    """Replace, among some slots, a number that an earlier one has by the last that the slot can take; in place.

    Return whether there was one. A slot that repeats an earlier one takes its last number for good: whichever slot
    comes to hold the other in the end is an earlier one still.
    """
    numbers = drawn[slots] + offset[slots]
    order = _stable_order(numbers)
    slots, numbers = slots[order], numbers[order]
    again = slots[1:][numbers[1:] == numbers[:-1]]
    drawn[again] = ends[again] - 1
    return bool(again.size)
