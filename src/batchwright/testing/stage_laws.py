"""The laws of a stage on one draft."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import chain, combinations
from typing import Any

import numpy as np

from batchwright.draft import Choice, Draft
from batchwright.layout import Layout
from batchwright.options import Expansion, lift
from batchwright.pool import Pool
from batchwright.ragged import bounds_of, places
from batchwright.share import Share
from batchwright.stack import DraftStack
from batchwright.stages.base import Stage
from batchwright.testing.attempts import PURE, attempt, copies_of, repeat, require

__all__ = ["keeps_laws", "require_again"]

# Of a choice with more alternatives than this, so many are looked at.
_MOST_CHILDREN = 12


def keeps_laws(stage: Stage, draft: Draft) -> bool:
    """Check all laws of a stage on one draft; return False if it refuses the draft."""
    before = copy.deepcopy((_content(draft), draft.index.cells.tolist(), draft.index.offsets.tolist()))
    outcome = _outcome(stage, draft)
    after = (_content(draft), draft.index.cells.tolist(), draft.index.offsets.tolist())
    require(after == before, stage, "A stage must leave its draft and index as they are", "one of them is changed")
    if outcome is not None:
        require_again(stage, stage, draft, outcome, PURE, "it differs")
    if not draft.done:
        _require_every_path(stage, draft)
    if outcome is None:
        return False
    _require_copies(stage, draft, outcome)
    for choice in repeat(stage, PURE, lambda: list(_choices(outcome))):
        _require_probabilities(stage, choice)
    _require_expansion(stage, [draft, draft])
    for child in repeat(stage, PURE, lambda: list(_children(outcome))):
        _require_sound(stage, draft, child)
    return True


def _outcome(stage: Stage, draft: Draft) -> Any:
    """Return what a stage makes of a draft, with all children opened; None where it refuses with a clear error."""
    rule = "A stage must return a Draft, or a Choice of such"

    def apply() -> Any:
        stage.check(draft)
        outcome = stage.apply(draft)
        require(isinstance(outcome, Draft | Choice), stage, rule, f"it returns {outcome!r}")
        return outcome

    outcome = attempt(stage, apply)
    if not isinstance(outcome, Choice):
        return outcome
    opened = [attempt(stage, partial(_opened, outcome, k)) for k in _some(outcome)]
    if not any(opened):
        return None
    offer = "A stage must be able to do what it offers, or it fails in the middle of an epoch"
    require(all(opened), stage, offer, f"it refuses {opened.count(None)} of {len(opened)} alternatives")
    for child in chain(*opened):
        require(isinstance(child, Draft), stage, rule, f"it offers {child!r}")
    return outcome


def _opened(choice: Choice, k: int) -> list[Any]:
    return list(_children(choice.child(k)))


def _require_every_path(stage: Stage, draft: Draft) -> None:
    """Raise if a stage takes the selection of all rows but not one of a cell: that would come up in mid-epoch."""
    if _outcome(stage, draft.select(draft.universe)) is None:
        return
    _, _, starts, stops = draft.index.pieces(draft.universe.starts, draft.universe.stops)
    selections = [draft.select(Pool.of([a], [b], draft.index.size)) for a, b in zip(starts, stops, strict=True)]
    for narrow in selections:
        found = (
            f"it takes all {draft.universe.size} rows as the selection, but not {draft.index.describe(narrow.primary)}"
        )
        require(_outcome(stage, narrow) is not None, stage, "A stage must work on every path or on none", found)
    _require_expansion(stage, [draft.select(draft.universe), *selections])


def _require_copies(stage: Stage, draft: Draft, outcome: Draft | Choice) -> None:
    for how, copied in copies_of(stage):
        rule = f"A {how} stage must have the same settings, and a repr that shows them"
        require(repr(copied) == repr(stage), stage, rule, f"its repr is {copied!r}")
        # Without an equality of their own, no two objects are equal.
        compares = type(stage).__eq__ is not object.__eq__
        require(copied == stage or not compares, stage, rule, "it is not equal")
        require_again(stage, copied, draft, outcome, f"A {how} stage must do the same", "it does not")


def _require_probabilities(stage: Stage, choice: Choice) -> None:
    weights = np.asarray(choice.weights)
    sound = weights.ndim == 1 and bool(np.isfinite(weights).all()) and bool((weights >= 0).all())
    rule = "The weights of a choice must be probabilities that sum to 1"
    require(sound and abs(weights.sum() - 1) < 1e-9, stage, rule, f"{weights.size} weights sum to {weights.sum()}")


def _require_expansion(stage: Stage, drafts: Sequence[Draft]) -> None:
    """Raise unless `expand` makes of many drafts what `apply` makes of each."""
    if type(stage).expand is Stage.expand:
        return
    rule = "`expand` must make of many drafts what `apply` makes of each"
    expansion = attempt(stage, lambda: stage.expand(DraftStack.of(drafts)))
    found = None if expansion is None else attempt(stage, lambda: _chances(expansion))
    require(found is not None, stage, rule, f"it refuses {len(drafts)} that `apply` takes")
    for number, (draft, chances) in enumerate(zip(drafts, found or [], strict=True)):
        expected = repeat(stage, PURE, partial(_applied, stage, draft))
        alike = chances.keys() == expected.keys() and all(abs(chances[c] - expected[c]) < 1e-9 for c in expected)
        said = f"of number {number} of {len(drafts)} it makes {len(chances)} drafts for {len(expected)}, or with other"
        require(alike, stage, rule, f"{said} chances")
    alike = attempt(stage, lambda: _is_same_laid_out(expansion))
    rule = "`layout` of options must be that of the drafts that `take` gives"
    require(bool(alike), stage, rule, f"it is not, of {len(drafts)} drafts")


def _applied(stage: Stage, draft: Draft) -> dict[Any, float]:
    return _chances(lift([stage.apply(draft)]))[0]


def _chances(expansion: Expansion) -> list[dict[Any, float]]:
    """Return for each draft of an expansion what becomes of it, and with which probability."""
    if isinstance(expansion, DraftStack):
        return [{_content(expansion[k]): 1.0} for k in range(len(expansion))]
    drafts, numbers, probabilities = expansion.between(0, int(expansion.counts.sum()))
    chances: list[dict[Any, float]] = [{} for _ in range(len(expansion.probabilities))]
    below = _chances(expansion.take(drafts, numbers))
    for draft, chance, children in zip(drafts.tolist(), probabilities.tolist(), below, strict=True):
        for child, part in children.items():
            chances[draft][child] = chances[draft].get(child, 0.0) + chance * part
    return chances


def _is_same_laid_out(expansion: Expansion) -> bool:
    """Tell whether the short cut to drawing, where there is one, comes to the same shares, in the same order."""
    if isinstance(expansion, DraftStack) or expansion.layout is None:
        return True
    drafts, numbers, _ = expansion.between(0, int(expansion.counts.sum()))
    taken = expansion.take(drafts, numbers)
    return isinstance(taken, DraftStack) and _held(expansion.layout(drafts, numbers)) == _held(Layout.of(taken))


def _held(layout: Layout) -> list[list[int]]:
    """Return what a layout holds: bounds of drafts, quotas, and bounds of shares with the positions in them."""
    quotas, sizes = layout.columns[:2]
    bounds = bounds_of(sizes)
    positions = layout.positions(layout.columns, sizes, places(np.zeros_like(sizes), bounds))
    return [values.tolist() for values in (layout.bounds, quotas, bounds, positions)]


def _require_sound(stage: Stage, draft: Draft, child: Draft) -> None:
    """Raise unless what a stage made of a draft is a sound draft of the same batch."""
    pools = [share.pool for share in child.shares]
    strangers = [share for share in child.shares if not _is_of_its_role(share, child)]
    size, universe = draft.batch_size, child.universe
    require(child.index is draft.index, stage, "The index must stay the same", "it is another one")
    require(draft.done <= child.done, stage, "Steps taken must stay on record", f"{sorted(child.done)} are left")
    require(child.batch_size == size, stage, f"Quotas must sum to {size}", f"they sum to {child.batch_size}")
    require(universe.issubset(draft.universe), stage, "The universe must only shrink", f"it has {universe.size} rows")
    inside = bool(child.primary) and child.primary.issubset(universe)
    require(inside, stage, "The primary rows must be some of the universe", f"{child.primary.size} of {universe.size}")
    rule = "Primary shares must be of the primary rows, and leaked ones of others"
    require(not strangers, stage, rule, f"{len(strangers)} of {len(pools)} are not")
    for pool in pools:
        outside = (pool - universe).size
        require(not outside, stage, "Pools must lie in the universe", f"{outside} rows of one lie outside")
    for one, other in combinations(pools, 2):
        common = (one & other).size
        require(not common, stage, "Shares must be disjoint, or rows repeat", f"two have {common} rows in common")


def _is_of_its_role(share: Share, child: Draft) -> bool:
    return share.pool.issubset(child.primary) if share.role == "primary" else share.pool.isdisjoint(child.primary)


def require_again(stage: Stage, copied: Stage, draft: Draft, outcome: Any, rule: str, found: str) -> None:
    """Raise unless a stage, or a copy of it, makes of a draft what the stage made of it before."""
    alike = repeat(stage, rule, lambda: _same_outcome(outcome, copied.apply(draft)))
    require(alike, stage, rule, found)


def _same_outcome(one: Any, other: Any) -> bool:
    """Tell whether two outcomes are the same, alternative by alternative."""
    if isinstance(one, Draft) and isinstance(other, Draft):
        return _content(one) == _content(other)
    if not (isinstance(one, Choice) and isinstance(other, Choice)):
        return False
    alike = np.array_equal(one.weights, other.weights)
    # From the last to the first, since they were made from the first to the last.
    return alike and all(_same_outcome(one.child(k), other.child(k)) for k in reversed(_some(one)))


def _content(draft: Draft) -> tuple[Any, ...]:
    return draft.universe, draft.primary, draft.shares, draft.done


def _some(choice: Choice) -> list[int]:
    """Return the numbers of a choice's alternatives that can be taken, or of the first, the last and some others."""
    taken: list[int] = np.flatnonzero(choice.weights).tolist()
    if len(taken) <= _MOST_CHILDREN:
        return taken
    # Others for each number of alternatives, and the same each time.
    others = np.random.default_rng(len(taken)).choice(taken[1:-1], _MOST_CHILDREN - 2, replace=False)
    return [taken[0], *sorted(others.tolist()), taken[-1]]


def _choices(outcome: Any) -> Iterator[Choice]:
    if isinstance(outcome, Choice):
        yield outcome
        for k in _some(outcome):
            yield from _choices(outcome.child(k))


def _children(outcome: Any) -> Iterator[Any]:
    if not isinstance(outcome, Choice):
        yield outcome
        return
    for k in _some(outcome):
        yield from _children(outcome.child(k))
