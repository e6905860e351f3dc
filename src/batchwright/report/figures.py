"""Figures of an audit, by matplotlib: made without its global state, so nothing is shown or kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from batchwright._checks import import_extra
from batchwright.report.frames import AuditFrames
from batchwright.report.shown import COLOURS, Composition, has_times, largest_labels, short_text

__all__ = ["figures_of"]

_MARK, _ACCENT = COLOURS[0], COLOURS[5]


def figures_of(audit: AuditFrames) -> dict[str, Any]:
    """Return the figures by name."""
    figures = {"composition": _composition(audit), "expected": _expected(audit), "coverage": _coverage(audit)}
    if has_times(audit):
        figures["times"] = _times(audit)
    return figures


def _composition(audit: AuditFrames) -> Any:
    """Draw the first batches as bars, side by side for each column."""
    batches = int(audit.first["batch"].max()) + 1
    figure, all_axes = _panels(len(audit.columns), 1.2 + 0.3 * batches)
    for column, axes in zip(audit.columns, all_axes, strict=True):
        shown = Composition.of(audit, column)
        ends = shown.counts.cumsum(axis=1)
        for colour, counts, end in zip(shown.colours, shown.counts.T, ends.T, strict=True):
            axes.barh(range(batches), counts, left=end - counts, color=colour, edgecolor="white")
        axes.set(xlabel="rows", title=_plain(column), yticks=range(batches))
        axes.invert_yaxis()
        _add_legend(axes, shown.names)
    all_axes[0].set_ylabel("batch")
    return figure


def _add_legend(axes: Any, names: Sequence[str]) -> None:
    """Name all bars, also where a name begins with an underscore, by which matplotlib would leave it out."""
    place = {"loc": "upper center", "bbox_to_anchor": (0.5, -0.2)}
    legend = axes.legend(axes.containers, [""] * len(names), **place, ncols=2, frameon=False, fontsize="small")
    for text, name in zip(legend.get_texts(), names, strict=True):
        text.set_text(_plain(short_text(name)))


def _expected(audit: AuditFrames) -> Any:
    """Draw what was observed as bars, side by side for each column, with marks where it was expected."""
    frames = [largest_labels(audit, column) for column in audit.columns]
    figure, all_axes = _panels(len(frames), 1.5 + 0.3 * max(map(len, frames)))
    for column, frame, axes in zip(audit.columns, frames, all_axes, strict=True):
        places = np.arange(len(frame))
        axes.barh(places, frame["observed"], color=COLOURS[4], label="observed")
        axes.scatter(
            frame["shuffled"], places, facecolor="white", edgecolor="black", marker="D", s=22, label="shuffled"
        )
        if frame["expected"].notna().any():
            axes.scatter(frame["expected"], places, color=_ACCENT, marker="|", s=180, linewidth=2.5, label="expected")
        axes.set(xlabel="mean rows of a batch", title=_plain(column))
        axes.set_yticks(places, [_plain(short_text(label)) for label in frame["label"]])
        axes.invert_yaxis()
    all_axes[-1].legend(frameon=False, fontsize="small")
    return figure


def _coverage(audit: AuditFrames) -> Any:
    figure, (axes,) = _panels(1, 3.5)
    frame = audit.coverage
    axes.plot(frame["batches"], frame["drawn"], color="black", linestyle="--", label="drawn")
    axes.plot(frame["batches"], frame["distinct"], color=_MARK, linewidth=2.5, label="distinct")
    if frame["expected"].notna().any():
        axes.plot(frame["batches"], frame["expected"], color=_ACCENT, linestyle=":", label="expected")
    axes.set(xlabel="batches", ylabel="rows", ylim=(0, None))
    axes.legend(frameon=False)
    return figure


def _times(audit: AuditFrames) -> Any:
    """Draw each row of the first batches at its time, and a bar from the lower to the upper quartile."""
    assert audit.times is not None  # noqa: S101 - asked for where there are times.
    number = int(audit.first["batch"].max()) + 1
    figure, (axes,) = _panels(1, 1.2 + 0.3 * number)
    quartiles = audit.times.head(number).dropna(subset="median")
    # Widths of dates are durations, which some kinds of axis refuse; lines between two points have none.
    ends = quartiles["lower_quartile"], quartiles["upper_quartile"]
    axes.hlines(quartiles["batch"], *ends, color=COLOURS[4], linewidth=11, alpha=0.6)
    axes.scatter(audit.first["time"], audit.first["batch"], color="black", marker="|", s=40, alpha=0.5)
    axes.scatter(quartiles["median"], quartiles["batch"], color=_ACCENT, marker="|", s=160, linewidth=2.5)
    axes.set(xlabel=_plain(audit.order_column), ylabel="batch", yticks=range(number))
    axes.invert_yaxis()
    return figure


def _plain(text: Any) -> str:
    """Return text that matplotlib shows as it is, and not what stands between two dollars as a formula."""
    return str(text).replace("$", r"\$")


def _panels(number: int, height: float) -> tuple[Any, list[Any]]:
    """Return a figure with so many axes side by side."""
    matplotlib = import_extra("matplotlib.figure", "Figures are drawn by matplotlib", "Audit.figures", "plot")
    figure = matplotlib.Figure(figsize=(5.0 * number, height), layout="constrained")
    all_axes = list(figure.subplots(1, number, squeeze=False)[0])
    for axes in all_axes:
        axes.spines[["top", "right"]].set_visible(False)
    return figure, all_axes
