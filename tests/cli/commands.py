"""A table and a chain for commands, and the batches that they make."""

from collections.abc import Callable
from io import StringIO
from typing import Any

import pandas as pd

from batchwright import ConditionBalancer, Drawer, ExperimentSelector, LeakMixer, PipelineSampler, TemporalEnricher
from batchwright.datasets import time_lapse_screen

TABLE = time_lapse_screen(rows=400, experiments=3).rename(columns={"hours_post_infection": "hours"})
STAGES = [ExperimentSelector(), LeakMixer(0.25), ConditionBalancer(), TemporalEnricher("hours", 2), Drawer()]
FLAGS = ["--group", "experiment", "--leak", "0.25", "--balance", "condition", "--time", "hours", "--half-width", "2"]
GROUP = ["--group", "experiment"]

Run = Callable[..., str]


def rows_of(printed: str) -> list[list[int]]:
    """Return the batches in a table that was drawn."""
    drawn = pd.read_csv(StringIO(printed))
    return [batch["row"].tolist() for _, batch in drawn.groupby(["epoch", "step"])]


def expected(count: int, table: Any = TABLE, stages: Any = STAGES, size: int = 16, **more: Any) -> list[list[int]]:
    sampler = PipelineSampler(table, stages, size, **more)
    return [sampler.batch(step) for step in range(count)]
