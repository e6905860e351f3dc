"""Chain files: what they say, in either format, and that it is what a chain is."""

import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from written import chain_of

from batchwright import (
    ChainError,
    ChainFileError,
    ConditionBalancer,
    Drawer,
    ExperimentSelector,
    LeakMixer,
    Pipeline,
    SettingError,
    TemporalEnricher,
)
from batchwright.chainfile import dump_chain, load_chain
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
