"""A look at a plan before it is used: pools too small for what is drawn from them."""

from __future__ import annotations

from batchwright.plan import Plan

__all__ = ["short_shares"]

_LEAVES_SEEN = 512
_NAMED = 3


def short_shares(plan: Plan) -> str | None:
    """Say which shares are smaller than what a batch takes from them, the worst first; None where none is.

    Of a tree with very many leaves only some are looked at: those of the smallest groups.
    """
    worst: dict[str, tuple[float, str]] = {}
    seen = 0
    for draft in plan.some_leaves(_LEAVES_SEEN):
        seen += 1
        for share in draft.shares:
            size = share.pool.size
            if share.quota > size:
                name = plan.index.describe(share.pool)
                worst[name] = min(
                    worst.get(name, (1.0, "")), (size / share.quota, f"{name} ({size} rows for {share.quota})")
                )
    if not worst:
        return None
    named = "; ".join(text for _, text in sorted(worst.values())[:_NAMED])
    return (
        f"A pool should hold the rows that a batch takes from it; {len(worst)} do not, in {seen} compositions looked "
        f"at, and their rows repeat evenly within a batch: {named}{'; ...' if len(worst) > _NAMED else ''}. "
        "Lower batch_size, or filter these groups out."
    )
