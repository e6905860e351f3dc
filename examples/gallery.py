"""Draw the pictures of docs/gallery.md from the code on that page.

    python examples/gallery.py

Each section of the page builds a `sampler`; its first batches are drawn, one column a batch, one square a row, coloured
by experiment, by condition and by time.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

PAGE = Path(__file__).parents[1] / "docs" / "gallery.md"
SECTION = re.compile(r"^## (?P<title>.+?)$(?P<body>.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BATCHES = 24
# Okabe and Ito's colours, which colour-blind readers can tell apart.
COLORS = ["#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00"]


def main() -> None:
    """Draw one picture for each section."""
    names: dict[str, Any] = {}
    text = PAGE.read_text()
    run(text[: SECTION.search(text).start()], names)
    folder = PAGE.with_suffix("")
    folder.mkdir(exist_ok=True)
    for section in SECTION.finditer(text):
        run(section["body"], names)
        figure = draw(names["table"], [names["sampler"].batch(step, epoch=0) for step in range(BATCHES)])
        path = folder / f"{file_name(section['title'])}.png"
        figure.savefig(path, dpi=120)
        print(path.relative_to(PAGE.parent))


def run(text: str, names: dict[str, Any]) -> None:
    """Run the blocks of Python in a part of the page."""
    for block in BLOCK.findall(text):
        exec(compile(block, PAGE.name, "exec"), names)  # noqa: S102 - our own page.


def file_name(title: str) -> str:
    """Return a heading as the name of a file."""
    return re.sub(r"\W+", "-", title.lower())


def draw(table: pd.DataFrame, batches: list[list[int]]) -> Figure:
    """Draw what batches hold, by experiment, condition and time."""
    figure = Figure(figsize=(9, 2.6), layout="constrained")
    by_experiment, by_condition, by_time = figure.subplots(1, 3)
    rows = [table.iloc[batch] for batch in batches]
    draw_labels(by_experiment, [part["experiment"] for part in rows], sorted(table["experiment"].unique()))
    draw_labels(by_condition, [part["condition"] for part in rows], sorted(table["condition"].unique()))
    draw_times(by_time, [part["hours_post_infection"] for part in rows])
    return figure


def draw_labels(axes: Axes, columns: list[pd.Series], labels: list[str]) -> None:
    """Draw the labels of each batch, sorted, as a column of squares."""
    numbers = np.array([np.sort(pd.Categorical(column, labels).codes) for column in columns])
    axes.imshow(np.array([mpl.colors.to_rgb(color) for color in COLORS])[numbers.T], aspect="auto", origin="lower")
    axes.set(title=columns[0].name, xlabel="batch", yticks=[])
    keys = [Patch(color=color, label=label) for label, color in zip(labels, COLORS, strict=False)]
    axes.legend(handles=keys, fontsize=6, loc="center left", bbox_to_anchor=(1, 0.5), frameon=False, handlelength=1)


def draw_times(axes: Axes, columns: list[pd.Series]) -> None:
    """Draw the times of each batch as points."""
    for number, column in enumerate(columns):
        axes.scatter(np.full(len(column), number), column, s=3, color=COLORS[0], alpha=0.4, linewidths=0)
    axes.set(title="hours post infection", xlabel="batch", ylim=(-1, 49))


if __name__ == "__main__":
    main()
