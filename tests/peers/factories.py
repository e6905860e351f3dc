"""Factories of samplers of other libraries, over one table: only calls of what the libraries offer to everyone.

Each takes by name what it can vary, as the test kit wants it, and imports its library, which may not be there.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import attrs
import numpy as np
import torch
from torch.utils.data import BatchSampler, DataLoader, DistributedSampler, RandomSampler, WeightedRandomSampler

SIZE = 8
# 252 rows are 31 batches and a half, and divide evenly among 1, 2, 3 and 4 ranks.
COUNTS = (100, 80, 56, 16)
ROWS = sum(COUNTS)
CODES = np.random.default_rng(0).permutation(np.repeat(range(len(COUNTS)), COUNTS))
RARITY = 1 / np.array(COUNTS)[CODES]


def generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def torch_random(seed: int = 0) -> Any:
    return BatchSampler(RandomSampler(range(ROWS), generator=generator(seed)), SIZE, drop_last=False)


def torch_weighted(seed: int = 0) -> Any:
    return BatchSampler(WeightedRandomSampler(RARITY.tolist(), ROWS, generator=generator(seed)), SIZE, drop_last=False)


def torch_distributed(seed: int = 0, num_replicas: int = 1, rank: int = 0) -> Any:
    return DistributedSampler(range(ROWS), num_replicas, rank, seed=seed, drop_last=True)


def torchdata_distributed(seed: int = 0, num_replicas: int = 1, rank: int = 0) -> Any:
    from torchdata.stateful_dataloader import sampler

    rows = sampler.StatefulDistributedSampler(range(ROWS), num_replicas, rank, seed=seed, drop_last=True)
    return sampler.BatchSampler(rows, SIZE, drop_last=False)


def m_per_class() -> Any:
    from pytorch_metric_learning.samplers import MPerClassSampler

    return MPerClassSampler(CODES, m=8, batch_size=16, length_before_new_iter=ROWS)


def scdataset(strategy: Any, seed: int, num_workers: int, num_replicas: int, rank: int) -> Any:
    """Return a loader whose batches are row numbers, since the collection holds nothing else."""
    from scdataset import scDataset

    batches = scDataset(np.arange(ROWS), strategy, SIZE, 2, seed=seed, rank=rank, world_size=num_replicas)
    return DataLoader(batches, batch_size=None, num_workers=num_workers)


def scdataset_blocks(seed: int = 0, num_workers: int = 0, num_replicas: int = 1, rank: int = 0) -> Any:
    from scdataset import BlockShuffling

    return scdataset(BlockShuffling(block_size=4), seed, num_workers, num_replicas, rank)


def scdataset_balanced(seed: int = 0, num_workers: int = 0, num_replicas: int = 1, rank: int = 0) -> Any:
    from scdataset import ClassBalancedSampling

    return scdataset(ClassBalancedSampling(CODES, block_size=4), seed, num_workers, num_replicas, rank)


def catalyst_balanced() -> Any:
    from catalyst.data import BatchBalanceClassSampler

    return BatchBalanceClassSampler(CODES.tolist(), num_classes=2, num_samples=8)


def catalyst_wrapper(num_replicas: int = 1, rank: int = 0) -> Any:
    from catalyst.data import DistributedSamplerWrapper

    return DistributedSamplerWrapper(RandomSampler(range(ROWS)), num_replicas, rank)


def catalyst_wrapper_alike(seed: int = 0, num_replicas: int = 1, rank: int = 0) -> Any:
    from catalyst.data import DistributedSamplerWrapper

    return DistributedSamplerWrapper(RandomSampler(range(ROWS), generator=generator(seed)), num_replicas, rank)


def oml_balanced() -> Any:
    from oml.samplers.balance import BalanceSampler

    return BalanceSampler(CODES, n_labels=2, n_instances=8)


def wilds_groups(groups: int) -> Any:
    from wilds.common.data_loaders import GroupSampler

    return GroupSampler(torch.tensor(CODES), 16, groups, uniform_over_groups=True, distinct_groups=True)


def monai_uneven(seed: int = 0, num_replicas: int = 1, rank: int = 0) -> Any:
    from monai.data import DistributedSampler as Uneven

    return Uneven(range(ROWS - 1), even_divisible=False, num_replicas=num_replicas, rank=rank, seed=seed)


def monai_weighted(seed: int = 0, num_replicas: int = 1, rank: int = 0) -> Any:
    from monai.data import DistributedWeightedRandomSampler as Weighted

    world = {"num_replicas": num_replicas, "rank": rank}
    return Weighted(range(ROWS), RARITY.tolist(), generator=generator(seed), seed=seed, **world)


@attrs.frozen
class Numbers:
    """A sampler of cuts that are named by their numbers, with batches of those numbers."""

    cuts: Any

    def __iter__(self) -> Iterator[list[int]]:
        return ([int(name) for name in batch.ids] for batch in self.cuts)

    def set_epoch(self, epoch: int) -> None:
        self.cuts.set_epoch(epoch)

    def state_dict(self) -> dict[str, Any]:
        return self.cuts.state_dict()  # type: ignore[no-any-return]

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.cuts.load_state_dict(state)


def lhotse_cuts(sampler: str, seed: int, num_replicas: int, rank: int) -> Any:
    from lhotse import CutSet, MonoCut, dataset

    cuts = CutSet.from_cuts(MonoCut(str(row), start=0, duration=1, channel=0) for row in range(ROWS))
    # In sevens, the rows are 36 batches: no rank count from 1 to 4 leaves a rest, which these samplers deal out anew.
    settings = {"max_cuts": 7, "shuffle": True, "seed": seed, "world_size": num_replicas, "rank": rank}
    return Numbers(getattr(dataset, sampler)(cuts, **settings))


def lhotse_simple(seed: int = 0, num_replicas: int = 1, rank: int = 0) -> Any:
    return lhotse_cuts("SimpleCutSampler", seed, num_replicas, rank)


def lhotse_dynamic(seed: int = 0, num_replicas: int = 1, rank: int = 0) -> Any:
    return lhotse_cuts("DynamicCutSampler", seed, num_replicas, rank)


def concord() -> Any:
    from concord.model.sampler import ConcordSampler

    return ConcordSampler(SIZE, torch.tensor(CODES), neighborhood=None, p_intra_knn=0.0, p_intra_domain=1.0)


def sentences() -> Any:
    """Return texts of which each stands in four rows, and their labels."""
    from datasets import Dataset

    return Dataset.from_dict({"text": [f"text {row % (ROWS // 4)}" for row in range(ROWS)], "label": CODES.tolist()})


def sentences_by_label(seed: int = 0) -> Any:
    from sentence_transformers.base.sampler import GroupByLabelBatchSampler

    return GroupByLabelBatchSampler(sentences(), SIZE, True, ["label"], torch.Generator(), seed)


def sentences_distinct(seed: int = 0) -> Any:
    from sentence_transformers.base.sampler import NoDuplicatesBatchSampler

    return NoDuplicatesBatchSampler(sentences(), SIZE, True, ["label"], torch.Generator(), seed)


def accelerate_shard(seed: int = 0, num_replicas: int = 1, rank: int = 0) -> Any:
    from accelerate.data_loader import BatchSamplerShard

    return BatchSamplerShard(torch_random(seed), num_replicas, rank)
