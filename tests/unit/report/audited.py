"""Samplers of a small table to audit."""

from typing import Any

from batchwright import ConditionBalancer, Drawer, ExperimentSelector, LeakMixer, PipelineSampler

TABLE = {
    "donor": ["a"] * 6 + ["b"] * 4,
    "drug": ["x", "y"] * 5,
    "hours": [float(row) for row in range(10)],
}
SELECT, LEAK, BALANCE, DRAW = ExperimentSelector("donor"), LeakMixer(0.25), ConditionBalancer("drug"), Drawer()


def sampler(*stages: Any, batch_size: int = 4, **settings: Any) -> PipelineSampler:
    return PipelineSampler(TABLE, [*(stages or (SELECT, LEAK, BALANCE)), DRAW], batch_size, **settings)
