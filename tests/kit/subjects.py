"""Built-in chains over one table, as factories, with everything that each of them promises."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs
import numpy as np
import pandas as pd

from batchwright import (
    ConditionBalancer,
    Drawer,
    ExperimentSelector,
    FlexibleBatchSampler,
    LeakMixer,
    MetadataIndex,
    PipelineSampler,
    TemporalEnricher,
)
from batchwright.testing import Claims

SIZE = 10
RATIO = {"mock": 1, "virus": 2, "drug": 0}


def make_table() -> pd.DataFrame:
    """Return 200 rows: unequal groups, one without "drug" and one too small for a batch; in no order."""
    rng = np.random.default_rng(0)
    experiment = np.repeat(["e1", "e2", "e3", "e4"], [90, 60, 43, 7])
    condition = rng.choice(["mock", "virus", "drug"], 200, p=[0.2, 0.7, 0.1])
    condition[(experiment == "e3") & (condition == "drug")] = "mock"
    table = pd.DataFrame({"experiment": experiment, "condition": condition, "hours": rng.integers(0, 4, 200)})
    return table.sample(frac=1, random_state=0, ignore_index=True)


TABLE = make_table()
# Read once, since samplers are made by the hundred; its cells are finer than most chains need, which changes nothing.
INDEX = MetadataIndex.from_table(TABLE, by=["experiment", "condition"], order_by="hours")


@attrs.frozen
class Built:
    """A chain and what it promises about the rows of a batch; the rest any sampler promises."""

    chain: list[Any]
    promises: dict[str, Any]

    def factory(self) -> Callable[..., PipelineSampler]:
        def make(seed: int, num_replicas: int = 1, rank: int = 0) -> PipelineSampler:
            return PipelineSampler(INDEX, self.chain, SIZE, seed=seed, num_replicas=num_replicas, rank=rank)

        return make

    def claims(self) -> Claims:
        return Claims.every(**{"batch_size": SIZE, "even_draw": True, **self.promises})


SELECT, BALANCE = ExperimentSelector(by="experiment"), ConditionBalancer(by="condition")
WINDOW = TemporalEnricher(by="hours", half_width=1)
CELL = ("experiment", "condition")

CHAINS = {
    "draw": Built([Drawer()], {"uniform_within": ()}),
    "select": Built([SELECT, Drawer()], {"group": "experiment", "uniform_within": "experiment"}),
    "balance": Built([BALANCE, Drawer()], {"balance": "condition", "uniform_within": "condition"}),
    "select, ratio": Built(
        [SELECT, ConditionBalancer(by="condition", ratio=RATIO), Drawer()],
        {"group": "experiment", "balance": "condition", "ratio": RATIO, "uniform_within": CELL},
    ),
    "select, leak, balance": Built(
        [SELECT, LeakMixer(0.29), BALANCE, Drawer()],
        {"group": "experiment", "leak": 0.29, "balance": "condition", "uniform_within": CELL},
    ),
    # A window draws from part of a label's rows, so rows repeat sooner, and those of busy times come more often.
    "select, leak, balance, window": Built(
        [SELECT, LeakMixer(0.2), BALANCE, WINDOW, Drawer()],
        {"group": "experiment", "leak": 0.2, "balance": "condition", "even_draw": False},
    ),
}


def flexible(seed: int, num_replicas: int = 1, rank: int = 0) -> FlexibleBatchSampler:
    """Return the sampler that keeps its origin's arguments."""
    return FlexibleBatchSampler(TABLE, SIZE, leaky=0.2, seed=seed, num_replicas=num_replicas, rank=rank)


FLEXIBLE_CLAIMS = Claims.every(
    batch_size=SIZE, group="experiment", leak=0.2, balance="condition", even_draw=True, uniform_within=CELL
)
