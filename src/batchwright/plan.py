"""`Plan`: a chain over a table as a probability tree, and what is known of it exactly."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from batchwright.draft import Choice, Draft, Outcome
from batchwright.errors import ChainError, SettingTypeError
from batchwright.expectation import Expectation
from batchwright.finding import Finding
from batchwright.index import MetadataIndex
from batchwright.pipeline import Pipeline
from batchwright.pool import Pool
from batchwright.preflight import findings
from batchwright.stages.base import Element, Stage
from batchwright.survey import Survey
from batchwright.tally import expected_rows, visits_and_inclusion
from batchwright.trunk import Trunk
from batchwright.walk import settled_in, walk

if TYPE_CHECKING:
    from batchwright.explanation import Explanation

__all__ = ["Plan"]

# So many situations are worked out beforehand, of so many ranges in all at most.
_SITUATIONS = 1 << 12
_RANGES = 1 << 20
# Of the alternatives that a stage offers so many are tried, evenly spread.
_TRIED = 5
# Where a chain is explained all situations are gone through if there are at most so many, or else so many are seen;
# and fewer where a stage of somebody's own makes one after the other, which takes a thousand times as long.
_SURVEYED = (1 << 17, 1 << 12)
_SURVEYED_ONE_BY_ONE = (1 << 12, 1 << 7)


class Plan:
    """A chain over a table as a probability tree: inner nodes are choices, leaves are finished drafts.

    A batch is one random path from the root to a leaf, then a draw from the leaf's shares.

    Parameters
    ----------
    pipeline
        The chain, or its stages in order.
    index
        The table.
    batch_size
        Rows of a batch.

    Raises
    ------
    BatchwrightError
        If the chain does not fit the table; every stage is tried once, on the first path. If `index` is no index.

    Examples
    --------
    >>> from batchwright import ConditionBalancer, Drawer, ExperimentSelector
    >>> table = {"experiment": ["a", "a", "a", "b"], "condition": ["x", "x", "y", "x"]}
    >>> index = MetadataIndex.from_table(table, by=["experiment", "condition"])
    >>> plan = Plan(Pipeline([ExperimentSelector(), ConditionBalancer(), Drawer()]), index, batch_size=4)
    >>> [(probability, [share.quota for share in draft.shares]) for probability, draft in plan.leaves()]
    [(0.75, [2, 2]), (0.25, [4])]
    >>> plan.expected_rows("condition").to_dict()
    {'x': 2.5, 'y': 1.5}
    """

    def __init__(self, pipeline: Pipeline | Iterable[Element], index: MetadataIndex, batch_size: int) -> None:
        if not isinstance(index, MetadataIndex):
            msg = (
                f"A plan is over an index of a table; got 1 {type(index).__name__} (Plan). Make one with "
                "MetadataIndex.from_table(table, by=pipeline.key_columns, order_by=pipeline.order_column)."
            )
            raise SettingTypeError(msg)
        self.pipeline = pipeline if isinstance(pipeline, Pipeline) else Pipeline(pipeline)
        self.index = index
        self.batch_size = batch_size
        self.universe, self.breadth, self.one_by_one = self._check()

    @cached_property
    def trunk(self) -> Trunk:
        """The tree as far as it is worked out beforehand: on first use, once."""
        return Trunk.grow(self.pipeline, self._start, min(_SITUATIONS, self.most_drafts))

    @property
    def most_drafts(self) -> int:
        """How many drafts can be worked out at once in bounded memory."""
        return max(1, _RANGES // self.breadth)

    def leaves(self) -> Iterator[tuple[float, Draft]]:
        """Yield every leaf with its probability; costs O(leaves)."""
        yield from self._leaves(self._start, 0, 1.0)

    def expected_rows(self, by: str | list[str]) -> pd.Series[float]:
        """Return the expected number of rows in a batch for each label of one key column, or of several.

        Exact, a sum over the leaves; where later stages only divide shares of one label, they are not gone through.
        """
        lots = walk(self.pipeline, self._start, self.most_drafts, settled_in(self.pipeline, by))
        return expected_rows(lots, by)

    def expected_visits(self) -> NDArray[np.float64]:
        """Return for each row of the table how often it stands in a batch on average: float64, shape (N,).

        Exact, a sum over the leaves; costs O(leaves + rows). The values sum to the batch size.
        """
        return self.expectation().visits.to_rows()

    def expectation(self) -> Expectation:
        """Return what batches do to each row, in exact numbers: a sum over the leaves, worked out anew at each call.

        It costs O(leaves), of which a window over times that never repeat makes more than one for each row. Memory is
        bounded but for what is kept of rows that are not alike.
        """
        leaves = walk(self.pipeline, self._start, self.most_drafts)
        return Expectation(self.batch_size, self.universe, *visits_and_inclusion(leaves, self.pipeline.drawer))

    def survey(self) -> Survey:
        """Return the chain gone through stage by stage, in all situations or, where there are too many, in some."""
        most, seen = _SURVEYED_ONE_BY_ONE if self.one_by_one else _SURVEYED
        return Survey.of(self.pipeline, self._start, min(most, self.most_drafts), seen)

    def findings(self) -> tuple[Finding, ...]:
        """Return what is notable before any batch is drawn, errors first: see `Finding`.

        Pools that are too small, rows that no batch holds, labels that groups lack, windows that are empty, leaks that
        come from nowhere, weights that starve a group; and what stages of one's own find.
        """
        return findings(self.survey())

    def explain(self) -> Explanation:
        """Return the chain stage by stage, with what batches will hold, as text, for notebooks and as plain values."""
        from batchwright.explanation import Explanation  # noqa: PLC0415 - only where it is asked for.

        return Explanation.of(self.survey())

    def __repr__(self) -> str:
        stages = ", ".join(type(element).__name__ for element in self.pipeline.stages)
        return f"Plan({stages}: batches of {self.batch_size} out of {self.universe.size} rows)"

    def _repr_html_(self) -> str:
        return self.explain()._repr_html_()

    @property
    def _start(self) -> Draft:
        return Draft.start(self.index, self.batch_size)

    def _leaves(self, outcome: Outcome, level: int, probability: float) -> Iterator[tuple[float, Draft]]:
        if isinstance(outcome, Choice):
            for k in np.flatnonzero(outcome.weights).tolist():
                child = self.pipeline.choose(level - 1, outcome, k)
                yield from self._leaves(child, level, probability * float(outcome.weights[k]))
            return
        self.pipeline.require_size(level, outcome.batch_size, self.batch_size)
        if level == len(self.pipeline.steps):
            yield probability, outcome
        else:
            yield from self._leaves(self.pipeline.apply(level, outcome), level + 1, probability)

    def _check(self) -> tuple[Pool, int, bool]:
        """Try every stage, along the first path.

        Returns
        -------
        universe, breadth, one_by_one
            The universe there, how many ranges a draft has, and whether a stage goes from one of several drafts to the
            other.
        """
        breadth, draft, several, one_by_one = 1, self._start, False, False
        for level, stage in enumerate(self.pipeline.steps):
            with self.pipeline.context(level):
                stage.check(draft)
            outcome = self.pipeline.apply(level, draft)
            some = list(self._some(level, outcome))
            if isinstance(outcome, Choice) and some[0].universe != draft.universe:
                msg = (
                    f"A filter must be the same for every batch; stage {level + 1}, {stage!r}, chooses among filters, "
                    f"the first of which keeps {some[0].universe.size} rows. Select instead of filtering."
                )
                raise ChainError(msg)
            several = several or isinstance(outcome, Choice)
            one_by_one = one_by_one or (several and type(stage).expand is Stage.expand)
            draft = some[0]
            breadth = max(breadth, *(sum(share.pool.starts.size for share in other.shares) for other in some))
        return draft.universe, breadth, one_by_one

    def _some(self, level: int, outcome: Outcome, tried: int = _TRIED) -> Iterator[Draft]:
        """Yield the first draft that a stage may come to, and a few others: the first may have few ranges by chance.

        Of choices within choices fewer are tried, since there may be very many of them.
        """
        if isinstance(outcome, Draft):
            self.pipeline.require_size(level + 1, outcome.batch_size, self.batch_size)
            yield outcome
            return
        possible = np.flatnonzero(outcome.weights)
        for k in np.unique(np.linspace(0, possible.size - 1, tried).astype(np.int64)).tolist():
            child = self.pipeline.choose(level, outcome, int(possible[k]))
            yield from self._some(level, child, max(1, tried // 2))

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "trunk"}
