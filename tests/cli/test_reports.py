"""The commands that report: what they print, write and return."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from batchwright import Drawer, ExperimentSelector, Finding, MetadataIndex, Pipeline, PipelineSampler, Plan, explanation
from batchwright.cli import main
from batchwright.datasets import time_lapse_screen
from batchwright.report import audit

TABLE = time_lapse_screen(rows=300)
CHAIN = Pipeline([ExperimentSelector("experiment"), Drawer()])
GROUP = ["--group", "experiment", "--batch-size", "16"]

Run = Callable[..., str]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in a folder with a table, and with an index of it."""
    monkeypatch.chdir(tmp_path)
    TABLE.to_csv("table.csv", index=False)
    MetadataIndex.from_table(TABLE, ["experiment", "condition"]).save("index")


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def run_command(*arguments: str, code: int = 0) -> str:
        assert main(arguments) == code
        printed = capsys.readouterr()
        return printed.err if code == 2 else printed.out

    return run_command


def plan_over(by: list[str]) -> Plan:
    return Plan(CHAIN, MetadataIndex.from_table(TABLE, by), 16)


def test_explain(run: Run) -> None:
    """The explanation of the plan is printed, as text or as JSON."""
    explanation = plan_over(["experiment"]).explain()
    assert run("explain", "table.csv", *GROUP) == f"{explanation}\n"
    assert json.loads(run("explain", "table.csv", *GROUP, "--json")) == explanation.to_dict()


def test_explain_of_an_index(run: Run) -> None:
    """A saved index is explained as it is."""
    assert run("explain", "index", *GROUP) == f"{plan_over(['experiment', 'condition']).explain()}\n"


def test_explain_refuses_a_batch_of_no_rows(run: Run) -> None:
    """A batch size must be positive, here as in a sampler."""
    complaint = run("explain", "table.csv", "--group", "experiment", "--batch-size", "0", code=2)
    assert "batch_size must be at least 1; got 0 (explain). Pass the number of rows of a batch." in complaint


@pytest.mark.parametrize(("severity", "code"), [("error", 1), ("warning", 1), ("note", 0)])
@pytest.mark.parametrize("command", ["explain", "audit"])
def test_strict_ends_with_code_1(
    monkeypatch: pytest.MonkeyPatch, run: Run, command: str, severity: Any, code: int
) -> None:
    """Under --strict warnings and errors end with code 1; all is printed as without it, where the code is 0."""
    found = (Finding("note", "All is well.", "Go on."), Finding(severity, "A pool is small.", "Lower batch_size."))
    monkeypatch.setattr(explanation, "findings", lambda _: found)
    strict = run(command, "table.csv", *GROUP, "--strict", code=code)
    assert strict == run(command, "table.csv", *GROUP)


def test_strict_goes_by_what_is_found(run: Run) -> None:
    """A chain that will go as asked ends with code 0, and one that lacks a label somewhere with 1."""
    small = ["--group", "experiment", "--batch-size", "2"]
    assert run("explain", "table.csv", *small, "--strict")
    assert "'drug'" in run("explain", "table.csv", *small, "--balance", "condition", "--strict", code=1)


def test_audit(run: Run) -> None:
    """The sampler of the chain is audited over the table; the frame is printed, or JSON, and the page is written."""
    sampler = PipelineSampler(TABLE, CHAIN, 16, seed=3)
    expected = audit(sampler, TABLE[["experiment"]], n_batches=9)
    printed = run("audit", "table.csv", *GROUP, "--seed", "3", "--batches", "9", "--html", "report.html")
    assert printed == f"{expected}\n\n{expected.table.to_string(index=False)}\n"
    assert Path("report.html").read_text(encoding="utf-8") == expected.to_html()
    by = ["condition", "experiment"]
    printed = run("audit", "table.csv", *GROUP, "--by", "condition", "--by", "experiment", "--json")
    of_both = audit(PipelineSampler(TABLE, CHAIN, 16), TABLE[["experiment", "condition"]], n_batches=256, by=by)
    assert json.loads(printed) == json.loads(json.dumps(of_both.to_dict()))


def test_audit_refuses_a_batch_larger_than_its_table(run: Run) -> None:
    """The complaint names the flag, also for an index, and not arguments that no flag has."""
    for table in ("table.csv", "index"):
        complaint = run("audit", table, "--group", "experiment", "--batch-size", "301", code=2)
        assert "A batch must fit in its table; 300 rows make none of 301 (--batch-size). Lower it." in complaint


def test_audit_of_an_index(run: Run) -> None:
    """A saved index is audited as the table that it is, also by columns that it has."""
    printed = run("audit", "index", *GROUP, "--by", "condition", "--batches", "5")
    index = MetadataIndex.open("index")
    expected = audit(PipelineSampler(index, CHAIN, 16), index, n_batches=5, by="condition")
    assert printed == f"{expected}\n\n{expected.table.to_string(index=False)}\n"


def test_explain_starts_without_torch() -> None:
    """All of an explanation is done without torch."""
    code = (
        "import sys\nfrom batchwright.cli import main\n"
        "assert main(sys.argv[1:]) == 0\nassert 'torch' not in sys.modules"
    )
    command = [sys.executable, "-c", code, "explain", "table.csv", *GROUP]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)  # noqa: S603 - our own code.
