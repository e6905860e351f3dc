"""`Plan`: a chain over a table as a lazily opened probability tree, and what is known of it exactly."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any

import attrs
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from batchwright.columns import as_columns
from batchwright.draft import Choice, Draft, Outcome
from batchwright.errors import ChainError
from batchwright.index import MetadataIndex
from batchwright.layout import Layout
from batchwright.pipeline import Pipeline
from batchwright.pool import Pool
from batchwright.stack import DraftStack

__all__ = ["Branch", "Leaf", "Node", "Plan"]

# Opened nodes are kept so that the Python of a stage runs once a situation; past this number of ranges in their
# pools all are dropped and opened anew, which bounds the memory of a tree with very many leaves.
_RANGES_KEPT = 1 << 20
_RANGES_A_NODE = 64  # What a node weighs besides, as ranges.


@attrs.frozen(eq=False, slots=False)
class Leaf:
    """The end of a path: a finished draft."""

    draft: Draft

    @cached_property
    def layout(self) -> Layout:
        """The draft compiled for drawing."""
        return Layout.of(DraftStack.of(self.draft.shares), self.draft.index.size)


@attrs.frozen(eq=False, slots=False)
class Branch:
    """An inner node: a choice, and the level of the stage that comes after it."""

    choice: Choice
    level: int
    children: dict[int, Node] = attrs.field(factory=dict)

    @cached_property
    def bounds(self) -> NDArray[np.float64]:
        """Cumulative probabilities from 0.0 to exactly 1.0: float64, shape (K + 1,)."""
        bounds = np.concatenate([[0.0], np.cumsum(self.choice.weights)])
        scaled: NDArray[np.float64] = bounds / bounds[-1]
        return scaled


Node = Leaf | Branch


class Plan:
    """A chain over a table as a probability tree: inner nodes are choices, leaves are finished drafts.

    A batch is one random path from the root to a leaf, then a draw from the leaf's shares. Nodes are opened
    when they are first needed and kept; that changes nothing that a caller can see.

    Parameters
    ----------
    pipeline
        The chain.
    index
        The table.
    batch_size
        Rows of a batch.

    Raises
    ------
    BatchwrightError
        If the chain does not fit the table; every stage is tried once, on the first path.

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

    def __init__(self, pipeline: Pipeline, index: MetadataIndex, batch_size: int) -> None:
        self.pipeline = pipeline
        self.index = index
        self.batch_size = batch_size
        self._root: Node | None = None
        self._kept = 0
        self.universe: Pool = self._check()

    @property
    def root(self) -> Node:
        """The root of the tree."""
        if self._root is None or self._kept > _RANGES_KEPT:
            self._kept = 0
            self._root = self._grow(Draft.start(self.index, self.batch_size), 0)
        return self._root

    def child(self, branch: Branch, k: int) -> Node:
        """Return the k-th child of a branch, opened at need."""
        if k not in branch.children:
            branch.children[k] = node = self._grow_child(branch, k)
            self._kept += _RANGES_A_NODE
            if isinstance(node, Leaf):
                self._kept += sum(share.pool.starts.size for share in node.draft.shares)
        return branch.children[k]

    def is_last(self, branch: Branch) -> bool:
        """Tell whether the children of a branch are finished drafts, with no stage to come."""
        return branch.level == len(self.pipeline.steps)

    def leaves(self) -> Iterator[tuple[float, Draft]]:
        """Yield every leaf with its probability; costs O(leaves)."""
        yield from self._leaves(self.root, 1.0, None)

    def some_leaves(self, limit: int) -> Iterator[Draft]:
        """Yield at most `limit` leaves: all, or those below the smallest alternatives, else the least likely ones."""
        for _, draft in self._leaves(self.root, 1.0, limit):
            yield draft

    def expected_rows(self, by: str | list[str]) -> pd.Series[float]:
        """Return the expected number of rows in a batch for each label of one key column, or of several.

        Exact, a sum over the leaves; costs O(leaves x cells).
        """
        labels: tuple[Any, ...] = self.index.labels_of(by)
        expected = dict.fromkeys(labels, 0.0)
        for probability, draft in self.leaves():
            for share in draft.shares:
                groups = self.index.groups(share.pool, by)
                for label, size in zip(groups.labels, groups.sizes.tolist(), strict=True):
                    expected[label] += probability * share.quota * size / share.pool.size
        names = as_columns(by)
        keys = pd.MultiIndex.from_tuples(labels, names=names) if len(names) > 1 else pd.Index(labels, name=names[0])
        return pd.Series(list(expected.values()), index=keys, name="rows", dtype="float64")

    def expected_visits(self) -> NDArray[np.float64]:
        """Return for each row of the table how often it stands in a batch on average: float64, shape (N,).

        Exact, a sum over the leaves; costs O(leaves + rows). The values sum to the batch size.
        """
        change = np.zeros(self.index.size + 1)
        for probability, draft in self.leaves():
            for share in draft.shares:
                visits = probability * share.quota / share.pool.size
                np.add.at(change, share.pool.starts, visits)
                np.add.at(change, share.pool.stops, -visits)
        visits_by_row = np.empty(self.index.size)
        visits_by_row[self.index.rows(np.arange(self.index.size))] = np.cumsum(change)[:-1]
        return visits_by_row

    def _leaves(self, node: Node, probability: float, limit: int | None) -> Iterator[tuple[float, Draft]]:
        if isinstance(node, Leaf):
            yield probability, node.draft
            return
        weights, sizes = node.choice.weights, node.choice.sizes
        chosen = np.flatnonzero(weights)
        if limit is not None:
            smallest_first = np.argsort((weights if sizes is None else sizes)[chosen], kind="stable")
            chosen = chosen[smallest_first[:limit]]
            limit //= chosen.size
        for k in chosen.tolist():
            # A look at the whole tree is not kept.
            below = self._grow_child(node, k) if limit is None else self.child(node, k)
            yield from self._leaves(below, probability * float(weights[k]), limit)

    def _grow_child(self, branch: Branch, k: int) -> Node:
        return self._grow(self.pipeline.choose(branch.level - 1, branch.choice, k), branch.level)

    def _grow(self, outcome: Outcome, level: int) -> Node:
        """Follow the chain from an outcome up to the next choice or to the end."""
        while isinstance(outcome, Draft):
            self._require_size(outcome, level)
            if level == len(self.pipeline.steps):
                return Leaf(outcome)
            outcome = self.pipeline.apply(level, outcome)
            level += 1
        return Branch(outcome, level)

    def _check(self) -> Pool:
        """Try every stage once, on the first path; return the universe there."""
        draft = Draft.start(self.index, self.batch_size)
        for level, stage in enumerate(self.pipeline.steps):
            with self.pipeline.context(level):
                stage.check(draft)
            outcome = self.pipeline.apply(level, draft)
            random = isinstance(outcome, Choice)
            while isinstance(outcome, Choice):
                outcome = self.pipeline.choose(level, outcome, int(np.flatnonzero(outcome.weights)[0]))
            self._require_size(outcome, level + 1)
            if random and outcome.universe != draft.universe:
                msg = (
                    f"A filter must be the same for every batch; stage {level + 1}, {stage!r}, chooses among filters, "
                    f"the first of which keeps {outcome.universe.size} rows. Select instead of filtering."
                )
                raise ChainError(msg)
            draft = outcome
        return draft.universe

    def _require_size(self, draft: Draft, level: int) -> None:
        if draft.batch_size != self.batch_size:
            msg = (
                f"The quotas of a draft must sum to batch_size={self.batch_size}; got {draft.batch_size} "
                f"(after stage {level}, {self.pipeline.steps[level - 1]!r}). Give every row of the batch to a share."
            )
            raise ChainError(msg)

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_root": None, "_kept": 0}
