"""The chains of docs/migration make the batches of the samplers that they take the place of."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pages import recipe
from pytorch_metric_learning.samplers import MPerClassSampler
from torch.utils.data import BatchSampler
from wilds.common.data_loaders import GroupSampler

from batchwright import PipelineSampler

MIGRATION = Path(__file__).parents[2] / "docs" / "migration"
BATCHES = 4000
# A false alarm of one test in some 10^4: four standard errors, for up to eight labels.
ERRORS = 4


def counts(batches: Iterable[Any], labels: np.ndarray) -> np.ndarray:
    """Return how many rows of each label stand in each batch, shape (batches, labels)."""
    names = np.unique(labels)
    return np.array([[(labels[batch] == name).sum() for name in names] for batch in batches])


def many(sampler: Any) -> list[Any]:
    """Return so many batches of a sampler, epoch after epoch."""
    batches: list[Any] = []
    while len(batches) < BATCHES:
        batches += [np.asarray(batch) for batch in sampler]
    return batches[:BATCHES]


def require_alike(theirs: np.ndarray, sampler: PipelineSampler, labels: np.ndarray) -> None:
    """Require that a peer's rows of each label are on average what the plan of a chain expects."""
    expected = sampler.plan.expected_rows(sampler.plan.pipeline.key_columns[0]).sort_index().to_numpy()
    error = theirs.std(0, ddof=1) / np.sqrt(len(theirs))
    assert (np.abs(theirs.mean(0) - expected) <= ERRORS * error + 1e-9).all()
    assert np.unique(labels).size == expected.size


def compositions(of: np.ndarray) -> set[tuple[int, ...]]:
    """Return the numbers of rows that labels have in a batch, whichever label has which."""
    return {tuple(sorted(row)) for row in of.tolist()}


def test_weighted_random_sampler() -> None:
    """On average the same labels; the balance has in every batch what weights have on average."""
    torch.manual_seed(0)
    page = recipe("weighted", MIGRATION)
    theirs = counts(many(page.before), page.labels)
    ratio = page.after  # The last sampler of the page has a ratio; the first one is made again here.
    balanced = PipelineSampler({"label": page.labels}, [page.ConditionBalancer(by="label"), page.Drawer()], 20)
    require_alike(theirs, balanced, page.labels)
    assert compositions(counts(balanced, page.labels)) == {(10, 10)}
    assert ratio.plan.expected_rows("label").to_dict() == pytest.approx({"common": 40 / 3, "rare": 20 / 3})


def test_m_per_class_sampler() -> None:
    """As many classes in a batch and as many rows of each, every class as often."""
    np.random.seed(0)  # noqa: NPY002 - the generator that this peer draws from.
    page = recipe("m-per-class", MIGRATION)
    peer = MPerClassSampler(page.labels, 5, batch_size=10, length_before_new_iter=1000)
    theirs = counts(many(BatchSampler(peer, 10, drop_last=True)), page.labels)
    require_alike(theirs, page.sampler, page.labels)
    assert compositions(theirs) == compositions(counts(page.sampler, page.labels)) == {(0, 0, 5, 5)}


@pytest.mark.parametrize("uniform", [True, False])
def test_group_loader_of_wilds(uniform: bool) -> None:
    """One group a batch, all alike or by their rows."""
    np.random.seed(1)  # noqa: NPY002 - the generator that this peer draws from.
    page = recipe("wilds", MIGRATION)
    groups = torch.tensor(np.unique(page.hospital, return_inverse=True)[1])
    theirs = counts(many(GroupSampler(groups, 8, 1, uniform_over_groups=uniform, distinct_groups=True)), page.hospital)
    chain = page.chain if uniform else page.sampler.plan.pipeline
    ours = PipelineSampler({"hospital": page.hospital}, chain, 8, num_batches=200)
    require_alike(theirs, ours, page.hospital)
    assert compositions(theirs) == compositions(counts(ours, page.hospital)) == {(0, 0, 8)}


def test_several_groups_of_wilds() -> None:
    """So many groups a batch, as many rows of each, every group as often."""
    np.random.seed(2)  # noqa: NPY002 - the generator that this peer draws from.
    page = recipe("m-per-class", MIGRATION)
    groups = torch.tensor(np.unique(page.labels, return_inverse=True)[1])
    theirs = counts(many(GroupSampler(groups, 10, 2, uniform_over_groups=True, distinct_groups=True)), page.labels)
    require_alike(theirs, page.sampler, page.labels)
    assert compositions(theirs) == {(0, 0, 5, 5)}
