"""The lines of the tables: our chains, samplers of other libraries, and the floor.

What the constructor of a sampler does is not part of an epoch, for us and for others alike.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from functools import lru_cache, partial
from itertools import chain as chained
from itertools import islice, repeat
from typing import Any

import attrs
import numpy as np
import torch
from cascade import Cascade
from floor import floor_batches
from rates import measure
from settings import CONDITIONS, Setting, make_table
from torch.utils.data import BatchSampler, DistributedSampler, RandomSampler, WeightedRandomSampler

from batchwright import (
    ConditionBalancer,
    Drawer,
    ExperimentSelector,
    LeakMixer,
    MetadataIndex,
    Pipeline,
    PipelineSampler,
    TemporalEnricher,
)

__all__ = ["BEHIND", "CHAINS", "EPOCHS", "FLOOR", "LEFT", "PLAIN", "RANKS", "SPLIT", "STARTS", "Line", "lines_of"]

Begin = Callable[[], Iterable[Any]]
LEAK = 0.2
MANY = 64
# Ours are drawn in blocks of up to so many: to stop within one would count all of its cost for a part of it.
BLOCKS = 4096
# So many epochs of a run are measured as a whole, where epochs are short.
EPOCHS = 50
# Who prepares an epoch at once, or has something to do when it runs out, is taken whole.
WHOLE = sys.maxsize
LEAKING = "select, leak, balance"

_SELECT, _BALANCE = ExperimentSelector(), ConditionBalancer()
_ALL = [_SELECT, LeakMixer(LEAK), _BALANCE]
CHAINS: dict[str, list[Any]] = {
    "select, balance": [_SELECT, _BALANCE, Drawer()],
    LEAKING: [*_ALL, Drawer()],
    "with a window, 100 times": [*_ALL, TemporalEnricher("hours", half_width=2), Drawer()],
    "with a window, continuous": [*_ALL, TemporalEnricher("exact_hours", half_width=2), Drawer()],
}


@attrs.frozen
class Line:
    """One line of a table.

    Parameters
    ----------
    name
        What the table calls it.
    make
        Takes a setting and returns what begins an epoch; what it does itself is not measured.
    steps
        Takes a setting and returns how many batches that epoch has.
    least
        How many batches are measured at least.
    most_rows, reason
        Up to how many rows it is measured, and why not beyond.
    """

    name: str
    make: Callable[[Setting], Begin]
    steps: Callable[[Setting], int] = Setting.steps.fget  # type: ignore[attr-defined]
    least: int = 1
    most_rows: float = float("inf")
    reason: str = ""


table_of = lru_cache(maxsize=1)(make_table)


@lru_cache(maxsize=3)
def index_of(setting: Setting, order_by: str | None) -> MetadataIndex:
    """Return the index of a setting, which all chains over it share."""
    return MetadataIndex.from_table(table_of(setting), by=("experiment", "condition"), order_by=order_by)


def new_sampler(setting: Setting, chain: str, ranks: int = 1) -> PipelineSampler:
    """Return a sampler that has delivered nothing yet; each rank has as many batches as the setting has."""
    index = index_of(setting, Pipeline(CHAINS[chain]).order_column)
    world = {"num_replicas": ranks, "rank": 0}
    return PipelineSampler(index, CHAINS[chain], setting.batch_size, num_batches=setting.steps * ranks, **world)  # type: ignore[arg-type]


# A setting has seven of them at most.
@lru_cache(maxsize=7)
def used_sampler(setting: Setting, chain: str, ranks: int = 1) -> PipelineSampler:
    """Return a sampler behind its first epoch, or behind three seconds of it."""
    sampler = new_sampler(setting, chain, ranks)
    measure(lambda: sampler, len(sampler), budget=3, least=BLOCKS)
    return sampler


def ours(setting: Setting, make: Any, chain: str, ranks: int = 1) -> Begin:
    sampler = make(setting, chain, ranks)
    return lambda: sampler


def run(setting: Setting, chain: str) -> Begin:
    sampler = new_sampler(setting, chain)
    return lambda: chained.from_iterable(repeat(sampler, EPOCHS))


def of_a_run(setting: Setting) -> int:
    return EPOCHS * setting.steps


def plain(setting: Setting) -> Begin:
    """Return epochs of torch's own; more than one where the rows make fewer batches than the setting asks for."""
    rows = range(setting.rows)
    epochs = -(-setting.steps // (setting.rows // setting.batch_size))
    return lambda: (
        batch for _ in range(epochs) for batch in BatchSampler(RandomSampler(rows), setting.batch_size, drop_last=True)
    )


def behind(setting: Setting) -> Begin:
    """Return the same epochs right behind the making of a sampler of ours, as a first epoch stands."""
    new_sampler(setting, LEAKING)
    return plain(setting)


def left(setting: Setting) -> Begin:
    """Return the same epochs, left behind their last batch: torch shuffles again when one runs out."""
    begin = plain(setting)
    return lambda: islice(begin(), setting.steps)


def split(setting: Setting) -> Begin:
    """Return epochs of the first rank of torch's own split, which shuffles all rows on each rank."""
    rows = DistributedSampler(range(setting.rows), MANY, rank=0, drop_last=True)
    return lambda: BatchSampler(rows, setting.batch_size, drop_last=True)


def of_a_rank(setting: Setting) -> int:
    return max(1, setting.rows // MANY // setting.batch_size)


def weighted(setting: Setting) -> Begin:
    condition = table_of(setting)["condition"]
    weights: Any = torch.from_numpy(1 / np.bincount(condition)[condition])
    return lambda: BatchSampler(WeightedRandomSampler(weights, setting.rows), setting.batch_size, drop_last=True)


def few(setting: Setting) -> int:
    return max(2, min(setting.steps, 10**7 // setting.rows))


@lru_cache(maxsize=1)
def m_per_class(setting: Setting) -> Begin:
    """Return epochs of few batches: each is drawn anew from all rows of its classes, so more of them say no more."""
    from pytorch_metric_learning.samplers import MPerClassSampler  # noqa: PLC0415 - it may not be installed.

    size = setting.batch_size
    rows = MPerClassSampler(table_of(setting)["condition"], size // CONDITIONS, size, size * few(setting))
    return lambda: BatchSampler(rows, size, drop_last=True)


def scdataset(setting: Setting) -> Begin:
    """Return batches of row numbers: an array of them stands for the collection, so nothing is read."""
    from scdataset import ClassBalancedSampling, scDataset  # noqa: PLC0415 - it may not be installed.

    strategy = ClassBalancedSampling(table_of(setting)["condition"])
    batches = scDataset(np.arange(setting.rows), strategy, setting.batch_size, drop_last=True, seed=0)
    return lambda: batches


def cascade(setting: Setting, half_width: float | None = None) -> Begin:
    batches = Cascade(table_of(setting), setting.batch_size, LEAK, half_width)
    return lambda: islice(batches, setting.steps)


def floor(setting: Setting) -> Begin:
    generator = np.random.default_rng(0)
    order = generator.permutation(setting.rows).astype(np.uint32)
    return lambda: floor_batches(generator, order, setting.batch_size, setting.steps)


PLAIN = Line("torch, BatchSampler(RandomSampler)", plain, least=WHOLE)
LEFT = Line("the same, left before it runs out", left, least=WHOLE)
BEHIND = Line("the same, behind a constructor of ours", behind, least=WHOLE)
FLOOR = Line("floor in NumPy", floor)
FIRST, LATER = (
    {chain: Line(f"{chain}: {name}", partial(ours, make=make, chain=chain), least=BLOCKS) for chain in CHAINS}
    for name, make in (("first epoch", new_sampler), ("later", used_sampler))
)
STARTS = [
    Line(chain, partial(run, chain=chain), of_a_run, WHOLE, most_rows=1e5, reason="an epoch is as good as many")
    for chain in CHAINS
]
RANKS = [
    Line(f"rank 0 of {ranks}", partial(ours, make=used_sampler, chain=LEAKING, ranks=ranks), least=BLOCKS)
    for ranks in (2, 8, MANY)
]
SPLIT = Line(f"torch, DistributedSampler: rank 0 of {MANY}", split, of_a_rank, WHOLE)
PEERS = [
    Line(
        "torch, BatchSampler(WeightedRandomSampler)",
        weighted,
        least=WHOLE,
        most_rows=2**24,
        reason="torch.multinomial takes at most 2^24 weights",
    ),
    Line(
        "pytorch-metric-learning, MPerClassSampler",
        m_per_class,
        few,
        most_rows=1e7,
        reason="its lists of rows, as Python integers, need more memory than is there",
    ),
    Line("scDataset, ClassBalancedSampling", scdataset),
    Line("cascade re-told, leak and balance", cascade),
    Line("cascade re-told, leak and window", partial(cascade, half_width=2.0)),
]


def lines_of(setting: Setting) -> list[Line]:
    """Return what is measured in a setting, in the order of the tables."""
    if setting.topic == "pools":
        return [PLAIN, FLOOR, LATER["select, balance"]]
    if setting.topic == "batch size":
        return [PLAIN, LEFT, FLOOR, FIRST[LEAKING], *(LATER[chain] for chain in CHAINS), *STARTS, *RANKS]
    ours = [phase[chain] for chain in CHAINS for phase in (FIRST, LATER)]
    if setting.topic != "rows":
        return [PLAIN, LEFT, FLOOR, *ours]
    split = [SPLIT] if setting.rows >= MANY * setting.batch_size else []
    return [PLAIN, LEFT, BEHIND, FLOOR, *ours, *STARTS, *RANKS, *split, *PEERS]
