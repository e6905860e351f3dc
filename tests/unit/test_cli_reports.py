"""The commands that report, over stand-ins of the reports: what they pass on, print and return."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import attrs
import pandas as pd
import pytest

from batchwright import MetadataIndex, PipelineSampler, Plan
from batchwright.cli import main
from batchwright.datasets import time_lapse_screen

TABLE = time_lapse_screen(rows=300)
GROUP = ["--group", "experiment", "--batch-size", "16"]


@attrs.frozen
class Finding:
    severity: str
    message: str = "A pool is small."
    way_out: str = "Lower batch_size."


class Explanation:
    def __init__(self, plan: Plan) -> None:
        self.plan = plan

    def __str__(self) -> str:
        return f"{self.plan.index} explained for {self.plan.batch_size}"

    def to_dict(self) -> dict[str, Any]:
        return {"batch_size": self.plan.batch_size, "rows": self.plan.index.size, "µ": None}


class Audit:
    table = pd.DataFrame({"label": ["a"], "observed": [1.0], "expected": [1.5], "z": [-0.5]})

    def __init__(self, **given: Any) -> None:
        self.given = given

    def __repr__(self) -> str:
        return f"Audit of {self.given['n_batches']}"

    def to_dict(self) -> dict[str, Any]:
        return {"n_batches": self.given["n_batches"], "by": self.given["by"]}

    def to_html(self, path: Path) -> None:
        Path(path).write_text("<html>")


@pytest.fixture
def reports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Put stand-ins in the place of reports; return what they were given, and the findings, which a test may change."""
    monkeypatch.chdir(tmp_path)
    TABLE.to_csv("table.csv", index=False)
    seen: dict[str, Any] = {"findings": ()}

    def audit(sampler: Any, table: Any, **more: Any) -> Audit:
        seen.update(sampler=sampler, table=table, **more)
        return Audit(**more)

    module = ModuleType("batchwright.report")
    module.audit = audit  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "batchwright.report", module)
    monkeypatch.setattr(Plan, "explain", lambda plan: Explanation(plan), raising=False)  # noqa: PLW0108 - no method.
    monkeypatch.setattr(Plan, "findings", lambda _: seen["findings"], raising=False)
    return seen


Run = Callable[..., str]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def run_command(*arguments: str, code: int = 0) -> str:
        assert main(arguments) == code
        printed = capsys.readouterr()
        return printed.err if code == 2 else printed.out

    return run_command


def test_explain(reports: dict[str, Any], run: Run) -> None:
    """The explanation of the plan is printed, as text or as JSON."""
    assert reports["findings"] == ()
    text = "MetadataIndex(by=('experiment',): 300 rows in 6 cells) explained for 16\n"
    assert run("explain", "table.csv", *GROUP) == text
    assert json.loads(run("explain", "table.csv", *GROUP, "--json")) == {"batch_size": 16, "rows": 300, "µ": None}


@pytest.mark.usefixtures("reports")
def test_explain_of_an_index(run: Run) -> None:
    """A saved index is explained as it is."""
    MetadataIndex.from_table(TABLE, ["experiment", "condition"]).save("index")
    assert "by=('experiment', 'condition'): 300 rows in 22 cells" in run("explain", "index", *GROUP)


@pytest.mark.usefixtures("reports")
def test_explain_refuses_a_batch_of_no_rows(run: Run) -> None:
    """A batch size must be positive, here as in a sampler."""
    complaint = run("explain", "table.csv", "--group", "experiment", "--batch-size", "0", code=2)
    assert "batch_size must be at least 1; got 0 (explain). Pass the number of rows of a batch." in complaint


@pytest.mark.parametrize(("severity", "code"), [("error", 1), ("warning", 1), ("note", 0)])
@pytest.mark.parametrize("command", ["explain", "audit"])
def test_strict_ends_with_code_1(reports: dict[str, Any], run: Run, command: str, severity: str, code: int) -> None:
    """Under --strict warnings and errors end with code 1; all is printed as without it, where the code is 0."""
    reports["findings"] = (Finding("note"), Finding(severity))
    strict = run(command, "table.csv", *GROUP, "--strict", code=code)
    assert strict == run(command, "table.csv", *GROUP)


def test_audit(reports: dict[str, Any], run: Run) -> None:
    """The sampler of the chain is audited over the table; the frame is printed, or JSON, and the page is written."""
    printed = run("audit", "table.csv", *GROUP, "--seed", "3", "--batches", "9", "--html", "report.html")
    assert printed == "Audit of 9\n\nlabel  observed  expected    z\n    a       1.0       1.5 -0.5\n"
    assert Path("report.html").read_text() == "<html>"
    assert (reports["n_batches"], reports["by"], reports["progress"]) == (9, None, False)
    assert reports["sampler"].batch(0) == PipelineSampler(TABLE, reports["sampler"].plan.pipeline, 16, seed=3).batch(0)
    assert list(reports["table"]) == ["experiment"]
    printed = run("audit", "table.csv", *GROUP, "--by", "condition", "--by", "experiment", "--json")
    assert json.loads(printed) == {"n_batches": 256, "by": ["condition", "experiment"]}
    assert list(reports["table"]) == ["experiment", "condition"]


def test_audit_of_an_index(reports: dict[str, Any], run: Run) -> None:
    """A saved index is audited as the table that it is, also by columns that it has."""
    MetadataIndex.from_table(TABLE, ["experiment", "condition"]).save("index")
    run("audit", "index", *GROUP, "--by", "condition")
    assert isinstance(reports["table"], MetadataIndex)
    assert reports["by"] == ["condition"]


def test_explain_starts_without_torch(reports: dict[str, Any]) -> None:
    """All that leads to an explanation is there before torch is."""
    assert reports
    code = (
        "import sys\nfrom batchwright.plan import Plan\nfrom batchwright.cli import main\n"
        "Plan.explain, Plan.findings = lambda plan: repr(plan), lambda plan: ()\n"
        "assert main(sys.argv[1:]) == 0\nassert 'torch' not in sys.modules"
    )
    command = [sys.executable, "-c", code, "explain", "table.csv", *GROUP]
    subprocess.run(command, check=True)  # noqa: S603 - our own code.
