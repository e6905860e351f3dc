"""A sampler over a hundred rows."""

from typing import Any

from batchwright import Drawer, ExperimentSelector, LeakMixer, PipelineSampler

ROWS = 100
TABLE = {
    "experiment": [f"e{row % 4}" for row in range(ROWS)],
    "marker": ["DAPI" if row % 3 else "GFP" for row in range(ROWS)],
}


def make_sampler(**settings: Any) -> PipelineSampler:
    chain = [ExperimentSelector(), LeakMixer(0.2), Drawer()]
    return PipelineSampler(TABLE, settings.pop("stages", chain), **{"batch_size": 10, **settings})


def epoch_of(epoch: int, **settings: Any) -> list[list[int]]:
    sampler = make_sampler(**settings)
    return [sampler.batch(step, epoch) for step in range(10)]
