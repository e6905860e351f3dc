"""`Expectation`: what a chain does to each row of a table, in exact numbers."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping

import attrs
import numpy as np
from numpy.typing import NDArray

from batchwright._checks import check_weights, some_of
from batchwright.columns import as_columns
from batchwright.errors import SettingError
from batchwright.pool import Pool
from batchwright.rowvalues import RowValues
from batchwright.stages.base import check_labels

__all__ = ["Expectation"]

Floats = NDArray[np.float64]

_WHO = "Expectation.importance_weights"


@attrs.frozen(eq=False, repr=False)
class Expectation:
    """What a chain does to each row of a table, in exact numbers: sums over the leaves of its probability tree.

    `Plan.expectation` makes it. Rows that are alike are kept as one range, so it costs O(ranges) to keep and to
    work with, and O(rows) only where a vector is asked for by `RowValues.to_rows`.

    Parameters
    ----------
    batch_size
        Rows of a batch.
    universe
        The rows that the filters of the chain keep.
    visits
        How often each row stands in a batch on average; sums to the batch size. Times the number of batches, that is
        how often it is seen.
    inclusion
        The probability that a batch holds the row, once or more often.

    Examples
    --------
    >>> from batchwright import Drawer, ExperimentSelector, MetadataIndex, Pipeline, Plan
    >>> index = MetadataIndex.from_table({"donor": ["a", "a", "a", "b"]}, by="donor")
    >>> plan = Plan(Pipeline([ExperimentSelector(by="donor", weights={"a": 1, "b": 1}), Drawer()]), index, batch_size=2)
    >>> expectation = plan.expectation()
    >>> expectation.visits.to_rows().round(3)
    array([0.333, 0.333, 0.333, 1.   ])
    >>> expectation.inclusion.to_rows().round(3)
    array([0.333, 0.333, 0.333, 0.5  ])
    >>> expectation.repeats
    0.5
    """

    batch_size: int
    universe: Pool
    visits: RowValues
    inclusion: RowValues

    @property
    def repeats(self) -> float:
        """The expected number of rows of a batch that stand in it already."""
        return self.visits.total() - self.inclusion.total()

    @property
    def unreached(self) -> Pool:
        """The rows that the filters keep and no batch holds."""
        none = self.visits.per_row == 0
        bounds = self.visits.bounds
        return Pool.of(bounds[:-1][none], bounds[1:][none], self.universe.total) & self.universe

    @property
    def fraction_unreached(self) -> float:
        """Part of the rows that the filters keep which no batch holds, in [0, 1]."""
        return self.unreached.size / self.universe.size

    @property
    def effective_rows(self) -> float:
        """Kish's effective sample size of the table: so many rows, all seen alike, would be as varied as what is seen.

        With visits v it is ``sum(v) ** 2 / sum(v ** 2)`` (Kish, "Survey Sampling", 1965).
        """
        return self.visits.total() ** 2 / self.visits.map(np.square).total()

    def effective_batch_size(self, weights: RowValues) -> float:
        """Return Kish's effective sample size of a batch whose rows are weighted: the batch size if all weigh alike.

        A weighted mean over a batch varies about as much as a plain one over so many rows of the distribution that the
        weights aim at: with visits v it is ``sum(v w) ** 2 / sum(v w ** 2)``.
        """
        visits, weights = self.visits.cut(weights.bounds), weights.cut(self.visits.bounds)
        seen = visits.rows * visits.per_row
        return float((seen @ weights.per_row) ** 2 / (seen @ weights.per_row**2))

    def importance_weights(
        self, target: Mapping[Hashable, float] | None = None, by: str | Iterable[str] = ()
    ) -> RowValues:
        """Return the weight of each row with which the mean loss of a batch has no bias.

        The mean of ``weight * loss`` over the rows of a batch is then, on average over all batches, the mean of the
        loss over all rows that the filters keep, or over a target distribution. Rows outside weigh 0.

        Parameters
        ----------
        target
            Relative weight of each label of `by` in the target, every label named; the rows of a label are alike. By
            default all rows that the filters keep are.
        by
            Column, or columns, whose labels the target weighs.

        Raises
        ------
        SettingError, SettingTypeError
            If the target does not fit the labels, or no batch holds some rows of the target: no weight makes up for
            these.

        Examples
        --------
        >>> from batchwright import Drawer, ExperimentSelector, MetadataIndex, Pipeline, Plan
        >>> index = MetadataIndex.from_table({"donor": ["a", "a", "a", "b"]}, by="donor")
        >>> equal = ExperimentSelector(by="donor", weights={"a": 1, "b": 1})
        >>> expectation = Plan(Pipeline([equal, Drawer()]), index, batch_size=2).expectation()
        >>> expectation.importance_weights().to_rows()
        array([1.5, 1.5, 1.5, 0.5])
        >>> expectation.importance_weights(target={"a": 1, "b": 3}, by="donor").to_rows()
        array([0.5, 0.5, 0.5, 1.5])
        """
        wanted = self._target(target, as_columns(by))
        visits, wanted = self.visits.cut(wanted.bounds), wanted.cut(self.visits.bounds)
        missed = int(wanted.rows[(wanted.per_row > 0) & (visits.per_row == 0)].sum())
        if missed:
            msg = (
                f"Weights can make up only for rows that batches hold; {missed} rows of the target stand in none "
                f"({_WHO}). Filter them out, or pass a target in which their labels have weight 0."
            )
            raise SettingError(msg)
        ratio = np.divide(
            self.batch_size * wanted.per_row, visits.per_row, where=visits.per_row > 0, out=0 * visits.per_row
        )
        return attrs.evolve(visits, per_row=ratio).merged()

    def log_q(self) -> RowValues:
        """Return the logarithm of the expected share of each row among the rows of batches; -inf where it is 0.

        An in-batch softmax takes it off the logits to make up for rows that come often (Yi et al.,
        "Sampling-bias-corrected neural modeling for large corpus item recommendations", RecSys 2019). Where the items
        are labels, not rows, it is ``np.log(plan.expected_rows("item") / batch_size)``.
        """
        with np.errstate(divide="ignore"):
            return self.visits.map(lambda visits: np.log(visits / self.batch_size))

    def _target(self, target: Mapping[Hashable, float] | None, by: tuple[str, ...]) -> RowValues:
        """Return the probability of each row in the target."""
        index, universe = self.visits.index, self.universe
        if target is None and not by:
            return RowValues.of_ranges(
                index, universe.starts, universe.stops, np.full(universe.starts.size, 1 / universe.size)
            )
        if target is None or not by:
            msg = (
                f"target and `by` must be given both or neither; got target={target!r} and by={by!r} ({_WHO}). "
                "Name the columns whose labels the target weighs."
            )
            raise SettingError(msg)
        weights = check_weights(target, "target", _WHO)
        check_labels(weights, index, universe, by, "target", _WHO)
        groups = index.groups(universe, by)
        wanted = np.array([weights[label] for label in groups.labels])
        absent = set(weights).difference(groups.labels)
        if any(weights[label] for label in absent):
            msg = (
                f"A target must have weight 0 for labels that the filters leave no rows; {len(absent)} of "
                f"{len(weights)} labels have none ({_WHO}). Set {some_of(sorted(absent, key=str))} to 0."
            )
            raise SettingError(msg)
        wanted /= wanted.sum() * groups.sizes
        return RowValues.of_ranges(index, groups.pools.starts, groups.pools.stops, wanted[groups.pools.owners])
