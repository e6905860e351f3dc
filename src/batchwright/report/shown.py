"""What charts show of an audit, whoever draws them: which labels, in which colours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from batchwright.report.frames import AuditFrames

__all__ = ["COLOURS", "Composition", "has_times", "largest_labels", "short_text", "some_points"]

# Okabe and Ito's palette, which readers of all kinds of colour vision tell apart; the last is for what is left over.
COLOURS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#f0e442", "#8a8a8a")
_LEFT_OVER = "others"
_POINTS = 200
# As many characters as find room beside a chart.
_WIDEST_TEXT = 18


@attrs.frozen(eq=False)
class Composition:
    """The rows of each label in the first batches.

    Parameters
    ----------
    names
        The labels as text, at most as many as there are colours; the last may be the sum of all others.
    colours
        The colour of each.
    counts
        int64, shape (batches, names).
    """

    names: Sequence[str]
    colours: Sequence[str]
    counts: NDArray[np.int64]

    @classmethod
    def of(cls, audit: AuditFrames, column: str) -> Composition:
        """Count the labels of a column in the first batches; the most frequent ones are shown."""
        labels, counts = _counts_of(audit, column)
        largest = np.argsort(-counts.sum(axis=0), kind="stable")[: len(COLOURS) - 1]
        named = np.sort(largest[counts[:, largest].any(axis=0)])
        names, colours = [str(labels[number]) for number in named.tolist()], list(COLOURS[: named.size])
        left_over = counts.sum(axis=1) - counts[:, named].sum(axis=1)
        if not left_over.any():
            return cls(names, colours, counts[:, named])
        return cls([*names, _LEFT_OVER], [*colours, COLOURS[-1]], np.column_stack([counts[:, named], left_over]))


def _counts_of(audit: AuditFrames, column: str) -> tuple[list[Any], NDArray[np.int64]]:
    """Return the labels of a column, and how many rows of each the first batches hold."""
    labels = audit.table.loc[audit.table["column"] == column, "label"].tolist()
    # By a dict, since pandas takes labels such as truth values and tuples for masks and levels.
    places = {label: place for place, label in enumerate(labels)}
    batches = audit.first["batch"].to_numpy()
    counts = np.zeros((batches[-1] + 1, len(labels)), dtype=np.int64)
    held = np.array([places[label] for label in audit.first[f"label of {column}"]])
    np.add.at(counts, (batches, held), 1)
    return labels, counts


def has_times(audit: AuditFrames) -> bool:
    """Return whether the first batches, which are the ones that are drawn, have any times."""
    return audit.times is not None and bool(audit.first["time"].notna().any())


def largest_labels(audit: AuditFrames, column: str, most: int = 24) -> pd.DataFrame:
    """Return the rows of `audit.table` of a column, cut to its largest labels, in the order of the table."""
    rows = audit.table[audit.table["column"] == column]
    largest = rows[["observed", "expected"]].max(axis=1).sort_values(ascending=False, kind="stable").index[:most]
    return rows.loc[sorted(largest)]


def some_points(frame: pd.DataFrame) -> pd.DataFrame:
    """Return so many rows of a frame, evenly spaced, that a line through them looks the same."""
    return frame.iloc[np.unique(np.linspace(0, len(frame) - 1, min(_POINTS, len(frame))).round().astype(int))]


def short_text(label: Any) -> str:
    """Return a label as text that is cut where it is long."""
    text = str(label)
    return text if len(text) <= _WIDEST_TEXT else f"{text[: _WIDEST_TEXT - 1]}…"
