"""The windows of `TemporalEnricher`, worked out for many drafts and focal values at once."""

from __future__ import annotations

from functools import cached_property

import attrs
import numpy as np
from numpy.typing import NDArray

from batchwright.layout import Layout
from batchwright.options import Options, in_lots
from batchwright.pools import Pools
from batchwright.ragged import bounds_of, bounds_of_owners, gather, lengths, owners, totals
from batchwright.rounding import Roundings
from batchwright.search import search
from batchwright.share import Scope
from batchwright.stack import DraftStack, with_step
from batchwright.stages._focal import FocalValues
from batchwright.timeline import Timeline

__all__ = ["Windows"]

Integers = NDArray[np.int64]

# Windows that are only looked at cut so many ranges at most.
_PIECES_SEEN = 1 << 17


@attrs.frozen(eq=False)
class Windows:
    """The alternatives of some drafts: for each a rounding of its quotas, and a focal value.

    Every share has two sides, inside and outside the window; of a share that no window splits all is inside.

    Parameters
    ----------
    stack, timeline, half_width
        The drafts, the order of their rows in time, and half the width of a window.
    split
        bool, a share each: whether windows split it; those of a draft without focal values stay whole.
    roundings
        Of the quotas of all sides, two for each share.
    focal
        The focal values of each draft.
    cells, starts, stops, piece_bounds
        The ranges of all shares, cut at cell borders where windows split them, share after share by `piece_bounds`.
    """

    stack: DraftStack
    timeline: Timeline
    half_width: object
    split: NDArray[np.bool_]
    roundings: Roundings
    focal: FocalValues
    cells: Integers
    starts: Integers
    stops: Integers
    piece_bounds: Integers

    @classmethod
    def of(
        cls, stack: DraftStack, timeline: Timeline, half_width: object, scope: Scope, global_fraction: float
    ) -> Windows:
        """Prepare the windows of some drafts."""
        split = stack.within(scope)
        outside = stack.quotas * np.where(split, global_fraction, 0.0)
        targets = np.column_stack([stack.quotas - outside, outside]).ravel()
        roundings = Roundings.of(targets, 2 * stack.bounds)
        focal = FocalValues.of(stack, timeline)
        split &= (focal.counts > 0)[stack.owners]
        return cls(stack, timeline, half_width, split, roundings, focal, *_pieces(stack, split))

    @property
    def options(self) -> Options:
        """The alternatives; number ``a * T + f`` of a draft is rounding a around its focal value f of T."""
        take = in_lots(self.take, self._most_pieces)
        # A share of one piece is split by arithmetic alone; then an alternative takes no more than its shares are.
        layout = self.layout if (lengths(self.piece_bounds)[self.split] == 1).all() else None
        # A draft without focal values has one alternative for each rounding, which all are the same.
        return Options(self.roundings.probabilities, take, np.maximum(self.focal.counts, 1), layout=layout)

    def take(self, drafts: Integers, numbers: Integers) -> DraftStack:
        """Return some alternatives."""
        outcomes, numbers = self._locate(drafts, numbers)
        shares, bounds = gather(self.stack.bounds, drafts)
        inside, outside = self._sides(shares, owners(bounds), numbers)
        roles, done = self.stack.roles[shares], with_step(self.stack.done, "window")
        sides = attrs.evolve(
            self.stack, pools=Pools.join([inside, outside]), roles=np.concatenate([roles, roles]), done=done
        )
        sizes = np.column_stack([inside.sizes, outside.sizes]).ravel()
        # The sides of a share stand beside one another.
        at = np.arange(2 * shares.size).reshape(2, -1).T.ravel()
        return sides.fill(drafts, at, 2 * bounds, _fill(self.roundings.quotas(drafts, outcomes), sizes))

    def layout(self, drafts: Integers, numbers: Integers) -> Layout:
        """Return what `Layout.of` makes of some alternatives, where each share that windows split is one piece."""
        outcomes, numbers = self._locate(drafts, numbers)
        shares, bounds = gather(self.stack.bounds, drafts)
        # The sides of a share stand beside one another; of one that is not split all rows are inside.
        columns = np.zeros((5, 2 * shares.size), dtype=np.int64)
        columns[:, 0::2] = self._unsplit.columns.take(shares, axis=1)
        at = self.split[shares].nonzero()[0]
        low, high = self._cut(self.piece_bounds[shares[at]], owners(bounds)[at], numbers)
        near, inside = 2 * at, high - low
        far, size, start = near + 1, columns[1][near], columns[2][near]
        columns[1, near], columns[1, far] = inside, size - inside
        columns[2, near], columns[2, far] = low, start
        columns[3, far], columns[4, far] = low - start, inside
        columns[0] = _fill(self.roundings.quotas(drafts, outcomes), columns[1])
        held = columns[0] > 0
        bounds = bounds_of(totals(held.astype(np.int64), 2 * bounds))
        return attrs.evolve(self._unsplit, bounds=bounds, columns=columns.compress(held, axis=1))

    @cached_property
    def _unsplit(self) -> Layout:
        """The drafts as they are before windows split their shares."""
        return Layout.of(self.stack)

    @property
    def _most_pieces(self) -> int:
        """How many pieces the shares of a draft have at most."""
        return int(lengths(self.piece_bounds[self.stack.bounds]).max())

    def _locate(self, drafts: Integers, numbers: Integers) -> tuple[Integers, Integers]:
        """Return the roundings of some alternatives, and the numbers of their focal values."""
        outcomes, numbers = np.divmod(numbers, np.maximum(self.focal.counts[drafts], 1))
        return outcomes, numbers + self.focal.bounds[drafts]

    def look(self, most: int) -> tuple[Integers, Integers, Integers, Integers]:
        """Return what windows hold, of at most so many of all windows, evenly spread.

        Returns
        -------
        windows, shares, inside, outside
            int64, one for each share that a window divides: the window, counted over all drafts, the share, and how
            many of its rows lie on either side.
        """
        total = int(self.focal.bounds[-1])
        some = min(total, most, max(1, _PIECES_SEEN // self._most_pieces))
        windows = np.unique(np.linspace(0, max(total - 1, 0), some).astype(np.int64))
        drafts = search(self.focal.bounds, windows, side="right") - 1
        shares, bounds = gather(self.stack.bounds, drafts)
        sides = self._sides(shares, owners(bounds), windows)
        inside, outside = (pools.sizes for pools in sides)
        kept = self.split[shares]
        return windows[owners(bounds)][kept], shares[kept], inside[kept], outside[kept]

    def _sides(self, shares: Integers, which: Integers, numbers: Integers) -> tuple[Pools, Pools]:
        """Return of some shares what lies inside and what lies outside of windows.

        Parameters
        ----------
        shares, which
            int64, shape (S,) each: the share, and which of the windows divides it.
        numbers
            int64, shape (W,): the number of the focal value of each window.
        """
        at, bounds = gather(self.piece_bounds, shares)
        number = owners(bounds)
        starts, stops = self.starts[at], self.stops[at]
        low, high = starts.copy(), stops.copy()
        split = self.split[shares][number].nonzero()[0]
        low[split], high[split] = self._cut(at[split], which[number[split]], numbers)
        inside = Pools.of_ranges(number, low, high, shares.size, self.stack.index.size)
        # A window leaves two ranges of each piece outside: what lies before it, and what lies behind.
        first, last = np.stack([starts, high], axis=1).ravel(), np.stack([low, stops], axis=1).ravel()
        return inside, Pools.of_ranges(number.repeat(2), first, last, shares.size, self.stack.index.size)

    def _cut(self, pieces: Integers, which: Integers, numbers: Integers) -> tuple[Integers, Integers]:
        """Return where windows begin and where they end in some pieces; `which` and `numbers` as of sides."""
        if not pieces.size:
            return pieces, pieces
        # Where a draft is without focal values nothing is split, so any number does.
        numbers = np.minimum(numbers, self.focal.bounds[-1] - 1)
        windows = self.timeline.window(self.focal.in_timeline(numbers), self.half_width)
        positions = self.timeline.positions(self.cells[pieces], windows.take(which, axis=1))
        low, high = np.minimum(np.maximum(positions, self.starts[pieces]), self.stops[pieces])
        return low, high


def _pieces(stack: DraftStack, split: NDArray[np.bool_]) -> tuple[Integers, Integers, Integers, Integers]:
    """Return the cells, starts and stops of the pieces of all shares, and their bounds."""
    pools, share = stack.pools, stack.pools.owners
    cut = split[share]
    source, cells, starts, stops = stack.index.pieces(pools.starts[cut], pools.stops[cut])
    # What stays whole needs no cell, and may lie in very many.
    whole = share[~cut]
    share = np.concatenate([share[cut][source], whole])
    order = np.argsort(share, kind="stable")
    cells = np.concatenate([cells, np.zeros_like(whole)])[order]
    starts = np.concatenate([starts, pools.starts[~cut]])[order]
    stops = np.concatenate([stops, pools.stops[~cut]])[order]
    return cells, starts, stops, bounds_of_owners(share[order], len(pools))


def _fill(quotas: Integers, sizes: Integers) -> Integers:
    """Move the quota of an empty side of a share to its other side, which stands beside it."""
    filled, empty = quotas.copy(), np.flatnonzero(sizes == 0)
    filled[empty] = 0
    filled[empty ^ 1] += quotas[empty]
    return filled
