"""Chain files: what they may say, where a message points, and that nothing in them is ever run."""

import dataclasses
import math
import sys
from datetime import date
from importlib.metadata import EntryPoint
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import pytest

from batchwright import (
    BaseDrawer,
    ChainError,
    ChainFileError,
    ConditionBalancer,
    Drawer,
    ExperimentSelector,
    LeakMixer,
    Pipeline,
    SettingError,
    SettingTypeError,
    Stage,
    TemporalEnricher,
    stages,
)
from batchwright.chainfile import dump_chain, load_chain, register_stage, registry
from batchwright.chainfile.text import read_text
from refusals import refused

needs_yaml = pytest.mark.skipif(find_spec("yaml") is None, reason="PyYAML is missing")

CHAIN = Pipeline(
    [
        ExperimentSelector(["site", "plate"], {("s1", 1): 1, ("s1", 2): 0.5}),
        LeakMixer(0.2),
        ConditionBalancer(ratio={"mock": 1, "virus": 3}),
        TemporalEnricher("when", "90min"),
        Drawer(),
    ]
)

YAML = """\
batchwright: 1
stages:
- kind: ExperimentSelector
  by: [site, plate]
  weights:
    $pairs:
    - - [s1, 1]
      - 1.0
    - - [s1, 2]
      - 0.5
- {kind: LeakMixer, fraction: 0.2}
- kind: ConditionBalancer
  by: condition
  ratio: {mock: 1.0, virus: 3.0}
  scope: primary
- {kind: TemporalEnricher, by: when, half_width: 1h 30min, global_fraction: 0.3, scope: primary}
- {kind: Drawer}
"""

JSON = """\
{"batchwright": 1, "stages": [
  {"kind": "ExperimentSelector", "by": ["site", "plate"], "weights": {"$pairs": [[["s1", 1], 1.0], [["s1", 2], 0.5]]}},
  {"kind": "LeakMixer", "fraction": 0.2},
  {"kind": "ConditionBalancer", "by": "condition", "ratio": {"mock": 1.0, "virus": 3.0}, "scope": "primary"},
  {"kind": "TemporalEnricher", "by": "when", "half_width": "1h 30min", "global_fraction": 0.3, "scope": "primary"},
  {"kind": "Drawer"}
]}
"""


def chain_of(*members: str) -> str:
    """Return the text of a file that has these stages, each an object in JSON, and a drawer."""
    return '{"batchwright": 1, "stages": [' + ", ".join([*members, '{"kind": "Drawer"}']) + "]}"


@pytest.fixture(autouse=True)
def own_kinds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget what a test registers behind it."""
    monkeypatch.setattr(registry, "_kinds", dict(registry._kinds))


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


def test_labels_of_numpy_are_plain() -> None:
    """Equal settings make equal chains, whether labels come from an array or were written."""
    weights = dict.fromkeys(np.unique([1, 2]), 1)
    chains = [Pipeline([ExperimentSelector("user", weights=each), Drawer()]) for each in (weights, {1: 1, 2: 1})]
    assert chains[0].fingerprint == chains[1].fingerprint
    assert load_chain(dump_chain(chains[0])) == chains[1]
    pair = ConditionBalancer(["a", "b"], ratio={(np.str_("x"), np.True_): 1})
    assert repr(pair) == "ConditionBalancer(by=('a', 'b'), ratio={('x', True): 1.0}, scope='primary')"


def test_a_fingerprint_tells_chains_apart() -> None:
    """Equal chains have equal fingerprints, in every process; another setting, or order, has another one."""
    chain = Pipeline([ExperimentSelector(), LeakMixer(0.2), Drawer()])
    assert chain.fingerprint == "1503d64752ab97f7"
    others = [[LeakMixer(0.3), ExperimentSelector(), Drawer()], [ExperimentSelector(), LeakMixer(0.3), Drawer()]]
    assert len({chain.fingerprint, *(Pipeline(other).fingerprint for other in others)}) == 3


def test_the_text_in_json() -> None:
    """JSON has a stage a line, and says all settings."""
    assert dump_chain(CHAIN) == JSON
    assert load_chain(JSON) == CHAIN


@needs_yaml
def test_the_text_in_yaml() -> None:
    """YAML has plain stages in one line, and says all settings."""
    assert dump_chain(CHAIN, "yaml") == YAML
    assert load_chain(YAML) == CHAIN


@needs_yaml
def test_what_a_person_writes() -> None:
    """Defaults may be left out, numbers need no point, JSON in a YAML file is YAML, and dates are text."""
    text = 'batchwright: 1\nstages: [{"kind": ExperimentSelector, weights: {2026-03-01: 1, no: 2}}, {kind: Drawer}]\n'
    assert load_chain(text) == Pipeline([ExperimentSelector(weights={"2026-03-01": 1, "no": 2}), Drawer()])


@pytest.mark.parametrize(
    "suffix", [".json", pytest.param(".yaml", marks=needs_yaml), pytest.param(".yml", marks=needs_yaml)]
)
@pytest.mark.parametrize("kind", [str, Path])
def test_files(tmp_path: Path, suffix: str, kind: Any) -> None:
    """A file is read by what its name ends in, with or without a mark of byte order."""
    path = tmp_path / f"chain{suffix}"
    path.write_text(JSON if suffix == ".json" else YAML, encoding="utf-8-sig")
    assert load_chain(kind(path)) == CHAIN


def test_an_error_names_its_file(tmp_path: Path) -> None:
    """A note says which file it was, whatever is wrong."""
    path = tmp_path / "chain.json"
    path.write_text(chain_of('{"kind": "Drawer"}'))
    with pytest.raises(ChainError, match="got 2 among 2") as raised:
        load_chain(path)
    assert raised.value.__notes__ == [f"in the chain file {str(path)!r}"]


@pytest.mark.parametrize(
    ("name", "content", "text"),
    [
        ("chain.txt", b"{}", "A chain file must be named '.json', '.yaml', '.yml'; got '...chain.txt' (load_chain)"),
        ("chain.json", b"\xff\xff", "A chain file must be readable text; 1 is not: ...decode... (load_chain)"),
        ("chain.json", None, "A chain file must be readable text; 1 is not: ...No such file... (load_chain)"),
        ("chain.json", b"", "A chain file must be JSON; it is not: Expecting value: line 1 column 1 (char 0) ($)"),
        ("chain.json", b"[1]", "Here must stand an object; got a list, [1] ($)"),
    ],
)
def test_files_that_are_none(tmp_path: Path, name: str, content: bytes | None, text: str) -> None:
    """A file must be there, be named for its format, and hold text in it."""
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with refused(ChainFileError, text):
        load_chain(str(path))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"stages": []}', "A chain file must say its version; got none ($.batchwright)"),
        ('{"batchwright": 0, "stages": []}', "A chain file must say its version; got 0 ($.batchwright)"),
        ('{"batchwright": true, "stages": []}', "A chain file must say its version; got True ($.batchwright)"),
        ('{"batchwright": "1", "stages": []}', "A chain file must say its version; got '1' ($.batchwright)"),
        ('{"batchwright": 2, "other": []}', "A chain file must be of version 1; got 2, which is newer ($.batchwright)"),
        ('{"batchwright": 1}', "Every key that is needed must be there; 1 lack: 'stages' ($). Add them."),
        (
            '{"batchwright": 1, "stage": []}',
            "A key must be known; 'stage' is not ($.stage). Write 'stages', which is most like it.",
        ),
        ('{"batchwright": 1, "stages": [], "seed": 1}', "A key must be known; 'seed' is not ($.seed). Remove it."),
        ('{"batchwright": 1, "stages": {}}', "Here must stand a list; got an object, {} ($.stages). Write a list."),
        ('{"batchwright": 1, "batchwright": 1}', "Each key must stand once; 'batchwright' stands 2 times ($.batchw"),
        (chain_of('"Drawer"'), "Here must stand an object; got text, 'Drawer' ($.stages[0]). Write an object."),
        (chain_of('{"by": "a"}'), "Every key that is needed must be there; 1 lack: 'kind' ($.stages[0]). Add them."),
        (chain_of('{"kind": ["LeakMixer"]}'), "Here must stand text; got a list, ['LeakMixer'] ($.stages[0].kind)"),
        (
            chain_of('{"kind": "Leakmixer"}'),
            "A kind of stage must be known; 'Leakmixer' is not ($.stages[0].kind). Write 'LeakMixer', which",
        ),
        (
            chain_of('{"kind": "Shuffle"}'),
            "A kind of stage must be known; 'Shuffle' is not ($.stages[0].kind). Write one of these: 'Condition",
        ),
        (
            chain_of('{"kind": "LeakMixer", "fractoin": 1}'),
            "A key must be known; 'fractoin' is not ($.stages[0].fractoin). Write 'fraction', which is most like it.",
        ),
        (chain_of('{"kind": "Drawer", "by": 1}'), "A key must be known; 'by' is not ($.stages[0].by). Remove it."),
        (
            chain_of('{"kind": "LeakMixer"}'),
            "Every key that is needed must be there; 1 lack: 'fraction' ($.stages[0]).",
        ),
        (
            chain_of('{"kind": "ExperimentSelector"}', '{"kind": "LeakMixer", "fraction": "0.2"}'),
            "$.stages[1].fraction: fraction must be a number; got '0.2' of type str (LeakMixer). Pass",
        ),
        (chain_of('{"kind": "LeakMixer", "fraction": 1e999}'), "$.stages[0].fraction: fraction must be finite"),
        (chain_of('{"kind": "LeakMixer", "fraction": true}'), "$.stages[0].fraction: fraction must be a number"),
        (chain_of('{"kind": "ExperimentSelector", "by": 3}'), "$.stages[0].by: `by` must name one column or several"),
        (chain_of('{"kind": "ExperimentSelector", "by": {"a": 1}}'), "$.stages[0].by: `by` must name one column"),
        (
            chain_of('{"kind": "ExperimentSelector", "weights": [["a", 1]]}'),
            "$.stages[0].weights: weights must map labels to numbers; got (('a', 1),)",
        ),
        (
            chain_of('{"kind": "ExperimentSelector", "weights": {"a": "1"}}'),
            "$.stages[0].weights: weights['a'] must be a number",
        ),
        (chain_of('{"kind": "ConditionBalancer", "scope": "all "}'), "$.stages[0].scope: scope must be one of"),
        (
            chain_of('{"kind": "TemporalEnricher", "by": "t", "half_width": "soon"}'),
            "$.stages[0].half_width: half_width must be a number or a duration; got 'soon'",
        ),
        (
            chain_of('{"kind": "ConditionBalancer", "ratio": {"a b": 1, "a b": 2}}'),
            "Each key must stand once; 'a b' stands 2 times ($.stages[0].ratio[\"a b\"]). Remove one of the two.",
        ),
        (
            chain_of('{"kind": "ConditionBalancer", "ratio": {"$a": 1, "b": 2}}'),
            "A key that begins with $ must stand alone; '$a' is one of 2 ($.stages[0].ratio). Where",
        ),
        (
            chain_of('{"kind": "ConditionBalancer", "ratio": {"$pairs": [1]}}'),
            '$pairs must be a list of pairs; got a list ($.stages[0].ratio["$pairs"]). Write',
        ),
        (
            chain_of('{"kind": "ConditionBalancer", "ratio": {"$pairs": [[1, 1], [true, 1]]}}'),
            'A label must be a plain value that stands once; got True again ($.stages[0].ratio["$pairs"][1]).',
        ),
        (
            chain_of('{"kind": "ConditionBalancer", "ratio": {"$pairs": [[{}, 1]]}}'),
            'A label must be a plain value that stands once; got an object ($.stages[0].ratio["$pairs"][0]).',
        ),
        (
            chain_of('{"kind": "ConditionBalancer", "ratio": {"$date": "soon"}}'),
            "$date must hold what dump_chain writes; got 'soon': Invalid isoformat string: 'soon' ($.stages[0].ratio[",
        ),
        (
            chain_of('{"kind": "ConditionBalancer", "ratio": {"$Timestamp": ["2026-03-01"]}}'),
            "$Timestamp must hold what dump_chain writes; got ['2026-03-01']: not enough values",
        ),
        (
            chain_of('{"kind": "ConditionBalancer", "by": {"$bool": "yes"}}'),
            "A key that begins with $ must be known; '$bool' is not ($.stages[0].by[\"$bool\"]). Write",
        ),
        ('{"batchwright": NaN}', "A chain file must be JSON; it is not: NaN is no number of JSON ($)."),
        ("{" + '"a": {' * 50_000, "A chain file must be flat; the lists in this one lie too deep to be read ($)."),
    ],
)
def test_a_message_names_the_place_and_the_remedy(text: str, message: str) -> None:
    """Whatever is wrong with a file, the message says where, and what to write instead."""
    with refused(ChainFileError, message):
        load_chain(text)


@needs_yaml
@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [\n", "A chain file must be YAML; it is not: while parsing a flow node"),
        ("a: 1\n---\nb: 2\n", "A chain file must be YAML; it is not: expected a single document"),
        ("\n", "Here must stand an object; got null, None ($)"),
        ("a: 1\na: 2\n", "Each key must stand once; 'a' stands 2 times ($.a)"),
        (
            "a: {1: 2}\n",
            "Keys must be text; got 1, an integer ($.a). Put it in quotes, or where labels are no text, write",
        ),
        ("a: {[1]: 2}\n", "Keys must be text; got [1], a list ($.a)."),
        ("a: &b 1\nc: *b\n", "A chain file must say everything where it stands; it has 1 aliases, first '*b' (line 2)"),
        ("a: &b [*b]\n", "A chain file must say everything where it stands; it has 1 aliases, first '*b' (line 1)"),
        ("[" * 50_000 + "\n", "A chain file must be flat; the lists in this one lie too deep to be read ($)."),
        ("a: !!int b\n", "A chain file holds plain values only; '!!int' asks for something else (line 1)."),
        ("a: !!str [b]\n", "A chain file holds plain values only; '!!str' asks for something else (line 1)."),
        ("a: !!map [b]\n", "A chain file holds plain values only; '!!map' asks for something else (line 1)."),
        ("a: !!bool yes\n", "A chain file holds plain values only; '!!bool' asks for something else (line 1)."),
        ("a:\n- ! 0.2\n", "A chain file holds plain values only; '!' asks for something else (line 2)."),
        ("a: !!seq [b]\n", "A chain file holds plain values only; '!!seq' asks for something else (line 1)."),
        ("a: {<<: 1}\n", "A chain file holds plain values only; '<<' asks for something else (line 1)."),
        (f"a: {'1' * 5000}\n", "A number must not be too long; Exceeds the limit ... (line 1). "),
        ("a: !!timestamp 2026-03-01\n", "A chain file holds plain values only; '!!timestamp' asks for"),
        (
            "batchwright: 1\n<<: {a: 1}\n",
            "A chain file holds plain values only; '<<' asks for something else (line 2).",
        ),
    ],
)
def test_yaml_says_no_more_than_json(text: str, message: str) -> None:
    """Tags, aliases, merges and keys that are no text are refused, with the line."""
    with refused(ChainFileError, message):
        load_chain(text)


@needs_yaml
@pytest.mark.parametrize(("text", "value"), [("+7", 7), ("007", 7), ("-0", 0), ("1_0", "1_0"), ("'7'", "7")])
def test_integers_are_those_of_yaml(text: str, value: Any) -> None:
    """With any sign and any number of zeros before them, and never octal."""
    read = read_text(f"a: {text}\n", "yaml")["a"]
    assert (read, type(read)) == (value, type(value))


@needs_yaml
@pytest.mark.parametrize(
    "tag",
    [
        "!!python/object/apply:os.system",
        "!!python/object/new:os.system",
        "!!python/name:os.system",
        "!!python/module:this",
        "!!python/tuple",
        "!os.system",
    ],
)
@pytest.mark.parametrize("value", ['["touch ran"]', '"touch ran"', "{args: [touch ran]}"])
def test_a_tag_runs_nothing(tag: str, value: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What asks for an object of Python is refused, wherever it stands, and nothing happens."""
    monkeypatch.chdir(tmp_path)
    for text in (f"batchwright: {tag} {value}\n", f"batchwright: 1\nstages: [{{kind: {tag} {value}}}]\n"):
        with refused(ChainFileError, "A chain file holds plain values only; '!"):
            load_chain(text)
    assert not list(tmp_path.iterdir())
    assert "this" not in sys.modules


@pytest.mark.parametrize(
    "stage",
    [
        '{"class_path": "os.system", "init_args": {"command": "touch ran"}}',
        '{"_target_": "os.system", "command": "touch ran"}',
        '{"kind": "os.system", "command": "touch ran"}',
        '{"kind": "this"}',
        '{"kind": "batchwright.stages.LeakMixer", "fraction": 1}',
        '{"kind": "Stage"}',
        '{"kind": "__class__"}',
    ],
)
def test_a_path_of_python_is_no_kind(stage: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A kind is a name that is known; nothing is imported for one that is not."""
    monkeypatch.chdir(tmp_path)
    before = set(sys.modules)
    with pytest.raises(ChainFileError, match=r"kind"):
        load_chain(chain_of(stage))
    assert not list(tmp_path.iterdir())
    assert "this" not in set(sys.modules) - before


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
        ChainFileError, f"A stage must be of a kind that files can name; test_chainfile.{kind.__name__} is not"
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
        ChainFileError, "A stage must be of a kind that files can name; test_chainfile.test_a_class...LeakMixer"
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
        ([("Bad", "test_chainfile:Held")], "An entry point must have the name of its class; 'Bad' leads to 'Held'"),
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


@pytest.mark.parametrize("form", ["toml", None, "JSON"])
def test_formats(form: Any) -> None:
    """There are two formats."""
    with refused(SettingError, f"A chain file is JSON or YAML; got {form!r} (dump_chain). Name 'json' or 'yaml'."):
        dump_chain(CHAIN, form)


def test_without_yaml(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where PyYAML is missing the message says how to get it, and JSON works."""
    monkeypatch.setitem(sys.modules, "yaml", None)
    assert load_chain(dump_chain(CHAIN)) == CHAIN
    for run in (lambda: dump_chain(CHAIN, "yaml"), lambda: load_chain(YAML)):
        with refused(
            SettingError, "YAML, unlike JSON, is read and written by PyYAML; 0 versions of it are there (chain file)."
        ):
            run()
