"""An audit as one page of HTML: style, script and charts are in it, and nothing is fetched."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from importlib.resources import files
from typing import Any

import attrs
import pandas as pd

from batchwright.report.charts import composition_chart, coverage_chart, expected_chart, times_chart
from batchwright.report.frames import AuditFrames
from batchwright.report.plain import records
from batchwright.report.shown import has_times

__all__ = ["page_of"]

# Rows of a table on the page; a column of plates may have thousands.
_LABELS, _BATCHES = 300, 200

_TEXT = ' class="text"'

# Not even by a mistake is anything fetched.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'"


def page_of(audit: AuditFrames) -> str:
    """Return the page."""
    title = f"Batches of {escape(audit.sampler)}"
    sections = [
        f"<h1>{title}</h1>",
        _facts(audit),
        _explanation(audit),
        _section("The first batches", *(composition_chart(audit, column) for column in audit.columns)),
        _comparisons(audit),
        _times(audit),
        _section("Coverage", _coverage_note(audit), coverage_chart(audit)),
        _batches(audit),
    ]
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title><style>{_read('page.css')}</style></head>\n"
        f"<body><main>{''.join(sections)}</main><script>{_read('page.js')}</script></body></html>\n"
    )


def _facts(audit: AuditFrames) -> str:
    drawn, distinct = (int(audit.coverage[name].iloc[-1]) for name in ("drawn", "distinct"))
    facts = {
        "batches": f"{len(audit.batches):,}",
        "rows of the table": f"{audit.rows:,}",
        "rows drawn": f"{drawn:,}",
        "distinct rows": f"{distinct:,} ({distinct / audit.rows:.1%})",
        "repeats within batches": f"{int(audit.batches['repeats'].sum()):,}",
        "labels that deviate": f"{len(audit.deviating)} of {audit.table['z'].notna().sum()}",
    }
    cells = "".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in facts.items())
    return f'<dl class="facts">{cells}</dl>'


def _explanation(audit: AuditFrames) -> str:
    if audit.explanation is None:
        return ""
    tables = attrs.evolve(audit.explanation, findings=())._repr_html_()
    findings = "".join(
        f'<li class="{finding.severity}"><b>{finding.severity}</b> {escape(finding.text)}</li>'
        for finding in audit.explanation.findings
    )
    listed = f'<ul class="findings">{findings}</ul>' if findings else ""
    return _section("The chain", f'<div class="chain">{tables}</div>', listed)


def _comparisons(audit: AuditFrames) -> str:
    if audit.table["z"].notna().any():
        note = (
            "Mean rows of a batch. The score z says by how many standard errors what was seen differs from what the "
            f"plan expects; among all labels, one beyond ±{audit.limit:.2f} comes by chance in about one audit of a "
            "hundred, and more often where labels are expected in few batches. A diamond marks what plain shuffling "
            "of the table would give."
        )
    else:
        note = (
            "Mean rows of a batch. There is no plan to compare with, or none that could be gone through in a moment. "
            "A diamond marks what plain shuffling of the table would give."
        )
    return _section(
        "Observed and expected", f"<p>{note}</p>", *(_comparison(audit, column) for column in audit.columns)
    )


def _comparison(audit: AuditFrames, column: str) -> str:
    rows = audit.table[audit.table["column"] == column].drop(columns="column")
    beyond = set(rows.index.intersection(audit.deviating.index))
    # The labels that deviate stand first where not all are shown.
    order = sorted(rows.index, key=lambda number: (number not in beyond, number)) if len(rows) > _LABELS else rows.index
    marked = [number in beyond for number in order]
    table = _table(rows.loc[list(order)].rename(columns={"label": column}), f"By {column}", _LABELS, marked)
    return f"<h3>{escape(column)}</h3>{expected_chart(audit, column)}{table}"


def _times(audit: AuditFrames) -> str:
    if not has_times(audit):
        return ""
    note = "<p>A line for each row; the bar reaches from the lower to the upper quartile, with the median marked.</p>"
    return _section("Windows", note, times_chart(audit))


def _coverage_note(audit: AuditFrames) -> str:
    planned = " and how many the plan expects" if audit.coverage["expected"].notna().any() else ""
    return f"<p>How many of the {audit.rows:,} rows were seen at least once{planned}, beside all rows drawn.</p>"


def _batches(audit: AuditFrames) -> str:
    frame = audit.batches
    if audit.times is not None:
        frame = frame.merge(audit.times, on="batch")
    return _section("Batch by batch", _table(frame, "What each batch holds", _BATCHES))


def _section(title: str, *parts: str) -> str:
    return f"<section><h2>{title}</h2>{''.join(parts)}</section>"


def _table(frame: pd.DataFrame, caption: str, most: int, marked: Iterable[bool] = ()) -> str:
    cut = f", the first {most:,} of {len(frame):,}" if len(frame) > most else ""
    shown = frame.head(most)
    numeric = {name: pd.api.types.is_numeric_dtype(frame[name]) for name in frame}
    heads = "".join(
        f'<th scope="col"{"" if numeric[name] else _TEXT}><button type="button">{escape(str(name))}</button></th>'
        for name in frame
    )
    marks = [*list(marked)[:most], *[False] * len(shown)]
    rows = []
    for row, mark in zip(records(shown), marks, strict=False):
        cells = "".join(_cell(value, numeric=numeric[name]) for name, value in row.items())
        rows.append(f"<tr{' class=beyond' if mark else ''}>{cells}</tr>")
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(caption, quote=True)}">'
        f'<table class="sortable"><caption>{escape(caption + cut)}</caption>'
        f"<thead><tr>{heads}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
    )


def _cell(value: Any, *, numeric: bool) -> str:
    if value is None:
        return "<td>-</td>"
    if not numeric:
        return f"<td{_TEXT}>{escape(str(value))}</td>"
    number = float(value)
    text = f"{number:,.0f}" if number.is_integer() else f"{number:.4g}"
    return f'<td data-value="{value}">{text}</td>'


def _read(name: str) -> str:
    return (files("batchwright.report") / name).read_text(encoding="utf-8")
