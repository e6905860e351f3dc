"""Every command of a ``console`` block in the docs runs, in order, in one folder a page, and prints what is shown."""

import doctest
import re
import shlex
from importlib.util import find_spec
from pathlib import Path

import pytest

from batchwright.chainfile import load_chain
from batchwright.cli import main

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PAGES = [page for page in sorted((ROOT / "docs").rglob("*.md")) if BLOCK.search(page.read_text())]
YAML = re.compile(r"^```yaml\n(batchwright: .*?)^```$", re.MULTILINE | re.DOTALL)


def commands_of(page: Path) -> list[tuple[str, str]]:
    """Return the commands of a page, each with what is shown below it."""
    blocks = "".join(BLOCK.findall(page.read_text()))
    return [(command, shown) for command, shown in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", blocks, re.MULTILINE)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_print_what_is_shown(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A command ends with code 0; three dots stand for anything."""
    monkeypatch.chdir(tmp_path)
    for command, shown in commands_of(page):
        name, *arguments = shlex.split(command)
        assert name == "batchwright"
        capsys.readouterr()
        assert main(arguments) == 0, command
        printed = capsys.readouterr().out
        assert doctest.OutputChecker().check_output(shown, printed, doctest.ELLIPSIS), f"{command}\n{printed}"


@pytest.mark.skipif(find_spec("yaml") is None, reason="PyYAML is missing")
def test_chain_files_of_the_docs_are_chains() -> None:
    """What is shown as a chain file can be loaded."""
    shown = YAML.findall((ROOT / "docs" / "chain-files.md").read_text())
    assert [len(load_chain(text).stages) for text in shown] == [5]
