"""Figures and the page of an audit, as far as no browser is needed."""

import re
import sys
from datetime import date
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import attrs
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchwright import ConditionBalancer, Drawer, ExperimentSelector, PipelineSampler, TemporalEnricher
from batchwright.errors import SettingError
from batchwright.report import Audit, audit
from batchwright.report.charts import _ticks
from batchwright.report.shown import COLOURS, Composition, largest_labels, some_points
from refusals import refused

MANY = {"plate": [f"p{row // 3:03d}" for row in range(3000)], "drug": ["<x>", "y", "z&"] * 1000}
TIMED = {"donor": ["a"] * 6 + ["b"] * 4, "drug": ["x", "y"] * 5, "hours": np.arange(10.0)}


def timed(times: Any = TIMED["hours"]) -> Audit:
    chain = [ExperimentSelector("donor"), ConditionBalancer("drug"), TemporalEnricher("hours", _width(times)), Drawer()]
    return audit(PipelineSampler({**TIMED, "hours": times}, chain, 4), {**TIMED, "hours": times}, 15)


def _width(times: Any) -> Any:
    return "1h" if np.asarray(times).dtype.kind == "M" else 1


def charts_of(page: str) -> list[ET.Element]:
    return [ET.fromstring(svg) for svg in re.findall(r"<svg.*?</svg>", page, re.DOTALL)]  # noqa: S314 - ours.


@given(batches=st.lists(st.lists(st.integers(0, 2999), min_size=1, max_size=40), min_size=1, max_size=14))
def test_bars_show_every_row(batches: list[list[int]]) -> None:
    """The parts of a bar add up to the rows of its batch, whatever is left over, in no more colours than there are."""
    found = audit(batches, MANY, by="plate")
    shown = Composition.of(found, "plate")
    assert shown.counts.sum(axis=1).tolist() == [len(batch) for batch in batches[:12]]
    assert len(shown.names) == len(shown.colours) == shown.counts.shape[1] <= len(COLOURS)
    assert len(set(shown.colours)) == len(shown.colours)


@pytest.mark.parametrize(
    "labels",
    [(False, True), (1, 2), ((0, "x"), (1, "y")), (date(2026, 3, 1), date(2026, 3, 2)), ("<b>", "x" * 5000)],
    ids=["truth values", "integers", "tuples", "dates", "text"],
)
def test_labels_may_be_of_any_type(labels: tuple[Any, Any], tmp_path: Path) -> None:
    """Whatever the type of labels, they are counted, explained, and drawn on the page and in figures."""
    kinds = pd.Series([labels[row % 2] for row in range(8)], dtype=object)
    table = pd.DataFrame({"donor": ["a"] * 4 + ["b"] * 4, "kind": kinds})
    found = audit(PipelineSampler(table, [ExperimentSelector("donor"), ConditionBalancer("kind"), Drawer()], 4), table)
    shown = Composition.of(found, "kind")
    assert (shown.names, shown.counts.tolist()) == ([str(label) for label in labels], [[2, 2]] * 12)
    assert str(labels[1])[:17] in str(found.explanation)
    assert charts_of(found.to_html())
    pytest.importorskip("matplotlib")
    found.figures()["expected"].savefig(tmp_path / "expected.png")


def test_the_largest_labels_are_shown_in_order() -> None:
    """Of many labels those with most rows are shown, observed or expected, in the order of the table."""
    found = audit([[0, 9, 9, 9], [3, 3, 9, 0]], MANY, by="plate")
    assert largest_labels(found, "plate", 2)["label"].tolist() == ["p000", "p003"]


@given(count=st.integers(1, 1000))
def test_lines_have_both_their_ends(count: int) -> None:
    """A line is drawn through its first and its last point, and 200 at most."""
    points = some_points(pd.DataFrame({"x": range(count)}))["x"].tolist()
    assert (points[0], points[-1], len(points)) == (0, count - 1, min(count, 200))


@given(high=st.floats(1e-6, 1e12))
def test_ticks_reach_up_to_the_value(high: float) -> None:
    """An axis has three to seven marks, evenly spaced from 0, of which the last is not below the value."""
    ticks = _ticks(high)
    assert 3 <= len(ticks) <= 7
    assert ticks[0] == 0
    assert ticks[-1] >= high * (1 - 1e-9)
    assert ticks[-2] < high


def test_charts_draw_the_numbers() -> None:
    """The bars of a chart are as long as their counts, and say them in their titles."""
    found = audit([[0, 1, 3], [0, 0, 0]], {"drug": ["x", "x", "x", "y"]}, by="drug")
    composition, comparison, _ = charts_of(found.to_html())
    widths = [float(rect.get("width", 0)) for rect in composition.iter("rect") if rect.get("class") == "part"]
    assert [width / max(widths) for width in widths] == pytest.approx([2 / 3, 1 / 3, 1], abs=1e-3)
    places = [float(rect.get("x", 0)) for rect in composition.iter("rect") if rect.get("class") == "part"]
    assert places == pytest.approx([places[0], places[0] + widths[0], places[0]], abs=0.2)
    titles = [title.text for title in composition.iter("title")]
    assert titles == ["x: 2 rows of batch 0", "y: 1 rows of batch 0", "x: 3 rows of batch 1"]
    marks = [float(rect.get("width", 0)) for rect in comparison.findall("g/rect") if rect.get("height") == "14"]
    assert marks[0] / marks[1] == pytest.approx(5, abs=0.02)
    assert "x: observed 2.5, expected nan, shuffled 2.25" in [title.text for title in comparison.iter("title")]


def test_no_window_is_drawn_where_the_first_batches_have_no_time() -> None:
    """Times of later batches alone make no chart of windows, which shows the first ones."""
    table = {"donor": ["a", "a", "b", "b"], "hours": [np.nan, np.nan, 1.0, 9.0]}
    chain = [ExperimentSelector("donor", weights={"a": 20, "b": 1}), TemporalEnricher("hours", 1), Drawer()]
    found = audit(PipelineSampler(table, chain, 2, seed=2), table, 100)
    assert found.first["time"].isna().all()
    assert found.times is not None
    assert found.times["median"].notna().any()
    assert "<h2>Windows</h2>" not in found.to_html()


FAR = np.array(["1678-01-01", str(pd.Timestamp.max)] * 5, dtype="datetime64[ns]")
NEAR = 1_700_000_000_000_000_000 + np.arange(10)


@pytest.mark.parametrize(
    "times", [TIMED["hours"], np.arange(10).astype("datetime64[h]"), np.ones(10), FAR, np.repeat(FAR[:1], 10), NEAR]
)
def test_every_kind_of_time_is_drawn(times: Any) -> None:
    """Numbers, dates however far apart, and a single value make a figure, and a chart with a bar for each batch."""
    pytest.importorskip("matplotlib")
    found = timed(times)
    windows = next(chart for chart in charts_of(found.to_html()) if chart.get("aria-label", "").startswith("Values of"))
    assert len([rect for rect in windows.iter("rect") if rect.get("class") == "box"]) == 12
    assert set(found.figures()) == {"composition", "expected", "coverage", "times"}


def test_coverage_is_drawn_beside_the_expected() -> None:
    """The line of expected rows stands on the page and in the figure, where there is a plan, and is named."""
    pytest.importorskip("matplotlib")
    for found, names in (
        (timed(), ["drawn", "distinct", "expected"]),
        (audit([[0]], MANY, by="drug"), ["drawn", "distinct"]),
    ):
        chart = next(each for each in charts_of(found.to_html()) if each.get("aria-label", "").startswith("Distinct"))
        lines = [path for path in chart.findall("path") if path.get("class", "").startswith("line")]
        assert (len(lines), [text.text for text in chart.findall("g/text")]) == (len(names), names)
        assert [line.get_label() for line in found.figures()["coverage"].axes[0].lines] == names


def test_the_page_needs_nothing_else(tmp_path: Path) -> None:
    """The page is written as returned, is small, and names no address at all."""
    page = timed().to_html(tmp_path / "audit.html")
    assert (tmp_path / "audit.html").read_text(encoding="utf-8") == page
    assert not re.findall(r"https?:|//[a-z]|src=|href=|url\(|@import", re.sub(r"<script>.*", "", page, flags=re.DOTALL))
    assert len(page) < 200_000


def test_labels_are_text_on_the_page() -> None:
    """A label with signs of HTML in it is shown as it is; so is what the plan says of itself."""
    table = {"drug": ["<x>"] * 6 + ["y"] * 2}
    page = audit(PipelineSampler(table, [ExperimentSelector(by="drug"), Drawer()], batch_size=4), table, 5).to_html()
    assert "&lt;x&gt;" in page
    assert "<x>" not in page
    assert re.search(r'<li class="warning"><b>warning</b> A pool should hold the rows .*drug=&#x27;y&#x27;', page)


def test_long_tables_are_cut_and_say_so() -> None:
    """Of very many labels and batches the first are on the page; labels that deviate come before the others."""
    found = audit([[row] for row in range(300)], MANY, by="plate")
    table = found.table.assign(z=0.0)
    table.loc[999, "z"] = 99.0
    page = attrs.evolve(found, table=table).to_html()
    assert "By plate, the first 300 of 1,000" in page
    assert "What each batch holds, the first 200 of 300" in page
    assert re.search(r"<tbody><tr class=beyond><td class=\"text\">p999</td>", page)


def test_figures_draw_the_numbers() -> None:
    """The bars of the figures are as long as the counts; without an ordered column there is no figure of times."""
    pytest.importorskip("matplotlib")
    figures = audit([[0, 1, 3], [0, 0, 0]], {"drug": ["x", "x", "x", "y"]}, by="drug").figures()
    assert set(figures) == {"composition", "expected", "coverage"}
    assert [bar.get_width() for bar in figures["composition"].axes[0].patches] == [2, 3, 1, 0]
    assert [bar.get_x() for bar in figures["composition"].axes[0].patches] == [0, 0, 2, 3]
    assert [bar.get_width() for bar in figures["expected"].axes[0].patches] == [2.5, 0.5]
    assert [line.get_ydata().tolist() for line in figures["coverage"].axes[0].lines] == [[3, 6], [3, 3]]


def test_figures_show_labels_as_they_are(tmp_path: Path) -> None:
    """Neither dollars, which make formulas elsewhere, nor an underscore in front hide or change a label or a column."""
    matplotlib = pytest.importorskip("matplotlib")
    labels = ["$a_$", "$^$", r"$\foo$", "$x$", r"a\$b", "_x"]
    table = {"$by_$": labels * 2, "$at_$": np.arange(12.0)}
    sampler = PipelineSampler(table, [ConditionBalancer("$by_$"), TemporalEnricher("$at_$", 9), Drawer()], 6)
    shown = {}
    for name, figure in audit(sampler, table, 3).figures().items():
        with matplotlib.rc_context({"svg.fonttype": "none"}):
            figure.savefig(tmp_path / "figure.svg")
        texts = ET.parse(tmp_path / "figure.svg").iter("{http://www.w3.org/2000/svg}text")  # noqa: S314 - ours.
        shown[name] = {text.text for text in texts} & {*labels, *table}
    bars = {*labels, "$by_$"}
    assert shown == {"composition": bars, "expected": bars, "coverage": set(), "times": {"$at_$"}}


def test_figures_need_matplotlib(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without matplotlib it is said which extra brings it."""
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with refused(SettingError, "Figures are drawn by matplotlib; 0 versions of it are there (Audit.figures). Install"):
        timed().figures()
