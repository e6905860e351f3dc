"""The public surface as a user's type checker sees it: checked, never run."""

from collections.abc import Iterator
from itertools import combinations

import pandas as pd
from torch.utils.data import DataLoader

from batchwright import (
    Choice,
    ConditionBalancer,
    Draft,
    Drawer,
    ExperimentSelector,
    FlexibleBatchSampler,
    LeakMixer,
    MetadataIndex,
    PipelineSampler,
    Pool,
    Stage,
    TemporalEnricher,
)


class OnlyMarker(Stage):
    """A user's filter."""

    by = "marker"

    def apply(self, draft: Draft) -> Draft:
        """Keep one marker."""
        return draft.filter(draft.index.pool("marker", "DAPI"))


class Pairs(Stage):
    """A user's random stage."""

    by = "experiment"

    def apply(self, draft: Draft) -> Choice:
        """Choose two experiments, half of the batch each."""
        pairs = list(combinations(draft.groups(self.by), 2))
        return Choice([1.0] * len(pairs), lambda k: draft.select(pairs[k][0] | pairs[k][1]))


def use(table: pd.DataFrame) -> Iterator[int]:
    """Use what is public."""
    index = MetadataIndex.from_table(table, by=["experiment", "condition"], order_by="hours")
    pool: Pool = ~index.pool("experiment", "a") & Pool.full(index.size)
    chain = [
        OnlyMarker(),
        Pairs(),
        ExperimentSelector(by=["experiment"], weights={"a": 1}),
        LeakMixer(0.2),
        ConditionBalancer(ratio={"x": 1}, scope="all"),
        TemporalEnricher(by="hours", half_width=2),
        Drawer(),
    ]
    sampler = PipelineSampler(table, chain, 8, num_replicas=2, rank=0)
    sampler.load_state_dict(sampler.state_dict())
    sampler.set_epoch(1)
    sampler.seek(epoch=1, step=2)
    flexible: PipelineSampler = FlexibleBatchSampler(table, leaky=0.1)
    loader: DataLoader[int] = DataLoader(list(range(8)), batch_sampler=flexible)  # type: ignore[arg-type]
    yield from sampler.batch(0, epoch=1)
    yield pool.size + sampler.epoch + len(loader)
