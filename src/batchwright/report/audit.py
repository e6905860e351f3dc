"""`audit`: what the batches of a sampler really hold, beside what was expected."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from batchwright._checks import check_integer, some_of
from batchwright.columns import as_columns
from batchwright.errors import SettingError, TableError
from batchwright.plan import Plan
from batchwright.report.columns import LabelColumn, count_rows, read_labels, read_times
from batchwright.report.distinct import expected_distinct
from batchwright.report.drawn import DrawnBatches, plan_of
from batchwright.report.figures import figures_of
from batchwright.report.frames import AuditFrames
from batchwright.report.moments import Moments
from batchwright.report.page import page_of
from batchwright.report.tally import Tally
from batchwright.survey import Survey

__all__ = ["Audit", "audit"]

# So many batches are kept in detail.
_FIRST = 12

_QUARTERS = {"least": 0.0, "lower_quartile": 0.25, "median": 0.5, "upper_quartile": 0.75, "most": 1.0}


@attrs.frozen(eq=False, repr=False)
class Audit(AuditFrames):
    """What some batches held, beside what was expected: a value, made by `audit`.

    Its attributes are those of `AuditFrames`: the frames ``table``, ``batches``, ``coverage``, ``times`` and ``first``,
    besides ``sampler``, ``rows``, ``columns``, ``order_column`` and ``explanation``.
    """

    def __repr__(self) -> str:
        drawn, distinct = (self.coverage[name].iloc[-1] for name in ("drawn", "distinct"))
        return (
            f"Audit({self.sampler}: {len(self.batches)} batches, {drawn} rows drawn, "
            f"{distinct} distinct, {len(self.deviating)} of {len(self.table)} labels deviate)"
        )

    def to_json(self, path: str | os.PathLike[str] | None = None) -> str:
        """Return the audit as JSON, and write it into a file if one is named."""
        return _write(json.dumps(self.to_dict(), allow_nan=False), path)

    def to_html(self, path: str | os.PathLike[str] | None = None) -> str:
        """Return the audit as one page of HTML that needs nothing else, and write it into a file if one is named.

        Long tables are cut to their first rows, and say so; `table` and `batches` have all.
        """
        return _write(page_of(self), path)

    def figures(self) -> dict[str, Any]:
        """Return matplotlib figures: ``composition``, ``expected``, ``coverage``, and ``times`` with an ordered column.

        Raises
        ------
        SettingError
            If matplotlib is missing; the extra ``plot`` installs it.
        """
        return figures_of(self)


def audit(
    sampler: Any,
    table: Any,
    n_batches: int = 1000,
    by: str | Iterable[str] | None = None,
    progress: bool = False,
) -> Audit:
    """Look at the batches of any sampler, and compare what they hold with what was expected.

    A sampler of this library is looked at from the start of its epoch, over all ranks, and is not moved. The
    expectation comes from its plan. Batches of a plan are independent, so the standard error of a mean is
    ``sqrt(variance / n_batches)``. The variance is exact, by the plan, where a chain ends with a `Drawer` and the
    shares of all situations that matter reach over at most 2**24 groups together; otherwise it is that of the batches
    at hand.

    Parameters
    ----------
    sampler
        A sampler of batches of any library, or any iterable of lists of row numbers.
    table
        The table that it draws from: a pandas, polars or pyarrow table, a dict of arrays, or a `MetadataIndex`.
    n_batches
        How many batches to look at. Of a sampler of this library epochs follow each other; of any other one pass is
        taken, which may end sooner.
    by
        The columns of labels to report; by default the key columns of the sampler's chain.
    progress
        Whether to show a bar, which takes tqdm.

    Raises
    ------
    SettingError, SettingTypeError
        If there are no batches, or batches are no lists of rows of the table; if no column is named and the sampler
        has no chain; if a bar cannot be shown.
    TableError
        If a column cannot be read, or the table is not that of the sampler.

    Examples
    --------
    >>> from batchwright import Drawer, ExperimentSelector, PipelineSampler
    >>> table = {"donor": ["a"] * 6 + ["b"] * 2}
    >>> sampler = PipelineSampler(table, [ExperimentSelector(by="donor"), Drawer()], batch_size=2, seed=1)
    >>> found = audit(sampler, table, n_batches=400)
    >>> found.table.round(2)
      column label  observed  expected     z  shuffled
    0  donor     a      1.44       1.5 -1.5       1.5
    1  donor     b      0.56       0.5  1.5       0.5
    >>> found.coverage.iloc[[0, 9, 399]].round(2)
         batches  drawn  distinct  expected
    0          1      2         2      2.00
    9         10     20         7      7.55
    399      400    800         8      8.00

    Any other source of batches will do; there is no expectation then.

    >>> audit([[0, 1], [6, 6]], table, by="donor").batches
       batch  rows  repeats  labels of donor
    0      0     2        0                1
    1      1     2        1                1
    """
    check_integer(n_batches, "n_batches", "audit", 1, "Pass the number of batches to look at.")
    plan, total = plan_of(sampler), count_rows(table)
    if not total:
        msg = "A table must have rows to be drawn; it has 0 (audit). Pass the table that the sampler was made for."
        raise TableError(msg)
    columns = [read_labels(table, name) for name in _columns(sampler, plan, by)]
    if plan is not None:
        _require_table(plan, total, columns)
    drawn = DrawnBatches.take(sampler, n_batches, total, progress=progress)
    tallies = [Tally.of(column.codes[drawn.rows], drawn.owners, drawn.sizes, len(column.labels)) for column in columns]
    order_column = plan.pipeline.order_column if plan is not None else None
    times = read_times(table, order_column)[drawn.rows] if order_column is not None else None
    explanation = None if plan is None else plan.explain()
    surveys = {} if explanation is None else _surveys(explanation.survey, drawn.sizes)
    expected = expected_distinct(surveys, drawn.sizes) if surveys else np.nan
    return Audit(
        type(sampler).__name__,
        total,
        tuple(column.name for column in columns),
        order_column,
        _compare(columns, tallies, surveys),
        _batches(drawn, columns, tallies),
        drawn.coverage().assign(expected=expected),
        None if times is None else _quarters(drawn, times),
        _first(drawn, columns, times),
        explanation,
    )


def _columns(sampler: Any, plan: Plan | None, by: str | Iterable[str] | None) -> tuple[str, ...]:
    names = () if plan is None else plan.pipeline.key_columns
    names = names if by is None else tuple(dict.fromkeys(as_columns(by)))
    if not names:
        msg = (
            f"An audit must report some column; {type(sampler).__name__} has a chain that names 0 (audit). "
            "Pass the columns of labels as `by`."
        )
        raise SettingError(msg)
    return names


def _require_table(plan: Plan, total: int, columns: Sequence[LabelColumn]) -> None:
    """Raise if the table is seen to be another than that of the plan: by its length, or the label of a row."""
    index = plan.index
    if total != index.size:
        msg = (
            f"The table must be that of the sampler, which has {index.size} rows; got {total} rows (audit). "
            "Pass the table that the sampler was made for."
        )
        raise TableError(msg)
    for column in columns:
        if column.name not in index.columns:
            continue
        own = read_labels(index, column.name)
        if own.labels != column.labels or (own.codes != column.codes).any():
            msg = (
                f"The table must be that of the sampler, row by row; {column.name!r} has other rows of its "
                f"{len(column.labels)} labels, {some_of(column.labels)} (audit). "
                "Pass the table that the sampler was made for."
            )
            raise TableError(msg)


def _surveys(survey: Survey, sizes: NDArray[np.int64]) -> dict[int, Survey]:
    """Return the survey of the plan for each size of a batch, of which one is made."""
    usual, pipeline, index = survey.start.batch_size, survey.pipeline, survey.start.index
    return {
        size: survey if size == usual else Plan(pipeline, index, size).survey() for size in np.unique(sizes).tolist()
    }


def _compare(columns: Sequence[LabelColumn], tallies: Sequence[Tally], surveys: Mapping[int, Survey]) -> pd.DataFrame:
    names = [column.name for column in columns]
    moments = {size: Moments.of(survey, names) for size, survey in surveys.items()}
    frames = []
    for column, tally in zip(columns, tallies, strict=True):
        here = {size: found[column.name] for size, found in moments.items() if column.name in found}
        frames.append(_compare_column(column, tally, here if here and len(here) == len(surveys) else None))
    return pd.concat(frames, ignore_index=True)


def _compare_column(column: LabelColumn, tally: Tally, moments: Mapping[int, Moments] | None) -> pd.DataFrame:
    missing = np.full(len(column.labels), np.nan)
    return pd.DataFrame(
        {
            "column": column.name,
            "label": pd.Series(list(column.labels), dtype=object),
            "observed": tally.totals / tally.sizes.size,
            "expected": missing if moments is None else tally.expected(moments),
            "z": missing if moments is None else tally.z_scores(moments),
            "shuffled": tally.sizes.mean() * column.sizes / column.codes.size,
        }
    )


def _batches(drawn: DrawnBatches, columns: Sequence[LabelColumn], tallies: Sequence[Tally]) -> pd.DataFrame:
    held = {f"labels of {c.name}": tally.labels_held for c, tally in zip(columns, tallies, strict=True)}
    return pd.DataFrame({"batch": range(len(drawn)), "rows": drawn.sizes, "repeats": drawn.repeats(), **held})


def _quarters(drawn: DrawnBatches, times: NDArray[Any]) -> pd.DataFrame:
    """Return the quartiles of each batch, missing values aside; of none where all are missing."""
    parts = np.split(times, drawn.sizes.cumsum()[:-1])
    series = (pd.Series(part).dropna() for part in parts)
    # The value below, so that it is one that occurs, also of dates.
    found = [part.quantile(list(_QUARTERS.values()), interpolation="lower").to_numpy() for part in series]
    frame = pd.DataFrame(np.stack(found), columns=list(_QUARTERS))
    frame.insert(0, "batch", range(len(drawn)))
    return frame


def _first(drawn: DrawnBatches, columns: Sequence[LabelColumn], times: NDArray[Any] | None) -> pd.DataFrame:
    rows = drawn.rows[: drawn.sizes[:_FIRST].sum()]
    frame = pd.DataFrame({"batch": drawn.owners[: rows.size], "row": rows})
    for column in columns:
        frame[f"label of {column.name}"] = pd.Series(
            [column.labels[code] for code in column.codes[rows].tolist()], dtype=object
        )
    if times is not None:
        frame["time"] = times[: rows.size]
    return frame


def _write(text: str, path: str | os.PathLike[str] | None) -> str:
    if path is not None:
        Path(path).write_text(text, encoding="utf-8")
    return text
