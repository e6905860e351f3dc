"""Stages that each break one law, and what is said of it."""

from __future__ import annotations

import itertools
import random
from typing import Any

import attrs
import numpy as np

from batchwright import Choice, Draft, DraftStack, ExperimentSelector, Options, Pool, Share, Stage, TemporalEnricher
from batchwright.errors import ChainError
from own import OnlyMarker


class SelectMarker(OnlyMarker):
    """Selects where it should filter: in a group without the marker nothing is left, in the middle of an epoch."""

    def apply(self, draft: Draft) -> Draft:
        return draft.select(draft.index.pool("marker", self.marker))


class Wrong(Stage):
    """A stage without settings that breaks a law."""

    by = "group"


class RemembersTheFirst(Wrong):
    """What it does with a draft depends on how many others it has seen."""

    def __init__(self) -> None:
        self._seen: set[int] = set()

    def __repr__(self) -> str:
        return "RemembersTheFirst()"

    def apply(self, draft: Draft) -> Choice:
        self._seen.add(draft.batch_size)
        return Choice([1.0, len(self._seen)], lambda _: draft)


class Crashes(Wrong):
    def apply(self, draft: Draft) -> Draft:
        return draft.select(Pool.of([0], [1 // (draft.batch_size - 1)], draft.index.size))


class SaysNothing(Wrong):
    def apply(self, _: Draft) -> Draft:
        raise ChainError


class ReturnsAPool(Wrong):
    def apply(self, draft: Draft) -> Any:
        return draft.primary


class ReturnsNothing(Wrong):
    def apply(self, draft: Draft) -> Any:
        draft.select(draft.primary)


class OffersPools(Wrong):
    def apply(self, draft: Draft) -> Any:
        return Choice([1.0, 1.0], lambda _: draft.primary)  # type: ignore[arg-type,return-value]


class Counts(Wrong):
    """Has a state: every call gives other weights."""

    def __init__(self) -> None:
        self._calls = itertools.count(1)

    def __repr__(self) -> str:
        return "Counts()"

    def apply(self, draft: Draft) -> Choice:
        return Choice([1.0, next(self._calls)], lambda _: draft)


class TossesACoin(Wrong):
    """Filters by a label at random, which is an error where no row has it."""

    def apply(self, draft: Draft) -> Draft:
        return draft.filter(draft.index.pool("group", random.choice("ab")))  # noqa: S311 - the fault.


class RefusesOnce(Wrong):
    """Its class counts, so that a draft which it refuses is not refused again."""

    calls = itertools.count(1)

    def apply(self, draft: Draft) -> Draft:
        if next(self.calls) == 2:
            msg = "It is the second call."
            raise ChainError(msg)
        return draft


class Changes(Wrong):
    """Writes into the draft that it was handed."""

    def apply(self, draft: Draft) -> Draft:
        object.__setattr__(draft, "done", draft.done | {"marked"})
        return draft


class LosesSettings(Wrong):
    def __init__(self, label: str) -> None:
        self.label = label

    def __getstate__(self) -> dict[str, Any]:
        return {"label": "other"}

    def apply(self, draft: Draft) -> Draft:
        return draft


class EqualsNothing(Wrong):
    def __eq__(self, other: object) -> bool:
        return False

    __hash__ = None  # type: ignore[assignment]

    def apply(self, draft: Draft) -> Draft:
        return draft


class DoesOtherwiseAsACopy(Wrong):
    def __init__(self) -> None:
        self._copied = False

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._copied = True

    def __repr__(self) -> str:
        return "DoesOtherwiseAsACopy()"

    def apply(self, draft: Draft) -> Draft | Choice:
        return Choice([1.0, 1.0], lambda _: draft) if self._copied else draft


class RefusesAsACopy(DoesOtherwiseAsACopy):
    def apply(self, draft: Draft) -> Draft:
        if self._copied:
            msg = "It is a copy."
            raise ChainError(msg)
        return draft


def odds(weights: list[float], draft: Draft) -> Choice:
    """Return a choice with weights that it would not take itself."""
    choice = Choice([1.0] * len(weights), lambda _: draft)  # type: ignore[arg-type]
    object.__setattr__(choice, "weights", np.array(weights))
    return choice


class DoesNotSumToOne(Wrong):
    def apply(self, draft: Draft) -> Choice:
        return odds([0.5, 0.4], draft)


class NegativeWeight(Wrong):
    def apply(self, draft: Draft) -> Choice:
        return odds([1.5, -0.5], draft)


class ExpandsTheFirstOnly(Wrong):
    def apply(self, draft: Draft) -> Draft:
        return draft

    def expand(self, stack: DraftStack) -> DraftStack:
        return stack.take(np.zeros(len(stack), dtype=np.int64))


class ExpandsByOtherChances(ExperimentSelector):
    def expand(self, stack: DraftStack) -> Options:
        options = super().expand(stack)
        taken = np.count_nonzero(options.probabilities, axis=1, keepdims=True)
        return attrs.evolve(options, probabilities=(options.probabilities > 0) / taken)


class LaysOutOther(TemporalEnricher):
    """Its short cut to drawing has other bounds of drafts, or other values in a column."""

    def expand(self, stack: DraftStack) -> Options:
        options = super().expand(stack)
        layout = options.layout
        return options if layout is None else attrs.evolve(options, layout=lambda *at: self.change(layout(*at)))

    def change(self, layout: Any) -> Any:
        return attrs.evolve(layout, bounds=np.append(0, layout.bounds))


class LaysOutOtherQuotas(LaysOutOther):
    column = 0

    def change(self, layout: Any) -> Any:
        columns = layout.columns.copy()
        columns[self.column] += 1
        return attrs.evolve(layout, columns=columns)


class LaysOutOtherSizes(LaysOutOtherQuotas):
    column = 1


class LaysOutOtherPositions(LaysOutOtherQuotas):
    column = 2


class RefusesToExpand(Wrong):
    def apply(self, draft: Draft) -> Draft:
        return draft

    def expand(self, stack: DraftStack) -> DraftStack:
        raise ChainError(str(len(stack)))


class OneRowTooMany(Wrong):
    def apply(self, draft: Draft) -> Draft:
        return attrs.evolve(draft, shares=(Share(draft.universe, draft.batch_size + 1),))


class LeavesTheUniverse(Wrong):
    def apply(self, draft: Draft) -> Draft:
        return attrs.evolve(draft, shares=(Share(Pool.full(draft.index.size), draft.batch_size),))


class WidensTheUniverse(Wrong):
    def apply(self, draft: Draft) -> Draft:
        return attrs.evolve(draft, universe=Pool.full(draft.index.size))


class PrimaryOutside(Wrong):
    def apply(self, draft: Draft) -> Draft:
        return attrs.evolve(draft, primary=Pool.full(draft.index.size))


class NoPrimaryRows(Wrong):
    def apply(self, draft: Draft) -> Draft:
        return attrs.evolve(draft, primary=Pool.empty(draft.index.size))


class Overlaps(Wrong):
    def apply(self, draft: Draft) -> Draft:
        if draft.batch_size == 1:
            return draft
        one, rest = Share(draft.universe, 1), Share(draft.universe, draft.batch_size - 1)
        return attrs.evolve(draft, shares=(one, rest))


class LeaksFromOutsideTheUniverse(Wrong):
    def apply(self, draft: Draft) -> Draft:
        share = Share(Pool.full(draft.index.size) - draft.primary or draft.primary, draft.batch_size, "leak")
        return attrs.evolve(draft, shares=(share,))


class LeaksFromWithin(Wrong):
    def apply(self, draft: Draft) -> Draft:
        return attrs.evolve(draft, shares=(Share(draft.primary, draft.batch_size, "leak"),))


class OneOfMany(Wrong):
    """Only the second of forty alternatives is wrong."""

    def apply(self, draft: Draft) -> Choice:
        one_more = (Share(draft.primary, draft.batch_size + 1),)
        return Choice([1.0] * 40, lambda k: attrs.evolve(draft, shares=one_more) if k == 39 else draft)


class RefusesWhatItOffers(Wrong):
    """The alternative that selects nothing is refused, but only when it is asked for."""

    def apply(self, draft: Draft) -> Choice:
        pools = [draft.primary, Pool.empty(draft.index.size)]
        return Choice([1.0, 1.0], lambda k: draft.select(pools[k]))


class HoldsAFunction(Wrong):
    """Has a setting that cannot be pickled."""

    def __init__(self) -> None:
        self._function = lambda: None

    def __repr__(self) -> str:
        return "HoldsAFunction()"

    def apply(self, draft: Draft) -> Draft:
        return draft


class FirstAskedWins(Wrong):
    """Which child is asked for first decides what all of them are."""

    def apply(self, draft: Draft) -> Choice:
        asked: list[int] = []

        def child(k: int) -> Draft:
            asked.append(k)
            return draft if asked[0] == 0 else draft.select(draft.primary)

        return Choice([1.0, 1.0], child)


class WritesIntoTheIndex(Wrong):
    def apply(self, draft: Draft) -> Draft:
        draft.index.offsets[0] += 1
        return draft


class Forgets(Wrong):
    def apply(self, draft: Draft) -> Draft:
        return attrs.evolve(draft, done=frozenset())


class OtherTable(Wrong):
    def apply(self, draft: Draft) -> Draft:
        return attrs.evolve(draft, index=attrs.evolve(draft.index))


LAID_OUT = "`layout` of options must be that of the drafts that `take` gives"

WRONG = {
    Crashes(): "with an error of this library.*ZeroDivisionError",
    SaysNothing(): "must say what is wrong; a ChainError says nothing",
    ReturnsAPool(): r"must return a Draft.*Pool\(",
    ReturnsNothing(): r"must return a Draft.*it returns None",
    OffersPools(): r"must return a Draft.*Pool\(",
    RemembersTheFirst(): "same draft must give the same result; it differs after other drafts|must do the same",
    Counts(): "same draft must give the same result",
    TossesACoin(): "same draft must give the same result; this time it raises SettingError: A label must occur",
    RefusesOnce(): "same draft must give the same result; one that fails does not fail again",
    Changes(): "must leave its draft and index as they are",
    LosesSettings("mine"): "must have the same settings.*its repr is LosesSettings\\(label='other'\\)",
    EqualsNothing: "must have the same settings.*it is not equal",
    DoesOtherwiseAsACopy(): "copied|pickled stage must do the same",
    RefusesAsACopy(): "pickled stage must do the same; this time it raises ChainError: It is a copy",
    DoesNotSumToOne(): "must be probabilities that sum to 1; 2 weights sum to 0.9",
    NegativeWeight(): "must be probabilities that sum to 1",
    ExpandsTheFirstOnly(): "`expand` must make of many drafts what `apply` makes of each; of number 1 of",
    ExpandsByOtherChances(): "`expand` must make of many drafts what `apply` makes of each; of number 0 of",
    LaysOutOther("hours", 1): LAID_OUT,
    LaysOutOtherQuotas("hours", 1): LAID_OUT,
    LaysOutOtherSizes("hours", 1): LAID_OUT,
    LaysOutOtherPositions("hours", 1): LAID_OUT,
    RefusesToExpand(): "`expand` must make of many drafts what `apply` makes of each; it refuses",
    OneRowTooMany(): "Quotas must sum to 1; they sum to 2",
    LeavesTheUniverse(): "Primary shares must be of the primary rows|Pools must lie in the universe; .* lie outside",
    WidensTheUniverse(): "The universe must only shrink",
    PrimaryOutside(): "primary rows must be some of the universe",
    NoPrimaryRows(): "primary rows must be some of the universe; 0 of",
    Overlaps(): "Shares must be disjoint",
    LeaksFromOutsideTheUniverse(): "Pools must lie in the universe|Primary shares must be",
    LeaksFromWithin(): "Primary shares must be of the primary rows, and leaked ones of others; 1 of 1 are not",
    OneOfMany(): "Quotas must sum to",
    RefusesWhatItOffers(): "must be able to do what it offers.*refuses 1 of 2 alternatives",
    HoldsAFunction(): "must survive pickling and copying; it cannot be pickled",
    FirstAskedWins(): "same draft must give the same result",
    WritesIntoTheIndex(): "must leave its draft and index as they are",
    Forgets(): "Steps taken must stay on record",
    OtherTable(): "index must stay the same",
}
