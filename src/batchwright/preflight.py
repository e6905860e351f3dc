"""A look at a plan before it is used: pools too small for what is drawn from them."""

from __future__ import annotations

from batchwright.draft import Share
from batchwright.plan import Plan
from batchwright.pool import Pool

__all__ = ["short_shares"]

_LEAVES_SEEN = 512
_NAMED = 3


def short_shares(plan: Plan) -> str | None:
    """Say which shares are smaller than what a batch takes from them, the worst first; None where none is.

    A tree of many leaves is looked at where its choices are least likely, which is where groups are smallest.
    """
    worst: dict[Pool, Share] = {}
    seen = 0
    for draft in plan.some_leaves(_LEAVES_SEEN):
        seen += 1
        for share in draft.shares:
            if share.quota > share.pool.size and share.quota > getattr(worst.get(share.pool), "quota", 0):
                worst[share.pool] = share
    if not worst:
        return None
    ranked = sorted(worst.values(), key=lambda share: share.pool.size / share.quota)
    named = "; ".join(
        f"{plan.index.describe(share.pool)} ({share.pool.size} rows for {share.quota})" for share in ranked[:_NAMED]
    )
    return (
        f"A pool should hold the rows that a batch takes from it; {len(worst)} do not, in {seen} compositions looked "
        f"at, and their rows repeat evenly within a batch: {named}{'; ...' if len(worst) > _NAMED else ''}. "
        "Lower batch_size, or filter these groups out."
    )
