"""`check_stage`: the built-in stages keep all laws, and each law is one that a wrong stage is caught by."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from drawer_faults import WRONG_DRAWERS, OnlyDistinct, SaysSo
from hypothesis import Phase, assume, given, settings
from hypothesis import strategies as st
from stage_faults import WRONG, SelectMarker

from batchwright import BaseDrawer, Draft, DraftStack, Drawer, MetadataIndex, Stage, TemporalEnricher, stages
from batchwright.errors import SettingError, SettingTypeError
from batchwright.testing import StageFailure, check_stage
from batchwright.testing.stage_laws import keeps_laws
from batchwright.testing.strategies import drafts, tables
from batchwright.testing.strategies import stages as settings_of
from own import OnlyMarker

KINDS = [getattr(stages, name) for name in stages.__all__ if name not in {"Stage", "BaseDrawer"}]


@pytest.mark.parametrize("kind", [kind for kind in KINDS if issubclass(kind, Stage)])
@given(data=st.data())
def test_built_in_stages_keep_all_laws(kind: type[Any], data: st.DataObject) -> None:
    """Every stage of the library, found by its name in `stages.__all__`, keeps all laws, whatever its settings."""
    table = data.draw(tables().filter(lambda table: table["hours"].notna().any()))
    index = MetadataIndex.from_table(table, by=["experiment", "condition"], order_by="hours")
    # A stage that refused every draft would leave nothing to check, and hypothesis would say so.
    assume(keeps_laws(data.draw(settings_of(kind, table)), data.draw(drafts(st.just(index)))))


def test_a_short_cut_may_lead_over_many_ranges() -> None:
    """A pool that is not split, of three ranges, is the same for all windows, and stands for itself in each draft."""
    table = {"group": [*"abcabc"], "condition": [*"xxxyyy"], "hours": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]}
    index = MetadataIndex.from_table(table, by=["group", "condition"], order_by="hours")
    leaked = Draft.start(index, 9).select(index.pool("condition", "x"))
    leaked = leaked.leak(leaked.universe - leaked.primary, 3)
    draft = leaked.split(lambda share: [(pool, 1) for pool in leaked.index.groups(share.pool, "group").pools])
    stage = TemporalEnricher("hours", 1)
    options = stage.expand(DraftStack.of([draft]))
    assert options.layout is not None
    assert options.layout(np.array([0, 0]), np.array([0, 1])).far_starts.size == 3
    assert keeps_laws(stage, draft)


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


def test_a_stage_of_ones_own_passes() -> None:
    """Ten lines that keep the laws pass, given the labels that their settings name."""
    check_stage(OnlyMarker("DAPI"), by={"marker": ["DAPI", "GFP"]})


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


@pytest.mark.usefixtures("unshrunk")
@pytest.mark.parametrize("drawer", WRONG_DRAWERS, ids=lambda drawer: type(drawer).__name__)
def test_wrong_drawers_are_caught(drawer: Any) -> None:
    """Each law of a drawer has one that breaks it and is caught by it."""
    with pytest.raises(StageFailure, match=WRONG_DRAWERS[drawer]):
        check_stage(drawer)


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
