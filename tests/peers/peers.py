"""What samplers of other libraries promise in their own documentation.

A claim stands here only if the peer's docstring, signature or README says it, or plainly implies it; `said` names the
place. Where a peer documents a limit, the table and the settings keep away from it, or the claim is not made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import attrs
import factories as make

from batchwright.testing import Claims

__all__ = ["PEERS", "Peer"]


@attrs.frozen
class Peer:
    """A sampler of another library.

    Parameters
    ----------
    name, distribution
        What is run, and what to install for it.
    make
        The factory that the kit is given. It raises an error if the peer is not there.
    claims
        What the peer promises.
    said
        Where it does.
    batch_size
        For samplers of single rows: how many make a batch.
    rows
        How many rows of the table there are for it.
    """

    name: str
    distribution: str
    make: Callable[..., Iterable[Any]]
    claims: Claims
    said: str
    batch_size: int | None = None
    rows: int = make.ROWS

    @property
    def table(self) -> dict[str, Any]:
        """The table that the peer draws from."""
        return {"label": make.CODES[: self.rows]}


BATCHED = {"batch_size": make.SIZE, "length": True}
SHUFFLED = {**BATCHED, "indices": True, "short_last": True, "seeded": True, "new_epochs": True}
SEEDED = {"length": True, "seeded": True, "set_epoch": True}
LHOTSE = Claims(seeded=True, set_epoch=True, ranks="steps", equal_ranks=True, resume=True)
OF_SOME_LABELS = Claims(batch_size=16, length=True, new_epochs=True, balance="label", labels_per_batch=2)

PEERS = [
    Peer(
        "BatchSampler(RandomSampler)",
        "torch",
        make.torch_random,
        Claims(**SHUFFLED, workers=True, even_draw=True, coverage=1.0, uniform_within=()),
        "docstrings, DataLoader's too: mini-batches, `generator`, 'without replacement', 'reshuffled', `in_order`",
    ),
    Peer(
        "BatchSampler(WeightedRandomSampler)",
        "torch",
        make.torch_weighted,
        Claims(**SHUFFLED, uniform_within="label"),
        "docstrings: mini-batches, `generator`, 'with given probabilities (weights)', here one weight for each label",
    ),
    Peer(
        "DistributedSampler",
        "torch",
        make.torch_distributed,
        Claims(**SEEDED, workers=True, ranks="rows", equal_ranks=True),
        "class docstring: a subset 'that is exclusive to it', `seed`, 'evenly divisible', `set_epoch`",
        make.SIZE,
    ),
    Peer(
        "BatchSampler(StatefulDistributedSampler)",
        "torchdata",
        make.torchdata_distributed,
        Claims(**SEEDED, indices=True, ranks="rows", equal_ranks=True, stateful_loader=True),
        "as torch's DistributedSampler, its base; README: resumes within a StatefulDataLoader",
    ),
    Peer(
        "MPerClassSampler",
        "pytorch-metric-learning",
        make.m_per_class,
        OF_SOME_LABELS,
        "docstring: 'm samples per class'; docs: with `batch_size` in every batch, and a new iterable after some",
        16,
    ),
    Peer(
        "BalanceSampler",
        "open-metric-learning",
        make.oml_balanced,
        OF_SOME_LABELS,
        "class docstring: `n_instances` for each of the `n_labels`, selected for each batch, `L // n_labels` batches",
    ),
    Peer(
        "BatchBalanceClassSampler",
        "catalyst",
        make.catalyst_balanced,
        OF_SOME_LABELS,
        "class docstring: `num_samples` instances of each of `num_classes` in each batch, `num_batches` an epoch",
    ),
    Peer(
        "DistributedSamplerWrapper(RandomSampler)",
        "catalyst",
        make.catalyst_wrapper,
        Claims(length=True, ranks="rows", equal_ranks=True),
        "class docstring: 'any sampler in distributed mode', each process loads a subset 'that is exclusive to it'",
        make.SIZE,
    ),
    Peer(
        "DistributedSamplerWrapper, ranks seeded alike",
        "catalyst",
        make.catalyst_wrapper_alike,
        Claims(length=True, ranks="rows", equal_ranks=True),
        "as above, around a RandomSampler whose `generator` is seeded alike in all processes",
        make.SIZE,
    ),
    Peer(
        "GroupSampler, 2 groups a batch",
        "wilds",
        partial(make.wilds_groups, 2),
        OF_SOME_LABELS,
        "docstrings of it and of get_train_loader: 'a fixed number of examples belonging to each group'",
    ),
    Peer(
        "GroupSampler, 1 group a batch",
        "wilds",
        partial(make.wilds_groups, 1),
        Claims(batch_size=16, length=True, new_epochs=True, group="label"),
        "as above: samples so many groups, and then from those; an incomplete batch is dropped",
    ),
    Peer(
        "scDataset(BlockShuffling)",
        "scDataset",
        make.scdataset_blocks,
        Claims(**BATCHED, short_last=True, seeded=True, new_epochs=True, ranks="rows", coverage=1.0),
        "docstrings: `drop_last`, `seed`, 'different shuffling each epoch without requiring manual set_epoch() calls', "
        "'all data is processed exactly once across all ranks'; docs on distributed training: the same, with workers",
    ),
    Peer(
        "scDataset(ClassBalancedSampling)",
        "scDataset",
        make.scdataset_balanced,
        Claims(**BATCHED, short_last=True, seeded=True, new_epochs=True, uniform_within="label"),
        "as above; docstring: weights are inverse class frequencies, so rows of a class weigh the same",
    ),
    Peer(
        "DistributedSampler, uneven",
        "monai",
        make.monai_uneven,
        Claims(**SEEDED, ranks="rows", coverage=1.0),
        "class docstring: ranks may differ in length, and else as torch's",
        make.SIZE,
        make.ROWS - 1,
    ),
    Peer(
        "DistributedWeightedRandomSampler",
        "monai",
        make.monai_weighted,
        Claims(length=True, seeded=True, ranks="rows", equal_ranks=True, uniform_within="label"),
        "class docstring: samples by weights from the rank's distributed subset, `generator`, `seed`",
        make.SIZE,
    ),
    Peer(
        "SimpleCutSampler",
        "lhotse",
        make.lhotse_simple,
        LHOTSE,
        "docstrings: every N-th batch, `seed`, load_state_dict",
    ),
    Peer("DynamicCutSampler", "lhotse", make.lhotse_dynamic, LHOTSE, "docstrings of it and of CutSampler, as above"),
    Peer(
        "ConcordSampler",
        "concord-sc",
        make.concord,
        Claims(length=True, new_epochs=True, group="label"),
        "docstrings: `__len__`, probabilistic, `p_intra_domain` (here 1.0) to select from the same domain",
    ),
    Peer(
        "GroupByLabelBatchSampler",
        "sentence-transformers",
        make.sentences_by_label,
        Claims(**BATCHED, indices=True, seeded=True, set_epoch=True),
        "class docstring: batches of exactly `batch_size`, `seed`; SetEpochMixin",
    ),
    Peer(
        "NoDuplicatesBatchSampler",
        "sentence-transformers",
        make.sentences_distinct,
        Claims(**BATCHED, indices=True, seeded=True, set_epoch=True),
        "docstrings: `batch_size`, `seed`, SetEpochMixin, and `__len__`, where the values suffice",
    ),
    Peer(
        "BatchSamplerShard(BatchSampler)",
        "accelerate",
        make.accelerate_shard,
        Claims(**BATCHED, indices=True, ranks="steps", equal_ranks=True),
        "class docstring: batches in turn, 'a round multiple of `num_processes`', 'all have the same size'",
    ),
]
