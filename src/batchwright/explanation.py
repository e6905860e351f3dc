"""`Explanation`: a chain over a table stage by stage, like a database's plan of a query."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from html import escape
from typing import Any

import attrs
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from batchwright.finding import Finding
from batchwright.preflight import findings
from batchwright.stack import DraftStack
from batchwright.survey import Level, Survey

__all__ = ["Explanation"]

# A column of many labels shows those that come most often, and those that come least.
_MOST, _LEAST = 8, 4

Integers = NDArray[np.int64]
# A head and lines, all equally long.
Table = list[tuple[str, ...]]


@attrs.frozen(eq=False, repr=False)
class Explanation:
    """What a chain does to a table, stage by stage, and what its batches will hold; `Plan.explain` makes it.

    ``str()`` is text in columns, and a notebook shows tables. All numbers are exact. Where a chain has more
    situations than are looked at, it says so, and leaves out what only all of them would tell.

    Parameters
    ----------
    survey
        The chain as it was gone through.
    findings
        What is notable, errors first.
    expected_rows
        For each key column of the index the expected rows of a batch by label: None where that would take more
        situations than are looked at.

    Examples
    --------
    >>> from batchwright import Drawer, ExperimentSelector, MetadataIndex, Pipeline, Plan
    >>> index = MetadataIndex.from_table({"donor": ["a", "a", "a", "b", "b"]}, by="donor")
    >>> print(Plan(Pipeline([ExperimentSelector(by="donor"), Drawer()]), index, batch_size=2).explain())
    Batches of 2 rows out of 5, in 2 cells of donor
    <BLANKLINE>
    stage                                           situations  shares  rows  of a pool of
    1 ExperimentSelector(by='donor', weights=None)           2       1     2        2 to 3
    2 Drawer()                                                       1     2        2 to 3
    <BLANKLINE>
    donor  rows of a batch  rows kept
    a                  1.2          3
    b                  0.8          2
    <BLANKLINE>
    the table
    rows that repeat in a batch               0
    rows in no batch                          0
    as varied as so many rows, all alike      5
    """

    survey: Survey
    findings: tuple[Finding, ...]
    expected_rows: dict[str, pd.Series[float] | None]

    @classmethod
    def of(cls, survey: Survey) -> Explanation:
        """Explain a chain that was gone through."""
        columns = survey.start.index.columns
        return cls(survey, findings(survey), {column: survey.expected_rows(column) for column in columns})

    def to_dict(self) -> dict[str, Any]:
        """Return all of it as plain values, for JSON: labels as text, what is not known as None."""
        survey, expectation = self.survey, self.survey.expectation
        return {
            "chain": survey.pipeline.fingerprint,
            "batch_size": survey.start.batch_size,
            "rows": survey.start.index.size,
            "rows_kept": survey.leaves.universe.size,
            "whole": survey.whole,
            "stages": [_level_as_dict(level) for level in survey.levels],
            "drawer": repr(survey.pipeline.drawer),
            "expected_rows": {
                column: None if rows is None else {str(label): value for label, value in rows.items()}
                for column, rows in self.expected_rows.items()
            },
            "repeats": None if expectation is None else expectation.repeats,
            "rows_unreached": None if expectation is None else expectation.unreached.size,
            "effective_rows": None if expectation is None else expectation.effective_rows,
            "findings": [attrs.asdict(finding) for finding in self.findings],
        }

    def __str__(self) -> str:
        parts = [self._head(), *(_as_text(table) for table in self._tables()), *map(str, self.findings)]
        return "\n\n".join(parts)

    def __repr__(self) -> str:
        return f"Explanation({self._head()}; {len(self.findings)} findings)"

    def _repr_html_(self) -> str:
        # No colours of its own, so that it is as readable in the light as in the dark.
        listed = "".join(f"<li><b>{finding.severity}</b>: {escape(finding.text)}</li>" for finding in self.findings)
        tables = "".join(_as_html(table) for table in self._tables())
        return f"<div><p>{escape(self._head())}</p>{tables}<ul>{listed}</ul></div>"

    def _head(self) -> str:
        """Say what the chain stands upon."""
        index, kept = self.survey.start.index, self.survey.leaves.universe.size
        filtered = f"{kept} that the filters keep of {index.size}" if kept < index.size else f"{index.size}"
        cells = f", in {len(index.cells)} cells of {', '.join(index.columns)}" if index.columns else ""
        order = "" if index.timeline is None else f", in the order of {index.timeline.column}"
        return f"Batches of {self.survey.start.batch_size} rows out of {filtered}{cells}{order}"

    def _tables(self) -> Iterator[Table]:
        yield self._stages()
        for column, rows in self.expected_rows.items():
            missing: Table = [(column, "rows of a batch"), ("too many to go through here", "see Plan.expected_rows")]
            yield missing if rows is None else self._labels(column, rows)
        expectation = self.survey.expectation
        if expectation is not None:
            yield [
                ("the table", ""),
                ("rows that repeat in a batch", _number(expectation.repeats)),
                ("rows in no batch", str(expectation.unreached.size)),
                ("as varied as so many rows, all alike", _number(expectation.effective_rows)),
            ]

    def _stages(self) -> Table:
        lines = [("stage", "situations", "shares", "rows", "of a pool of")]
        levels = self.survey.levels
        for number, level in enumerate(levels):
            lines.append((f"{number + 1} {level.stage!r}", _situations(level), *_shares(level.after)))
        drawer = f"{len(levels) + 1} {self.survey.pipeline.drawer!r}"
        return [*lines, (drawer, "", *_shares(self.survey.leaves))]

    def _labels(self, column: str, rows: pd.Series[float]) -> Table:
        """Return the labels that come most often, and the ones that come least, beside the table."""
        groups = self.survey.start.index.groups(self.survey.leaves.universe, column)
        sizes: dict[Hashable, int] = dict(zip(groups.labels, groups.sizes.tolist(), strict=True))
        order = np.arange(rows.size)
        if rows.size > _MOST + _LEAST:
            order = np.argsort(-rows.to_numpy(), kind="stable")
            order = np.concatenate([order[:_MOST], order[-_LEAST:]])
        lines = [(str(rows.index[k]), _number(rows.iloc[k]), str(sizes.get(rows.index[k], 0))) for k in order.tolist()]
        if order.size < rows.size:
            lines.insert(_MOST, (f"... {rows.size - order.size} more", "", ""))
        return [(column, "rows of a batch", "rows kept"), *lines]


def _level_as_dict(level: Level) -> dict[str, Any]:
    return {
        "stage": repr(level.stage),
        "situations": level.situations if level.counted else None,
        "seen": len(level.after),
        "shares": _ends(np.diff(level.after.bounds)),
        "quotas": _ends(level.after.quotas),
        "pools": _ends(level.after.pools.sizes),
    }


def _situations(level: Level) -> str:
    if level.whole:
        return str(level.situations)
    return f"{'' if level.counted else 'over '}{level.situations}, {len(level.after)} seen"


def _shares(stack: DraftStack) -> tuple[str, str, str]:
    """Return how many shares drafts have, of how many rows each, out of pools of which size."""
    counts = (_ends(values) for values in (np.diff(stack.bounds), stack.quotas, stack.pools.sizes))
    shares, rows, pools = (f"{low}" if low == high else f"{low} to {high}" for low, high in counts)
    return shares, rows, pools


def _ends(values: Integers) -> list[int]:
    return [int(values.min()), int(values.max())]


def _number(value: float) -> str:
    return f"{value:.4g}" if value < 1000 else f"{value:.0f}"


def _as_text(table: Table) -> str:
    """Return lines in columns, the first of them to the left, all others to the right."""
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    lines = []
    for first, *others in table:
        right = (cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True))
        lines.append("  ".join([first.ljust(widths[0]), *right]).rstrip())
    return "\n".join(lines)


def _as_html(table: Table) -> str:
    def line(cells: tuple[str, ...], kind: str) -> str:
        return "<tr>" + "".join(f"<{kind}>{escape(cell)}</{kind}>" for cell in cells) + "</tr>"

    return f"<table>{line(table[0], 'th')}{''.join(line(cells, 'td') for cells in table[1:])}</table>"
