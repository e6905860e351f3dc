"""`AuditFrames`: what an audit has found, as frames and plain values."""

from __future__ import annotations

from statistics import NormalDist
from typing import Any

import attrs
import pandas as pd

from batchwright.explanation import Explanation
from batchwright.report.plain import records

__all__ = ["AuditFrames"]

# A sampler that does what its plan says has some score beyond the limit in one audit of so many.
_ONE_IN = 100


@attrs.frozen(eq=False, repr=False)
class AuditFrames:
    """What some batches held, beside what was expected.

    Parameters
    ----------
    sampler
        Name of the class of the sampler.
    rows
        Rows of the table.
    columns
        The columns of labels that are reported.
    order_column
        The ordered column that is reported; None without one.
    table
        One row a label, in columns ``column``, ``label``, ``observed`` (mean rows of a batch), ``expected`` (by the
        plan; NaN where there is none, or too many of its situations matter), ``z`` (how many standard errors lie
        between them; NaN as well), and ``shuffled`` (mean rows under plain shuffling of the table).
    batches
        One row a batch: ``batch``, ``rows``, ``repeats`` (rows that stand in the batch already), and for each column
        of labels how many labels the batch holds, under the name ``labels of <column>``.
    coverage
        One row a batch: ``batches`` so far, rows ``drawn`` so far, how many of them are ``distinct``, and how many are
        ``expected`` to be (by the plan; NaN where there is none, or it has more situations than are looked at).
    times
        One row a batch: ``batch``, and ``least``, ``lower_quartile``, ``median``, ``upper_quartile`` and ``most`` of
        the ordered column, which are values that occur in the batch, and UTC where they have a zone; None without an
        ordered column.
    first
        The first 12 batches in detail: ``batch``, ``row`` of the table, for each column of labels its label, under the
        name ``label of <column>``, and ``time``, the value of the ordered column, if there is one.
    explanation
        What the plan says of itself, with its findings; None where there is no plan.
    """

    sampler: str
    rows: int
    columns: tuple[str, ...]
    order_column: str | None
    table: pd.DataFrame
    batches: pd.DataFrame
    coverage: pd.DataFrame
    times: pd.DataFrame | None
    first: pd.DataFrame
    explanation: Explanation | None = None

    @property
    def limit(self) -> float:
        """The score that the largest of all, in absolute value, exceeds by chance in about one audit of a hundred.

        By Bonferroni's inequality over all labels, and the normal approximation: where labels are expected in few of
        the batches, it is exceeded more often.
        """
        compared = max(1, int(self.table["z"].notna().sum()))
        return NormalDist().inv_cdf(1 - 1 / (2 * _ONE_IN * compared))

    @property
    def deviating(self) -> pd.DataFrame:
        """The rows of `table` whose score lies beyond the limit, the worst first."""
        beyond = self.table[self.table["z"].abs() > self.limit]
        return beyond.sort_values("z", key=abs, ascending=False, kind="stable")

    def to_dict(self) -> dict[str, Any]:
        """Return all of it as plain values for JSON: frames as lists of records.

        Missing numbers are None, infinite scores the texts ``"inf"`` and ``"-inf"``, dates and other labels text.
        """
        frames = {name: getattr(self, name) for name in ("table", "batches", "coverage", "times", "first")}
        return {
            "sampler": self.sampler,
            "rows": self.rows,
            "columns": list(self.columns),
            "order_column": self.order_column,
            "limit": self.limit,
            **{name: None if frame is None else records(frame) for name, frame in frames.items()},
            "explanation": None if self.explanation is None else self.explanation.to_dict(),
        }
