"""The cost of a batch against the number of rows, each line labelled at its end; readable on light and dark ground."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
import pandas as pd
from lines import FLOOR, LATER, LEAKING, PEERS, PLAIN
from matplotlib.figure import Figure

__all__ = ["draw"]

INK = "#808080"
LABELS = {
    LATER[LEAKING].name: ("batchwright", "#d9480f"),
    PLAIN.name: ("torch, plain shuffling", "#3b82c4"),
    PEERS[0].name: ("torch, weighted", "#7a6fd0"),
    PEERS[1].name: ("MPerClassSampler", "#2f9e6e"),
    PEERS[2].name: ("scDataset, balanced", "#b8860b"),
    PEERS[3].name: ("cascade re-told", "#c2559d"),
    FLOOR.name: ("floor in NumPy", INK),
}


def draw(runs: pd.DataFrame, path: Path) -> None:
    """Draw the figure into a file."""
    mpl.rcParams.update({"svg.hashsalt": "cost", "font.size": 10, "text.color": INK})
    medians = runs[runs.topic == "rows"].groupby(["line", "rows"])["batch"].median() * 1e6
    figure = Figure(figsize=(8, 4.6), layout="constrained")
    axes = figure.add_subplot()
    axes.set(xscale="log", yscale="log", xlabel="rows of the table", ylabel="microseconds a batch of 128")
    ends = {}
    for name, (_, colour) in LABELS.items():
        if name in medians.index.get_level_values(0):
            line = medians[name]
            axes.plot(
                line.index, line, color=colour, marker="o", markersize=3, linewidth=2.4 if "later" in name else 1.4
            )
            ends[name] = line.index[-1], line.iloc[-1]
    _label(axes, ends)
    axes.tick_params(colors=INK, which="both")
    axes.xaxis.label.set_color(INK)
    axes.yaxis.label.set_color(INK)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(INK)
    figure.savefig(path, transparent=True, metadata={"Date": None})


def _label(axes: mpl.axes.Axes, ends: dict[str, tuple[float, float]]) -> None:
    """Write the names at the right, from below, no nearer to each other than a line of text is high."""
    low = 0.0
    right = max(rows for rows, _ in ends.values())
    for name, (_, cost) in sorted(ends.items(), key=lambda end: end[1][1]):
        text, colour = LABELS[name]
        low = max(cost, low * 1.65)
        axes.annotate(
            text, (right, low), (8, 0), textcoords="offset points", color=colour, va="center", annotation_clip=False
        )
