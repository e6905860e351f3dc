"""A look at a plan before it is used: pools too small for what is drawn from them."""

from __future__ import annotations

import numpy as np

from batchwright.plan import Plan

__all__ = ["short_shares"]

_LEAVES_SEEN = 512
_NAMED = 3


def short_shares(plan: Plan) -> str | None:
    """Say which shares are smaller than what a batch takes from them, the worst first; None where none is.

    Of a tree with very many leaves only some are looked at: those of the smallest groups.
    """
    seen = plan.trunk.some(min(_LEAVES_SEEN, plan.most_drafts))
    sizes, quotas = seen.pools.sizes, seen.quotas
    short = np.flatnonzero(quotas > sizes)
    if not short.size:
        return None
    # A pool comes once, with the largest quota that is taken from it.
    short = short[np.argsort(sizes[short] / quotas[short], kind="stable")]
    first, last = seen.pools.bounds[short], seen.pools.bounds[short + 1] - 1
    ends = np.column_stack([seen.pools.starts[first], seen.pools.stops[last], sizes[short]])
    worst = short[np.sort(np.unique(ends, axis=0, return_index=True)[1])]
    named = "; ".join(
        f"{plan.index.describe(seen.pools[s])} ({sizes[s]} rows for {quotas[s]})" for s in worst[:_NAMED].tolist()
    )
    return (
        f"A pool should hold the rows that a batch takes from it; {worst.size} do not, in {len(seen)} compositions "
        f"looked at, and their rows repeat evenly within a batch: {named}{'; ...' if worst.size > _NAMED else ''}. "
        "Lower batch_size, or filter these groups out."
    )
