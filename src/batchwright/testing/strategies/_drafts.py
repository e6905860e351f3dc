"""Strategies of drafts, as a stage may meet them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from hypothesis import strategies as st

from batchwright.draft import Choice, Draft
from batchwright.index import MetadataIndex
from batchwright.pool import Pool
from batchwright.testing.strategies._tables import SIZES, indices, pools

__all__ = ["drafts"]


@st.composite
def drafts(
    draw: st.DrawFn, index: st.SearchStrategy[MetadataIndex] | None = None, done: Sequence[str] | None = None
) -> Draft:
    """Return a draft as a stage may meet it, after filters, selections, a leak and splits of any kind.

    Parameters
    ----------
    index
        A strategy of indices; by default `indices`.
    done
        The kinds of step that may have been taken, out of ``"filter"``, ``"select"``, ``"leak"`` and ``"split"``; by
        default any.

    Examples
    --------
    >>> from hypothesis import find
    >>> find(drafts(), lambda draft: len(draft.shares) > 1).shares
    (Share(pool=Pool([0:1] of 2), quota=1, role='primary'), Share(pool=Pool([1:2] of 2), quota=1, role='primary'))
    """
    table = draw(indices() if index is None else index)
    draft = Draft.start(table, draw(st.sampled_from(SIZES)))
    for step in ("filter", "select", "leak", "split"):
        if (done is None or step in done) and draw(st.booleans()):
            draft = _STEPS[step](draw, draft)
    return draft


def _filter(draw: st.DrawFn, draft: Draft) -> Draft:
    kept = draw(_parts_of(draft.universe))
    return draft.filter(kept)


def _select(draw: st.DrawFn, draft: Draft) -> Draft:
    return draft.select(draw(_parts_of(draft.primary)))


def _leak(draw: st.DrawFn, draft: Draft) -> Draft:
    if "select" not in draft.done:
        return draft
    quota = draw(st.integers(0, draft.batch_size))
    return _any_of(draw, draft.leak(draft.universe - draft.primary, quota))


def _split(draw: st.DrawFn, draft: Draft) -> Draft:
    cut = draw(st.integers(0, draft.index.size))
    low, high = Pool.of([0], [cut], draft.index.size), Pool.of([cut], [draft.index.size], draft.index.size)
    weight = draw(st.sampled_from([1.0, 0.3]))
    return _any_of(draw, draft.split(lambda share: [(share.pool & low, weight), (share.pool & high, 1.0)], "all"))


_STEPS = {"filter": _filter, "select": _select, "leak": _leak, "split": _split}


def _parts_of(pool: Pool) -> st.SearchStrategy[Pool]:
    """Return parts of a pool that have rows."""
    return pools(pool.total).map(lambda part: part & pool).filter(bool) | st.just(pool)


def _any_of(draw: st.DrawFn, outcome: Draft | Choice) -> Draft:
    while isinstance(outcome, Choice):
        outcome = outcome.child(draw(st.sampled_from(np.flatnonzero(outcome.weights).tolist())))
    return outcome
