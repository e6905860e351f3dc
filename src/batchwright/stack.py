"""`DraftStack`: many drafts as arrays."""

from __future__ import annotations

from collections.abc import Sequence

import attrs
import numpy as np
from numpy.typing import NDArray

from batchwright.pool import Pool
from batchwright.share import Role, Share

__all__ = ["DraftStack"]

Integers = NDArray[np.int64]


@attrs.frozen(eq=False)
class DraftStack:
    """Many drafts of the same make as arrays: what a stage hands over that can work them out all at once.

    Parameters
    ----------
    quotas
        int64, shape (K, S): rows that draft k takes from its share s; zero means that it has no such share.
    starts, stops
        int64, shape (K, S, R) each: the half-open ranges of each share's pool, sorted; empty ones count for
        nothing.
    """

    quotas: Integers
    starts: Integers
    stops: Integers

    @classmethod
    def of(cls, shares: Sequence[Share]) -> DraftStack:
        """Return a stack of one draft, which has the given shares."""
        width = max(share.pool.starts.size for share in shares)
        starts = np.zeros((1, len(shares), width), dtype=np.int64)
        stops = np.zeros_like(starts)
        for s, share in enumerate(shares):
            starts[0, s, : share.pool.starts.size] = share.pool.starts
            stops[0, s, : share.pool.stops.size] = share.pool.stops
        return cls(np.array([[share.quota for share in shares]], dtype=np.int64), starts, stops)

    def shares(self, k: int, roles: Sequence[Role], total: int) -> tuple[Share, ...]:
        """Return the shares of draft k, those with a quota; `roles` names the role of each."""
        return tuple(
            Share(Pool.of(self.starts[k, s], self.stops[k, s], total), int(self.quotas[k, s]), role)
            for s, role in enumerate(roles)
            if self.quotas[k, s]
        )
