"""Stages in chain files: of one's own, of other packages, and what is no kind of stage."""

import dataclasses
import math
import sys
from datetime import date
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import pytest
from written import chain_of

from batchwright import (
    BaseDrawer,
    ChainFileError,
    Drawer,
    ExperimentSelector,
    Pipeline,
    SettingError,
    SettingTypeError,
    Stage,
    stages,
)
from batchwright.chainfile import dump_chain, load_chain, register_stage, registry
from refusals import refused


@attrs.frozen
class OnlyMarkers(Stage):
    """A stage of somebody's own."""

    markers: tuple[str, ...] = attrs.field(converter=tuple)
    by = "marker"

    def apply(self, draft: Any) -> Any:
        return draft


@dataclasses.dataclass(frozen=True)
class Held(Stage):
    """A stage that keeps whatever it is given."""

    value: Any = None

    def apply(self, draft: Any) -> Any:
        return draft


class Plain(Stage):
    """A stage as the tutorial writes one."""

    def __init__(self, marker: str, *, times: int = 1) -> None:
        self.marker = marker.upper()
        self.times = times

    def apply(self, draft: Any) -> Any:
        return draft


@pytest.mark.parametrize(
    ("kind", "stage"),
    [
        (OnlyMarkers, OnlyMarkers(["a", "b"])),
        (Held, Held((1, {2: None, "a": math.inf, date(2026, 3, 1): {}}))),
        (Plain, Plain("A", times=3)),
    ],
)
def test_a_stage_of_ones_own_comes_back_once_it_is_registered(kind: Any, stage: Stage) -> None:
    """Stages of attrs, of dataclasses and plain ones; and before that, the message says what to do."""
    chain = Pipeline([stage, Drawer()])
    with refused(
        ChainFileError, f"A stage must be of a kind that files can name; test_chain_kinds.{kind.__name__} is not"
    ):
        dump_chain(chain)
    assert register_stage(kind) is kind
    assert register_stage(kind) is kind
    assert repr(load_chain(dump_chain(chain))) == repr(chain)


def test_a_drawer_of_ones_own_comes_back() -> None:
    """A drawer is registered as a stage is."""

    @register_stage
    class Mine(BaseDrawer):
        def draw(self, quotas: Any, sizes: Any, uniforms: Any) -> Any:
            raise NotImplementedError

    assert repr(load_chain(dump_chain(Pipeline([Mine()])))) == "Pipeline(stages=(Mine(),))"


@pytest.mark.parametrize("value", [np.float64(1), np.int64(1), {1, 2}, b"a", Held, np.zeros(2), np.str_("a")])
def test_what_a_file_cannot_say_is_refused_when_it_is_dumped(value: Any) -> None:
    """A value of a type that a file lacks is named, with its place."""
    register_stage(Held)
    with refused(ChainFileError, "A setting must be of a type that a chain file has; got ... ($.stages[0].value[0])."):
        dump_chain(Pipeline([Held((value,)), Drawer()]))


@pytest.mark.parametrize("value", [[1], np.timedelta64(2, "h")])
def test_what_comes_back_changed_is_refused_when_it_is_dumped(value: Any) -> None:
    """A list comes back as a tuple and a duration as text, unless the stage converts them."""
    register_stage(Held)
    with refused(
        ChainFileError, "A stage must come back from a file as it is; Held(...) comes back as Held(...) ($.st"
    ):
        dump_chain(Pipeline([Held(value), Drawer()]))


def test_a_class_of_a_known_name_is_not_taken_for_the_known_one() -> None:
    """A stage that is called as one of the library, and prints as it, is another kind."""

    class LeakMixer(Held):
        fraction = 0.2

        def __repr__(self) -> str:
            return "LeakMixer(fraction=0.2)"

    with refused(
        ChainFileError, "A stage must be of a kind that files can name; test_chain_kinds.test_a_class...LeakMixer"
    ):
        dump_chain([ExperimentSelector(), LeakMixer(), Drawer()])


def test_a_setting_must_be_an_attribute() -> None:
    """A constructor that keeps a parameter elsewhere is found out."""

    @register_stage
    class Hides(Plain):
        def __init__(self, marker: str) -> None:
            super().__init__(marker)
            del self.marker

    with refused(
        ChainFileError, "A setting must be kept as an attribute of its name; 'marker' of Hides is not ($.stages"
    ):
        dump_chain(Pipeline([Hides("a"), Drawer()]))


def test_an_error_of_a_constructor_names_the_stage() -> None:
    """Whatever a constructor raises, it is told as an error of the file."""
    register_stage(Plain)
    with refused(
        ChainFileError, "A stage must take its settings; Plain does not: AttributeError: 'int' object has no att"
    ):
        load_chain(chain_of('{"kind": "Plain", "marker": 3}'))


@pytest.mark.parametrize("kind", [int, Stage, Drawer(), "Drawer"])
def test_only_stages_are_registered(kind: Any) -> None:
    """Neither another class, nor an abstract one, nor an object or a name is a kind of stage."""
    with refused(
        SettingTypeError, "A kind of stage must be a class that is a Stage or a BaseDrawer and can be made; got"
    ):
        register_stage(kind)


def test_settings_that_a_file_cannot_name_are_refused() -> None:
    """Parameters without a name, and one that would take the place of the kind, are found when registered."""

    class Loose(Plain):
        def __init__(self, first: int, /, *rest: int, kind: str, **more: int) -> None: ...

    with refused(
        SettingError, "A setting must have a name, and another one than 'kind'; Loose has 4 that a file cannot"
    ):
        register_stage(Loose)


def test_a_name_means_one_class() -> None:
    """Two classes of one name cannot both be meant; a class that is made again by the same code replaces the first."""

    def make() -> Any:
        class Again(Plain):
            pass

        return register_stage(Again)

    make()
    again = make()
    assert registry.stage_class("Again") is again
    with refused(
        SettingError, "A kind of stage must have a name of its own; 'Drawer' is batchwright.stages.drawer.Drawer"
    ):
        register_stage(type("Drawer", (Plain,), {}))


def test_all_stages_of_the_library_are_kinds() -> None:
    """A stage that is added to the library can be named in a file."""
    built_in = {name for name in stages.__all__ if name not in ("Stage", "BaseDrawer")}
    assert {kind.__name__ for kind in registry._BUILT_IN} == built_in


def offer(monkeypatch: pytest.MonkeyPatch, *points: tuple[str, str]) -> None:
    """Let some entry points be installed."""
    installed = [EntryPoint(name, value, "batchwright.stages") for name, value in points]

    def entry_points(*, group: str, name: str | None = None) -> list[EntryPoint]:
        assert group == "batchwright.stages"
        return [point for point in installed if name in (None, point.name)]

    monkeypatch.setattr(registry, "entry_points", entry_points)


def test_entry_points(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A package is imported when a file names its kind, and not before; a chain of it is dumped again."""
    (tmp_path / "acme_stages.py").write_text(
        "from batchwright import Stage\n\n\nclass Acme(Stage):\n    def apply(self, draft):\n        return draft\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    offer(monkeypatch, ("Acme", "acme_stages:Acme"), ("Other", "no_such_module:Other"))
    with refused(
        ChainFileError, "A kind of stage must be known; 'Acmee' is not ($.stages[0].kind). Write 'Acme', which"
    ):
        load_chain(chain_of('{"kind": "Acmee"}'))
    load_chain(chain_of())
    assert "acme_stages" not in sys.modules
    chain = load_chain(chain_of('{"kind": "Acme"}'))
    assert repr(chain) == "Pipeline(stages=(Acme(), Drawer()))"
    assert repr(load_chain(dump_chain(chain))) == repr(chain)


@pytest.mark.parametrize(
    ("points", "message"),
    [
        (
            [("Bad", "no_such_module:Bad")],
            "An entry point must lead to a stage; 'Bad' leads to 'no_such_module:Bad', wh",
        ),
        (
            [("Bad", "os:system")],
            "An entry point must lead to a stage; 'Bad' leads to 'os:system', which fails: A kind",
        ),
        ([("Bad", "test_chain_kinds:Held")], "An entry point must have the name of its class; 'Bad' leads to 'Held'"),
        (
            [("Bad", "os:system"), ("Bad", "a:b")],
            "A kind of stage must come from one package; 'Bad' comes from 2: 'os:sy",
        ),
    ],
)
def test_entry_points_that_lead_nowhere(points: Any, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a package offers must be there, be a stage, and be one."""
    offer(monkeypatch, *points)
    with refused(ChainFileError, message):
        load_chain(chain_of('{"kind": "Bad"}'))
