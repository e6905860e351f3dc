"""The public surface as a user's type checker sees it: checked, never run."""

from collections.abc import Iterator
from itertools import combinations

import pandas as pd
from hypothesis.stateful import RuleBasedStateMachine
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
    RowValues,
    Stage,
    TemporalEnricher,
)
from batchwright.explanation import Explanation
from batchwright.testing import Claims, check_sampler, check_stage, run_checks, sampler_machine
from batchwright.testing.strategies import pools, samplers, tables


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
    sampler.load_state_dict(sampler.state_at(epoch=1, step=2))
    sampler.set_epoch(1)
    sampler.seek(epoch=1, step=2)
    flexible: PipelineSampler = FlexibleBatchSampler(table, leaky=0.1)
    loader: DataLoader[int] = DataLoader(list(range(8)), batch_sampler=flexible)  # type: ignore[arg-type]
    yield from sampler.batch(0, epoch=1)
    yield pool.size + sampler.epoch + len(loader)


def check(table: pd.DataFrame) -> Iterator[str]:
    """Use the test kit."""

    def factory(seed: int, num_replicas: int, rank: int) -> PipelineSampler:
        return PipelineSampler(table, [Drawer()], 8, seed=seed, num_replicas=num_replicas, rank=rank)

    plan = PipelineSampler(table, [Drawer()], 8, strict=True).plan
    weights: RowValues = plan.expectation().importance_weights({"x": 1}, by="condition")
    explanation: Explanation = plan.explain()
    yield from (finding.way_out for finding in plan.findings())
    yield f"{weights.total()} {plan.expected_rows('condition')} {explanation}"
    claims = Claims.every(batch_size=8, group=["experiment"], leak=0.2, balance="condition", ratio={"x": 1})
    check_sampler(factory, table=table, claims=claims, seeds=range(3), expected_failures={"hosts": "why"})
    check_stage(OnlyMarker(), by={"marker": ["DAPI"]}, max_examples=10)
    machine: type[RuleBasedStateMachine] = sampler_machine(factory)
    pool: Pool = pools(5).example()
    sampler: PipelineSampler = samplers(tables(by={"donor": [1, 2]}, order_by=None), batch_size=3).example()
    yield from (outcome.reason for outcome in run_checks(factory, claims=claims, table=table))
    yield f"{machine.__name__} {pool.size} {len(sampler)}"
