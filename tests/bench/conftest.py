"""Arguments of the measurements, and which of them are made."""

from __future__ import annotations

import pytest
from lines import lines_of
from settings import all_settings


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the arguments."""
    parser.addoption("--rows", type=float, nargs="+", default=[1e3, 1e4, 1e5, 1e6, 1e7], help="sizes of the table")
    parser.addoption("--repeats", type=int, default=3, help="how often each setting is measured")
    parser.addoption("--budget", type=float, default=0.7, help="seconds of an epoch that are measured")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Measure all lines of a setting in turn, then all of them again: a machine drifts, and ratios should not."""
    cases = [
        pytest.param(setting, line, repeat, id=f"{setting.topic}-{setting.rows:.0e}-{line.name}-{repeat}")
        for setting in all_settings(int(rows) for rows in metafunc.config.getoption("rows"))
        for repeat in range(metafunc.config.getoption("repeats"))
        for line in lines_of(setting)
    ]
    metafunc.parametrize(("setting", "line", "repeat"), cases)
