"""`check_stage`: the built-in stages keep all laws, and each law is one that a wrong stage is caught by."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from typing import Any

import attrs
import numpy as np
import pytest
from hypothesis import Phase, assume, given, settings
from hypothesis import strategies as st

from batchwright import (
    BaseDrawer,
    Choice,
    Draft,
    DraftStack,
    Drawer,
    ExperimentSelector,
    MetadataIndex,
    Options,
    Pool,
    Share,
    Stage,
    stages,
)
from batchwright.errors import ChainError, SettingError, SettingTypeError
from batchwright.testing import StageFailure, check_stage
from batchwright.testing.stage_laws import keeps_laws
from batchwright.testing.strategies import drafts, tables
from batchwright.testing.strategies import stages as settings_of

KINDS = [getattr(stages, name) for name in stages.__all__ if name not in {"Stage", "BaseDrawer"}]


@pytest.mark.parametrize("kind", [kind for kind in KINDS if issubclass(kind, Stage)])
@given(data=st.data())
def test_built_in_stages_keep_all_laws(kind: type[Any], data: st.DataObject) -> None:
    """Every stage of the library, found by its name in `stages.__all__`, keeps all laws, whatever its settings."""
    table = data.draw(tables().filter(lambda table: table["hours"].notna().any()))
    index = MetadataIndex.from_table(table, by=["experiment", "condition"], order_by="hours")
    # A stage that refused every draft would leave nothing to check, and hypothesis would say so.
    assume(keeps_laws(data.draw(settings_of(kind, table)), data.draw(drafts(st.just(index)))))


@pytest.mark.parametrize("kind", [kind for kind in KINDS if issubclass(kind, BaseDrawer)])
def test_built_in_drawers_keep_all_laws(kind: type[Any]) -> None:
    """So does every drawer."""
    check_stage(kind())


@pytest.fixture
def unshrunk() -> Iterator[None]:
    """Leave a failing example as it was found, which is much faster; that examples shrink is another test."""
    profile = settings.get_current_profile_name()
    settings.register_profile("unshrunk", settings.get_profile(profile), phases=[Phase.generate])
    settings.load_profile("unshrunk")
    yield
    settings.load_profile(profile)


class OnlyMarker(Stage):
    """The filter of the documentation: a stage of somebody's own, with settings in plain attributes."""

    by = "marker"

    def __init__(self, marker: str) -> None:
        self.marker = marker

    def apply(self, draft: Draft) -> Draft:
        return draft.filter(draft.index.pool("marker", self.marker))


def test_a_stage_of_ones_own_passes() -> None:
    """Ten lines that keep the laws pass, given the labels that their settings name."""
    check_stage(OnlyMarker("DAPI"), by={"marker": ["DAPI", "GFP"]})


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


@pytest.mark.usefixtures("unshrunk")
@pytest.mark.parametrize("stage", WRONG, ids=lambda stage: getattr(stage, "__name__", type(stage).__name__))
def test_wrong_stages_are_caught(stage: Any) -> None:
    """Each law has a stage that breaks it and is caught by it, by name."""
    made = stage() if isinstance(stage, type) else stage
    with pytest.raises(StageFailure, match=WRONG[stage]) as caught:
        check_stage(made)
    assert repr(made) in str(caught.value)


def test_a_stage_that_may_fail_in_mid_epoch_is_caught() -> None:
    """A stage that finds rows on some paths only is caught, by the simplest table that shows it: one row of each."""
    with pytest.raises(StageFailure, match="takes all 2 rows as the selection, but not marker='GFP'"):
        check_stage(SelectMarker("DAPI"), by={"marker": ["DAPI", "GFP"]})


class WrongDrawer(BaseDrawer):
    """A drawer that breaks a law."""

    def draw(self, quotas: Any, sizes: Any, uniforms: Any) -> Any:
        return Drawer().draw(quotas, sizes, uniforms)


class Scribbles(WrongDrawer):
    def draw(self, quotas: Any, sizes: Any, uniforms: Any) -> Any:
        uniforms[:] = 0.0
        return super().draw(quotas, sizes, uniforms)


class ClearsQuotas(WrongDrawer):
    def draw(self, quotas: Any, sizes: Any, uniforms: Any) -> Any:
        drawn = super().draw(quotas, sizes, uniforms)
        quotas[:] = 0
        return drawn


class ReturnsLists(WrongDrawer):
    def draw(self, quotas: Any, sizes: Any, uniforms: Any) -> Any:
        return super().draw(quotas, sizes, uniforms).tolist()


class SharesOfTheFirst(WrongDrawer):
    """Takes the shares of the first batch of a block for those of all."""

    def draw(self, quotas: Any, sizes: Any, uniforms: Any) -> Any:
        shares = int(np.searchsorted(np.cumsum(quotas), uniforms.shape[1])) + 1
        tiled = [np.tile(values[:shares], len(uniforms)) for values in (quotas, sizes)]
        return super().draw(*tiled, uniforms)


class OneBeyond(WrongDrawer):
    def draw(self, quotas: Any, sizes: Any, uniforms: Any) -> Any:
        return super().draw(quotas, sizes, uniforms) + 1


class OneBelow(WrongDrawer):
    def draw(self, quotas: Any, sizes: Any, uniforms: Any) -> Any:
        return super().draw(quotas, sizes, uniforms) - 1


class Floats(WrongDrawer):
    def draw(self, quotas: Any, sizes: Any, uniforms: Any) -> Any:
        return super().draw(quotas, sizes, uniforms) / 1.0


class Flat(WrongDrawer):
    def draw(self, quotas: Any, sizes: Any, uniforms: Any) -> Any:
        return super().draw(quotas, sizes, uniforms).ravel()


class DrawsAnew(WrongDrawer):
    """Rolls dice of its own."""

    def draw(self, quotas: Any, sizes: Any, uniforms: Any) -> Any:
        return super().draw(quotas, sizes, np.random.default_rng().random(uniforms.shape))


class MixesBatches(WrongDrawer):
    """The first batch of a block decides all others."""

    def draw(self, quotas: Any, sizes: Any, uniforms: Any) -> Any:
        return super().draw(quotas, sizes, np.broadcast_to(uniforms[:1], uniforms.shape))


class WithReplacement(WrongDrawer):
    """Draws every row by itself, and does not say so."""

    def draw(self, quotas: Any, sizes: Any, uniforms: Any) -> Any:
        return (uniforms.ravel() * np.repeat(sizes, quotas)).astype(np.int64).reshape(uniforms.shape)


class SaysSo(WithReplacement):
    """Draws every row by itself, and says so."""

    def inclusion(self, quotas: Any, sizes: Any) -> Any:
        return 1 - (1 - 1 / sizes) ** quotas


class PrefersTheFirst(WrongDrawer):
    """Holds every row, as it should, where there are more to draw than rows, but the first more often."""

    def draw(self, quotas: Any, sizes: Any, uniforms: Any) -> Any:
        drawn = super().draw(quotas, sizes, uniforms)
        slot = np.concatenate([np.arange(quota) for quota in quotas]).reshape(uniforms.shape)
        return np.where(slot < np.repeat(sizes, quotas).reshape(uniforms.shape), drawn, 0)


class FindsNoKey(WrongDrawer):
    def draw(self, *numbers: Any) -> Any:
        return {}[len(numbers)]


class LosesItself(WrongDrawer):
    def __init__(self) -> None:
        self.name = "mine"

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.name = "other"


class RefusesBlocks(WrongDrawer):
    def draw(self, *_: Any) -> Any:
        raise SettingError


WRONG_DRAWERS = {
    Scribbles(): "must leave what it is given as it is",
    ClearsQuotas(): "must leave what it is given as it is",
    ReturnsLists(): "A drawer must return an array",
    SharesOfTheFirst(): "A drawer must return numbers|in a block as it is drawn alone",
    OneBeyond(): "less one; .* lie outside",
    OneBelow(): "less one; .* lie outside",
    Floats(): "must return integers.*float64",
    Flat(): "must return integers, one for each uniform",
    DrawsAnew(): "same numbers must draw the same",
    MixesBatches(): "in a block as it is drawn alone",
    FindsNoKey(): "with an error of this library.*KeyError",
    LosesItself(): "have the same repr; LosesItself\\(name='other'\\) does not",
    RefusesBlocks(): "says nothing",
    WithReplacement(): "probability that it says .* rows are held by .* of 4096 draws of 2, where it says 0.4",
    PrefersTheFirst(): "must treat all rows of a share alike",
}


@pytest.mark.usefixtures("unshrunk")
@pytest.mark.parametrize("drawer", WRONG_DRAWERS, ids=lambda drawer: type(drawer).__name__)
def test_wrong_drawers_are_caught(drawer: Any) -> None:
    """Each law of a drawer has one that breaks it and is caught by it."""
    with pytest.raises(StageFailure, match=WRONG_DRAWERS[drawer]):
        check_stage(drawer)


class OnlyDistinct(WrongDrawer):
    """Refuses, in so many words, what it cannot do."""

    def draw(self, quotas: Any, sizes: Any, uniforms: Any) -> Any:
        if (quotas > sizes).any():
            msg = "Draws must be distinct."
            raise SettingError(msg)
        return super().draw(quotas, sizes, uniforms)


def test_a_drawer_may_refuse() -> None:
    """What a drawer refuses with a clear error does not count against it."""
    check_stage(OnlyDistinct())


def test_a_drawer_may_draw_otherwise() -> None:
    """A drawer that repeats rows is right as long as it says how probably it holds one."""
    check_stage(SaysSo())


def test_a_stage_that_suits_no_draft_is_no_success() -> None:
    """Where nothing could be checked, the kit says so instead of passing."""
    with pytest.raises(SettingError, match="At least one example must suit the stage; it refuses all 20"):
        check_stage(OnlyMarker("DAPI"), by={"marker": ["GFP"]}, max_examples=20)


def test_what_is_no_stage_is_refused() -> None:
    """A class instead of an object, or anything else, is told apart from a wrong stage."""
    with pytest.raises(SettingTypeError, match="A stage or a drawer can be checked; got <class"):
        check_stage(Drawer)  # type: ignore[arg-type]
