"""The windows of `TemporalEnricher`, worked out for many drafts and focal values at once."""

from __future__ import annotations

import attrs
import numpy as np
from numpy.typing import NDArray

from batchwright.options import Options, in_lots
from batchwright.pools import Pools
from batchwright.ragged import bounds_of_owners, gather, lengths, owners
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
        bool, a share each: whether windows split it.
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
        return cls(stack, timeline, half_width, split, roundings, focal, *_pieces(stack, split))

    @property
    def options(self) -> Options:
        """The alternatives; number ``a * T + f`` of a draft is rounding a around its focal value f of T."""
        # A draft without focal values has one window, which is empty.
        pieces = lengths(self.piece_bounds[self.stack.bounds])
        take = in_lots(self.take, int(pieces.max()))
        return Options(self.roundings.probabilities, take, np.maximum(self.focal.counts, 1))

    def take(self, drafts: Integers, numbers: Integers) -> DraftStack:
        """Return some alternatives."""
        counts = self.focal.counts[drafts]
        outcomes, numbers = np.divmod(numbers, np.maximum(counts, 1))
        numbers += self.focal.bounds[drafts]
        shares, bounds = gather(self.stack.bounds, drafts)
        inside, outside = self._sides(shares, owners(bounds), numbers, counts > 0)
        roles, done = self.stack.roles[shares], with_step(self.stack.done, "window")
        sides = attrs.evolve(
            self.stack, pools=Pools.join([inside, outside]), roles=np.concatenate([roles, roles]), done=done
        )
        quotas = _fill(self.roundings.quotas(drafts, outcomes), inside.sizes, outside.sizes)
        # The sides of a share stand beside one another.
        at = np.arange(2 * shares.size).reshape(2, -1).T.ravel()
        return sides.fill(drafts, at, 2 * bounds, quotas)

    def look(self, most: int) -> tuple[Integers, Integers, Integers, Integers]:
        """Return what windows hold, of at most so many of all windows, evenly spread.

        Returns
        -------
        windows, shares, inside, outside
            int64, one for each share that a window divides: the window, counted over all drafts, the share, and how
            many of its rows lie on either side.
        """
        total, pieces = int(self.focal.bounds[-1]), lengths(self.piece_bounds[self.stack.bounds])
        some = min(total, most, max(1, _PIECES_SEEN // int(pieces.max())))
        windows = np.unique(np.linspace(0, max(total - 1, 0), some).astype(np.int64))
        drafts = search(self.focal.bounds, windows, side="right") - 1
        shares, bounds = gather(self.stack.bounds, drafts)
        sides = self._sides(shares, owners(bounds), windows, np.ones(windows.size, dtype=bool))
        inside, outside = (pools.sizes for pools in sides)
        kept = self.split[shares]
        return windows[owners(bounds)][kept], shares[kept], inside[kept], outside[kept]

    def _sides(
        self, shares: Integers, which: Integers, numbers: Integers, some: NDArray[np.bool_]
    ) -> tuple[Pools, Pools]:
        """Return of some shares what lies inside and what lies outside of windows.

        Parameters
        ----------
        shares, which
            int64, shape (S,) each: the share, and which of the windows divides it.
        numbers, some
            int64 and bool, shape (W,) each: the number of the focal value of each window, and whether there is one;
            windows without are empty.
        """
        at, bounds = gather(self.piece_bounds, shares)
        number = owners(bounds)
        starts, stops, which = self.starts[at], self.stops[at], which[number]
        low, high = starts.copy(), stops.copy()
        split = self.split[shares][number]
        high[split] = low[split]
        cut = (split & some[which]).nonzero()[0]
        windows = self.timeline.window(self.focal.in_timeline(numbers[some]), self.half_width)
        place = some.cumsum() - 1
        positions = self.timeline.positions(self.cells[at[cut]], windows[:, place[which[cut]]])
        low[cut], high[cut] = np.minimum(np.maximum(positions, starts[cut]), stops[cut])
        inside = Pools.of_ranges(number, low, high, shares.size, self.stack.index.size)
        # A window leaves two ranges of each piece outside: what lies before it, and what lies behind.
        first, last = np.stack([starts, high], axis=1).ravel(), np.stack([low, stops], axis=1).ravel()
        return inside, Pools.of_ranges(number.repeat(2), first, last, shares.size, self.stack.index.size)


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


def _fill(quotas: Integers, inside: Integers, outside: Integers) -> Integers:
    """Move the quota of an empty side of a share to its other side; `inside` and `outside` are their sizes."""
    near, far = quotas[0::2], quotas[1::2]
    moved = np.where(inside == 0, -near, 0) + np.where(outside == 0, far, 0)
    return np.column_stack([near + moved, far - moved]).ravel()
