"""The page of an audit in a real browser: charts are drawn, tables sort, nothing goes wrong or is fetched."""

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest

from batchwright import ConditionBalancer, Drawer, ExperimentSelector, LeakMixer, PipelineSampler, TemporalEnricher
from batchwright.datasets import time_lapse_screen
from batchwright.report import audit
from browser import CHROMIUM, console, look

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")

CHARTS = """[...document.querySelectorAll('svg')].map((svg) => ({
  name: svg.getAttribute('aria-label'), height: svg.getBoundingClientRect().height,
  marks: [...svg.querySelectorAll('rect, path')].map((mark) => mark.getBBox())
    .filter((box) => box.width + box.height > 0).length,
  outside: [...svg.querySelectorAll('text')].filter((text) => {
    const [box, frame] = [text.getBoundingClientRect(), svg.getBoundingClientRect()];
    return box.left < frame.left - 1 || box.right > frame.right + 1 || box.bottom > frame.bottom + 1;
  }).map((text) => text.textContent),
}))"""

SORTED = """(() => {
  const table = document.querySelectorAll('table.sortable')[%d], head = table.tHead.rows[0].cells[%d];
  const column = () => [...table.tBodies[0].rows].map((row) => row.cells[%d].textContent);
  const found = [column()];
  for (let click = 0; click < 2; click++) {
    head.querySelector('button').click();
    found.push(head.getAttribute('aria-sort'), column());
  }
  return found;
})()"""

# The contrast of each text with what it stands on, by the formula of the Web Content Accessibility Guidelines 2.
CONTRAST = """(() => {
  const light = (colour) => colour.match(/[\\d.]+/g).slice(0, 3).map((part) => part / 255)
    .map((part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)
    .reduce((sum, part, at) => sum + part * [0.2126, 0.7152, 0.0722][at], 0);
  const ground = (node) => {
    const bar = node.closest('g')?.querySelector('rect.part');
    if (bar) return getComputedStyle(bar).fill;
    for (let at = node; at; at = at.parentElement) {
      const colour = getComputedStyle(at).backgroundColor;
      if (!colour.endsWith(', 0)')) return colour;
    }
  };
  const texts = 'h1, h2, h3, p, dt, dd, pre, caption, th button, td, figcaption, li, li b, text';
  return [...document.querySelectorAll(texts)]
    .map((node) => {
      const ink = getComputedStyle(node)[node.tagName === 'text' ? 'fill' : 'color'];
      const [low, high] = [light(ink), light(ground(node))].sort((a, b) => a - b);
      return [(high + 0.05) / (low + 0.05), node.tagName + ' ' + node.textContent.slice(0, 40)];
    }).sort((a, b) => a[0] - b[0])[0];
})()"""


@pytest.fixture(scope="module")
def page() -> str:
    """Return the page of a chain with all stages, of which two scores are made infinite and missing."""
    table = time_lapse_screen(rows=2000, experiments=3)
    window = TemporalEnricher("hours_post_infection", 12)
    chain = [ExperimentSelector(), LeakMixer(0.2), ConditionBalancer(), window, Drawer()]
    found = audit(PipelineSampler(table, chain, 32), table, 30)
    found.table.loc[0, "z"], found.table.loc[1, "z"], found.table.loc[2, "z"] = -math.inf, math.nan, 10.5
    return found.to_html()


def test_charts_are_drawn(page: str) -> None:
    """Each chart has a name, a height and marks of some size, and no text outside its frame."""
    charts = look(page, CHARTS)
    assert [chart["name"].split(" in the ")[0].split(",")[0] for chart in charts] == [
        "Rows of each experiment",
        "Rows of each condition",
        "Mean rows of a batch by experiment",
        "Mean rows of a batch by condition",
        "Values of hours_post_infection",
        "Distinct rows seen against batches drawn",
    ]
    assert all(chart["height"] > 100 and chart["marks"] >= 8 and not chart["outside"] for chart in charts), charts


def test_tables_sort(page: str) -> None:
    """A click on a header sorts by number, another one the other way round; missing scores stay last."""
    before, up, ascending, down, descending = look(page, SORTED % (0, 3, 3))
    assert before == ["-inf", "-", "10.5"]
    assert (up, ascending) == ("ascending", ["-inf", "10.5", "-"])
    assert (down, descending) == ("descending", ["10.5", "-inf", "-"])


def test_numbers_sort_as_numbers(page: str) -> None:
    """Batches sort by their number, not by its text, and there and back are the same rows."""
    before, _, ascending, _, descending = look(page, SORTED % (2, 0, 0))
    assert before == ascending == [str(number) for number in range(30)]
    assert descending == before[::-1]


def test_text_sorts_as_text(page: str) -> None:
    """Labels sort as text does."""
    _, _, ascending, _, descending = look(page, SORTED % (1, 0, 0))
    assert ascending == ["drug", "mock", "virus", "virus+drug"]
    assert descending == ascending[::-1]


def test_headers_are_worked_by_the_keyboard(page: str) -> None:
    """Each header is a button that takes the focus, so a table can be sorted without a mouse."""
    script = (
        "[...document.querySelectorAll('.sortable th')].every((h) => { const b = h.firstElementChild; b.focus(); %s })"
    )
    assert look(page, script % "return document.activeElement === b && b.tagName === 'BUTTON' && h.scope === 'col';")


def test_the_console_is_silent(page: str) -> None:
    """The browser has nothing to say of the page; it does of one whose script fails."""
    assert console(page) == []
    assert any("nothing is not defined" in line for line in console(page.replace('"use strict";', "nothing();")))


def test_nothing_is_fetched(page: str) -> None:
    """The page asks for no other file, and would be refused one."""
    assert look(page, "performance.getEntriesByType('resource').length") == 0
    tried = page.replace("</main>", '<img src="http://localhost:9/x.png"></main>')
    assert any("Content Security Policy" in line for line in console(tried))


@pytest.mark.parametrize("dark", [False, True])
def test_text_is_legible(page: str, dark: bool) -> None:
    """In light and in dark, each text has a contrast of 4.5 to what it stands on, and the two differ."""
    ratio, where = look(page, CONTRAST, dark=dark)
    assert ratio >= 4.5, where
    assert look(page, "matchMedia('(prefers-color-scheme: dark)').matches", dark=dark) is dark


def test_very_long_tables_stay_small() -> None:
    """Thousands of labels of very many rows make a page of less than two megabytes, whose charts are drawn."""
    rows = 1_000_000
    table = pd.DataFrame(
        {
            "plate": [f"PLATE_BR00117{row // 400:04d}_Batch_1" for row in range(rows)],
            "kind": pd.Categorical.from_codes(np.arange(rows) % 7, list("abcdefg")),
        }
    )
    sampler: Any = PipelineSampler(table, [ExperimentSelector("plate"), ConditionBalancer("kind"), Drawer()], 128)
    page = audit(sampler, table, 300, by=["plate", "kind"]).to_html()
    assert len(page.encode()) < 2_000_000
    assert all(not chart["outside"] for chart in look(page, CHARTS))
