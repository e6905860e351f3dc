"""Charts of an audit as inline SVG, whose colours but those of labels come from the style of the page."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from batchwright.report.frames import AuditFrames
from batchwright.report.shown import COLOURS, Composition, largest_labels, short_text, some_points

__all__ = ["composition_chart", "coverage_chart", "expected_chart", "times_chart"]

# Units of the drawing, which the page scales to its width.
_WIDTH, _LEFT, _RIGHT, _LINE = 860, 175, 60, 24
_PLOT = _WIDTH - _LEFT - _RIGHT
# Columns of the coverage, each with the style of its line.
_LINES = {"drawn": "line thin", "distinct": "line", "expected": "line planned"}


def composition_chart(audit: AuditFrames, column: str) -> str:
    """Draw each of the first batches as a bar, divided by label."""
    shown = Composition.of(audit, column)
    legend, top = _legend(shown)
    scale = _PLOT / shown.counts.sum(axis=1).max()
    parts = [legend]
    for number, counts in enumerate(shown.counts.tolist()):
        y, x = top + number * _LINE, float(_LEFT)
        parts.append(_text(_LEFT - 8, y + 15, f"batch {number}", "end"))
        for name, colour, count in zip(shown.names, shown.colours, counts, strict=True):
            if count:
                parts.append(_segment(x, y, count * scale, f"{name}: {count} rows of batch {number}", colour, count))
                x += count * scale
    height = top + len(shown.counts) * _LINE
    return _svg(height, parts, f"Rows of each {column} in the first {len(shown.counts)} batches")


def expected_chart(audit: AuditFrames, column: str) -> str:
    """Draw for each label a bar of what was observed, and marks at what was expected and under plain shuffling."""
    rows = largest_labels(audit, column)
    ticks = _ticks(float(rows[["observed", "expected", "shuffled"]].max().max()))
    scale = _PLOT / ticks[-1]
    height = 66 + len(rows) * _LINE
    parts = [_axis(_LEFT + tick * scale, 54, height, _number(tick)) for tick in ticks]
    signs = {
        "observed": '<rect class="mark" x="0" y="4" width="14" height="10" />',
        "expected": _tick(7, -1),
        "shuffled": _diamond(7, 9),
    }
    parts.append(_key({name: sign for name, sign in signs.items() if rows[name].notna().any()}))
    for y, row in zip(range(60, height, _LINE), rows.to_dict("records"), strict=False):
        values = ", ".join(f"{name} {row[name]:.4g}" for name in ("observed", "expected", "shuffled"))
        parts += [
            f"<g><title>{escape(str(row['label']))}: {values}</title>",
            _text(_LEFT - 8, y + 15, short_text(row["label"]), "end"),
            f'<rect class="mark" x="{_LEFT}" y="{y + 4}" width="{row["observed"] * scale:.1f}" height="14" />',
            _diamond(_LEFT + row["shuffled"] * scale, y + 11),
        ]
        if not math.isnan(row["expected"]):
            parts.append(_tick(_LEFT + row["expected"] * scale, y + 1))
        parts.append("</g>")
    return _svg(height, parts, f"Mean rows of a batch by {column}, observed beside expected")


def coverage_chart(audit: AuditFrames) -> str:
    """Draw how many distinct rows were seen and expected against the batches drawn, beside all rows drawn."""
    points = some_points(audit.coverage)
    high, across = _ticks(float(points["drawn"].max())), _ticks(float(points["batches"].max()))
    top, bottom = 34, 274
    lines = {name: style for name, style in _LINES.items() if points[name].notna().any()}
    xs = _LEFT + points["batches"].to_numpy() * (_PLOT / across[-1])
    parts = [_axis(_LEFT + tick / across[-1] * _PLOT, top, bottom, _number(tick), below=True) for tick in across]
    for tick in high:
        y = bottom - tick / high[-1] * (bottom - top)
        parts += [
            f'<path class="grid" d="M{_LEFT} {y:.1f}H{_LEFT + _PLOT}" />',
            _text(_LEFT - 8, y + 4, _number(tick), "end"),
        ]
    for name, style in lines.items():
        ys = bottom - points[name].to_numpy() / high[-1] * (bottom - top)
        parts.append(f'<path class="{style}" d="M{_path(xs, ys)}" />')
    parts.append(_key({name: f'<path class="{style}" d="M-8 9h22" />' for name, style in lines.items()}))
    parts.append(_text(_LEFT + _PLOT / 2, bottom + 40, "batches", "middle"))
    return _svg(bottom + 48, parts, "Distinct rows seen against batches drawn")


def times_chart(audit: AuditFrames) -> str:
    """Draw for each of the first batches the times of its rows, and a bar from the lower to the upper quartile."""
    assert audit.times is not None  # noqa: S101 - asked for where there are times.
    first = audit.first[["batch", "time"]].dropna()
    dates = first["time"].dtype.kind == "M"
    low, high = _as_number(first["time"].min()), _as_number(first["time"].max())
    span = (high - low) or 1
    number = int(audit.first["batch"].max()) + 1
    height = 34 + number * _LINE
    parts = [
        _axis(_LEFT + quarter / 4 * _PLOT, 28, height, _moment(low, high, quarter, dates=dates)) for quarter in range(5)
    ]
    for batch, row in enumerate(audit.times.head(number).to_dict("records")):
        y = 34 + batch * _LINE
        parts.append(_text(_LEFT - 8, y + 15, f"batch {batch}", "end"))
        if pd.isna(row["median"]):
            continue
        quartiles = (_as_number(row[name]) for name in ("lower_quartile", "median", "upper_quartile"))
        x, middle, end = (_LEFT + _PLOT * ((time - low) / span) for time in quartiles)
        title = f"batch {batch}: half of the rows from {row['lower_quartile']} to {row['upper_quartile']}"
        box = f'<rect class="box" x="{x - 2:.1f}" y="{y + 2}" width="{end - x + 4:.1f}" height="18" />'
        parts += [f"<g><title>{escape(title)}</title>{box}{_tick(middle, y)}</g>"]
        times = map(_as_number, first.loc[first["batch"] == batch, "time"])
        places = np.unique([round(_LEFT + _PLOT * ((time - low) / span)) for time in times])
        parts.append(f'<path class="rows" d="{"".join(f"M{place:.0f} {y + 6}v10" for place in places)}" />')
    return _svg(height, parts, f"Values of {audit.order_column} in the first {number} batches")


def _svg(height: float, parts: Iterable[str], title: str) -> str:
    head = f'<svg viewBox="0 0 {_WIDTH} {height:.0f}" role="img" aria-label="{escape(title, quote=True)}">'
    return f"<figure>{head}{''.join(parts)}</svg><figcaption>{escape(title)}.</figcaption></figure>"


def _text(x: float, y: float, text: str, anchor: str, style: str = "") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{style}>{escape(text)}</text>'


def _axis(x: float, top: float, bottom: float, text: str, *, below: bool = False) -> str:
    label = _text(x, bottom + 18 if below else top - 8, text, "middle")
    return f'<path class="grid" d="M{x:.1f} {top}V{bottom:.0f}" />{label}'


def _segment(x: float, y: float, width: float, title: str, colour: str, count: int) -> str:
    # White is read on the blue only, black on all others.
    ink = "#fff" if colour == COLOURS[0] else "#111"
    inside = _text(x + width / 2, y + 15, str(count), "middle", f' style="fill:{ink}"') if width > 22 else ""
    rect = f'<rect class="part" x="{x:.1f}" y="{y + 1}" width="{width:.1f}" height="{_LINE - 4}" fill="{colour}" />'
    return f"<g><title>{escape(title)}</title>{rect}{inside}</g>"


def _legend(shown: Composition) -> tuple[str, int]:
    """Return the legend, and the height at which it ends."""
    parts, x, y = [], _LEFT, 4
    for name, colour in zip(shown.names, shown.colours, strict=True):
        text = short_text(name)
        width = 36 + 10 * len(text)
        if x + width > _WIDTH and x > _LEFT:
            x, y = _LEFT, y + _LINE
        parts.append(
            f'<rect x="{x}" y="{y}" width="14" height="14" fill="{colour}" />{_text(x + 20, y + 12, text, "start")}'
        )
        x += width
    return "".join(parts), y + _LINE + 4


def _key(signs: Mapping[str, str]) -> str:
    parts = (
        f'<g transform="translate({_LEFT + 90 * place} 4)">{sign}{_text(20, 14, name, "start")}</g>'
        for place, (name, sign) in enumerate(signs.items())
    )
    return "".join(parts)


def _tick(x: float, y: float) -> str:
    return f'<path class="tick" d="M{x:.1f} {y:.1f}v20" />'


def _diamond(x: float, y: float) -> str:
    return f'<path class="plain" d="M{x - 4:.1f} {y}l4 -4l4 4l-4 4z" />'


def _path(xs: NDArray[Any], ys: NDArray[Any]) -> str:
    return "L".join(f"{x:.1f} {y:.1f}" for x, y in zip(xs.tolist(), ys.tolist(), strict=True))


def _ticks(high: float) -> Sequence[float]:
    """Return some four round numbers from 0 up to the first that is not below `high`."""
    step = 10.0 ** math.floor(math.log10(high / 3)) if high > 0 else 1.0
    step = next(step * factor for factor in (1, 2, 5, 10) if high / (step * factor) <= 5)
    return [step * k for k in range(math.ceil(high / step - 1e-9) + 1)]


def _number(value: float) -> str:
    return f"{value:,.0f}" if value == round(value) else f"{value:.4g}"


def _as_number(time: Any) -> Any:
    """Return a number as Python's own, and of a date the nanoseconds since 1970: differences may be too large else."""
    return time.value if isinstance(time, pd.Timestamp) else time.item() if isinstance(time, np.generic) else time


def _moment(low: Any, high: Any, quarter: int, *, dates: bool) -> str:
    """Return the value at so many quarters of the way between two, as text."""
    if dates:
        return f"{pd.Timestamp(low + (high - low) * quarter // 4):%Y-%m-%d %H:%M}"
    return _number(round(low + (high - low) * (quarter / 4), 3))
