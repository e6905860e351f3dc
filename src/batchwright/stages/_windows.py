"""The windows of `TemporalEnricher`, worked out for many focal values at once."""

from __future__ import annotations

import attrs
import numpy as np
from numpy.typing import NDArray

from batchwright.draft import Draft
from batchwright.groups import Pieces
from batchwright.pool import Pool
from batchwright.rounding import Rounding
from batchwright.share import Role, Scope
from batchwright.stack import DraftStack

__all__ = ["Windows"]

Integers = NDArray[np.int64]


@attrs.frozen(eq=False)
class Windows:
    """The alternatives of one draft: number k is rounding ``k // T`` around focal value ``k % T``.

    The split shares and the others stand as columns in the order of the draft; a split share is a pair of
    columns, inside and outside the window. `column` and `place` say, for each piece of a split share, the
    inside column of its share and its number within the share. `starts` and `stops`, of shape (1, columns, ranges),
    hold the ends that are the same around all focal values.
    """

    draft: Draft
    bounds: Integers
    rounding: Rounding
    quotas: Integers
    roles: tuple[Role, ...]
    inside: Integers
    pieces: Pieces
    column: Integers
    place: Integers
    starts: Integers
    stops: Integers

    @classmethod
    def of(cls, draft: Draft, scope: Scope, global_fraction: float, bounds: Integers) -> Windows:
        """Lay out the columns of a draft, for focal values with windows of the given ranks, shape (2, T)."""
        roles: list[Role] = []
        targets: list[float] = []
        split: dict[int, Pieces] = {}
        whole: dict[int, Pool] = {}
        for share in draft.shares:
            if share.within(scope):
                split[len(roles)] = draft.index.pieces(share.pool)
                roles += [share.role, share.role]
                targets += [share.quota * (1 - global_fraction), share.quota * global_fraction]
            else:
                whole[len(roles)] = share.pool
                roles.append(share.role)
                targets.append(share.quota)
        rounding = Rounding.of(targets)
        counts = [pieces.cells.size for pieces in split.values()]
        width = max([2 * count for count in counts] + [pool.starts.size for pool in whole.values()])
        starts, stops = _outer_ends(len(roles), width, split, whole)
        return cls(
            draft=draft,
            bounds=bounds,
            rounding=rounding,
            quotas=rounding.all_quotas(),
            roles=tuple(roles),
            inside=np.array(list(split), dtype=np.int64),
            pieces=Pieces.join(list(split.values())),
            column=np.repeat(np.array(list(split), dtype=np.int64), counts),
            place=np.concatenate([np.arange(count) for count in [0, *counts]]),
            starts=starts,
            stops=stops,
        )

    def stack(self, k: Integers) -> DraftStack:
        """Return the drafts of several alternatives."""
        outcome, focal = np.divmod(k, self.bounds.shape[1])
        low, high = self._cut(self.bounds[:, focal])
        starts, stops = self.starts.repeat(k.size, axis=0), self.stops.repeat(k.size, axis=0)
        starts[:, self.column, self.place], stops[:, self.column, self.place] = low, high
        stops[:, self.column + 1, 2 * self.place] = low
        starts[:, self.column + 1, 2 * self.place + 1] = high
        return DraftStack(self._fill(self.quotas[outcome], (stops - starts).sum(axis=2)), starts, stops)

    def draft_of(self, k: int) -> Draft:
        """Return the draft of one alternative."""
        shares = self.stack(np.array([k])).shares(0, self.roles, self.draft.index.size)
        return attrs.evolve(self.draft, shares=shares, done=self.draft.done | {"window"})

    def _cut(self, ranks: Integers) -> Integers:
        """Return where each piece is cut at the given ranks: int64, shape (*ranks.shape, pieces)."""
        timeline = self.draft.index.timeline
        assert timeline is not None  # noqa: S101 - the stage has seen to it; this tells the type checker.
        position = timeline.position(self.pieces.cells, ranks[..., None])
        return np.minimum(np.maximum(position, self.pieces.starts), self.pieces.stops)

    def _fill(self, quotas: Integers, sizes: Integers) -> Integers:
        """Move the quota of an empty side of a share to its other side."""
        if sizes.all():
            return quotas
        near, far = quotas[:, self.inside], quotas[:, self.inside + 1]
        moved = np.where(sizes[:, self.inside] == 0, -near, 0) + np.where(sizes[:, self.inside + 1] == 0, far, 0)
        quotas[:, self.inside], quotas[:, self.inside + 1] = near + moved, far - moved
        return quotas


def _outer_ends(
    columns: int, width: int, split: dict[int, Pieces], whole: dict[int, Pool]
) -> tuple[Integers, Integers]:
    """Return starts and stops that do not depend on the window: of whole pools, and of the outside of pieces."""
    starts = np.zeros((1, columns, width), dtype=np.int64)
    stops = np.zeros_like(starts)
    for column, pool in whole.items():
        starts[0, column, : pool.starts.size], stops[0, column, : pool.stops.size] = pool.starts, pool.stops
    for column, pieces in split.items():
        starts[0, column + 1, 0 : 2 * pieces.cells.size : 2] = pieces.starts
        stops[0, column + 1, 1 : 2 * pieces.cells.size : 2] = pieces.stops
    return starts, stops
