"""A folder that commands run in."""

from pathlib import Path

import pytest
from commands import STAGES, TABLE, Run

from batchwright import Pipeline
from batchwright.chainfile import dump_chain
from batchwright.cli import main


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder that has a table and a chain, and is where commands run."""
    monkeypatch.chdir(tmp_path)
    TABLE.to_csv("table.csv", index=False)
    Path("chain.json").write_text(dump_chain(Pipeline(STAGES)))
    return tmp_path


@pytest.fixture
def run(folder: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Return what runs a command in the folder, expects its code, and gives what it printed, or its complaint."""

    def run_command(*arguments: str, code: int = 0) -> str:
        assert folder.exists()
        capsys.readouterr()
        assert main(arguments) == code
        printed = capsys.readouterr()
        return printed.err if code == 2 else printed.out

    return run_command
