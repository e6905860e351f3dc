"""Chain files that are refused: where a message points, and that nothing in them is ever run."""

import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from written import chain_of

from batchwright import ChainFileError
from batchwright.chainfile import load_chain
from batchwright.chainfile.text import read_text
from refusals import refused

needs_yaml = pytest.mark.skipif(find_spec("yaml") is None, reason="PyYAML is missing")


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
            "A kind of stage must be known; 'Shuffle' is not ($.stages[0].kind). Write one ... by register_stage, or",
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
