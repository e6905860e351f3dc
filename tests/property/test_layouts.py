"""Layouts: whatever way a batch takes to its shares, the same rows are drawn from them."""

from typing import Any

import attrs
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchwright import Draft, DraftStack, MetadataIndex, Pipeline, Pool, Share, options, trunk
from batchwright.drawing import draw_block
from batchwright.layout import Layout
from batchwright.plan import Plan
from batchwright.trunk import Trunk
from strategies import with_chain

INDEX = MetadataIndex.from_table({"row": range(9)}, by="row")
SHARES = st.builds(
    Share, st.lists(st.booleans(), min_size=9, max_size=9).filter(any).map(Pool.where), st.integers(1, 5)
)
DRAFTS = st.lists(SHARES, min_size=1, max_size=3).map(
    lambda shares: attrs.evolve(Draft.start(INDEX, 1), shares=tuple(shares))
)


@given(st.lists(st.lists(DRAFTS, min_size=1, max_size=3), min_size=1, max_size=3))
def test_layouts_are_joined(parts: list[list[Draft]]) -> None:
    """The layouts of some drafts, joined, are the layout of all, also where pools have many ranges."""
    stacks = [DraftStack.of(part) for part in parts]
    found, expected = Layout.join([Layout.of(stack) for stack in stacks]), Layout.of(DraftStack.join(stacks))
    for name in ("bounds", "columns", "far_starts", "far_bounds", "total"):
        assert np.array_equal(getattr(found, name), getattr(expected, name)), name


@given(with_chain(), st.sampled_from([1, 2, 5, 29]), st.integers(0, 9), st.sampled_from([1, 7, 1 << 21]))
def test_batches_are_the_same_however_much_is_worked_out(
    chain: tuple[pd.DataFrame, list[Any]], size: int, seed: int, at_once: int
) -> None:
    """What is worked out beforehand, and how much at a time, decides about cost, and about no row of a batch."""
    table, stages = chain
    pipeline = Pipeline(stages)
    index = MetadataIndex.from_table(table, pipeline.key_columns, pipeline.order_column)
    whole, followed = Plan(pipeline, index, size), Plan(pipeline, index, size)
    assert whole.trunk.is_whole
    followed.__dict__["trunk"] = Trunk.grow(pipeline, Draft.start(index, size), 1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(options, "_ENTRIES_AT_A_TIME", at_once)
        patch.setattr(trunk, "_CELLS_AT_ONCE", at_once)
        found = draw_block(followed, seed, 0, range(30))
    assert np.array_equal(found, draw_block(whole, seed, 0, range(30)))
