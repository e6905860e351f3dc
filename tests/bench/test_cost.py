"""What a batch costs, line by line and setting by setting; `nox -s bench` writes it into docs/cost.md.

    pytest -c tests/bench/pytest.ini tests/bench/test_cost.py --benchmark-json=cost.json --rows 1e4 1e5
    python tests/bench/report.py cost.json

Nothing here asserts a time. Costs are taken by the rule of rates.py and kept in the file by pytest-benchmark; the
report takes ratios within a repetition, and the median of those.
"""

from __future__ import annotations

import logging
from typing import Any

import attrs
import pytest
from lines import PLAIN, Line
from rates import measure, typical
from settings import Setting

# Small pools are measured on purpose.
logging.getLogger("batchwright").setLevel(logging.ERROR)


@pytest.fixture(scope="module", autouse=True)
def warm() -> None:
    """Let torch do what it does once in a process, which is nobody's cost."""
    measure(PLAIN.make(Setting("rows", 10_000)), 78, budget=1)


def test_batch(benchmark: Any, setting: Setting, line: Line, repeat: int, pytestconfig: pytest.Config) -> None:
    """A line delivers batches of the size that was asked for, and what one costs is noted."""
    key = {"setting": attrs.asdict(setting), "line": line.name, "repeat": repeat}
    benchmark.group = f"{setting}"
    if setting.rows > line.most_rows:
        pytest.skip(f"{line.name}: {line.reason}")
    budget = pytestconfig.getoption("budget")
    try:
        cost = benchmark.pedantic(
            typical,
            args=(lambda: measure(line.make(setting), line.steps(setting), budget, line.least), budget / 7),
            rounds=1,
            iterations=1,
        )
    except ImportError as error:
        pytest.skip(f"{line.name}: {error}")
    benchmark.extra_info.update(key, **attrs.asdict(cost), batch=cost.batch)
    assert cost.size == setting.batch_size
