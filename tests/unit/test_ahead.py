"""`Ahead`: how many epochs are drawn at once, what is kept of them, and that nobody can tell from the batches."""

import copy
import itertools
import pickle
import platform
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from batchwright import Draft, Drawer, ExperimentSelector, MetadataIndex, Pipeline, PipelineSampler, Plan, Stage, ahead
from batchwright import plan as plan_module
from batchwright.ahead import Ahead
from batchwright.drawing import iterate_batches

TABLE = {"experiment": [*"aaaabbbb"]}
STAGES = [ExperimentSelector(), Drawer()]
PLAN = Plan(Pipeline(STAGES), MetadataIndex.from_table(TABLE, by="experiment"), batch_size=2)


class Same(Stage):
    """A stage of somebody's own, which goes from draft to draft."""

    def apply(self, draft: Draft) -> Draft:
        """Leave the draft as it is."""
        return draft


@pytest.fixture(autouse=True)
def one_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw one epoch more at a time than the time before."""
    monkeypatch.setattr(ahead, "_MORE_SLOTS", 1)


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, range, range]]:
    """Note what is drawn."""
    asked: list[tuple[int, range, range]] = []

    def draw(plan: Plan, seed: int, epochs: range, steps: range) -> Any:
        asked.append((seed, epochs, steps))
        return drawing(plan, seed, epochs, steps)

    drawing = ahead.draw_epochs
    monkeypatch.setattr(ahead, "draw_epochs", draw)
    return asked


def batches(of: Ahead, *address: Any) -> list[list[int]]:
    """Return batches, of which it is seen that they are those of their address."""
    found = list(of.batches(*address))
    assert found == list(iterate_batches(PLAN, *address))
    return found


@pytest.mark.parametrize(
    ("slots", "stops"),
    [
        (1, [3, 4, 6, 9, 13, 18, 24, 31, 39, 48]),
        (2399, [3, 4, 7, 12, 19, 28, 38, 48]),
        (2400, [3, 4, 8, 15, 25, 35, 45]),
        (1 << 13, [3, 4, 14, 24, 34, 44]),
    ],
)
def test_of_epochs_that_follow_more_are_drawn_each_time(
    monkeypatch: pytest.MonkeyPatch, drawn: list[tuple[int, range, range]], slots: int, stops: list[int]
) -> None:
    """By so many whole epochs as have so many slots, or by one; a block of 4096 batches has ten epochs of 400."""
    monkeypatch.setattr(ahead, "_MORE_SLOTS", slots)
    epochs, steps = Ahead(PLAN), range(400)
    for epoch in range(3, stops[-1]):
        batches(epochs, 7, epoch, steps)
    assert drawn == [(7, range(*ends), steps) for ends in itertools.pairwise(stops)]


@pytest.mark.parametrize(
    ("address", "again"),
    [
        ((7, 6, range(5)), range(6, 7)),
        ((7, 2, range(5)), range(2, 3)),
        ((8, 5, range(5)), range(5, 6)),
        ((7, 5, range(1, 5)), range(5, 6)),
        ((7, 5, range(0, 10, 2)), range(5, 6)),
        ((8, 4, range(5)), range(4, 5)),
        ((7, 4, range(1, 6)), range(4, 5)),
        ((7, 4, range(0, 5, 2)), range(4, 5)),
        ((7, 4, range(0, 10, 2)), range(4, 5)),
        ((7, 3, range(5)), None),
        ((7, 4, range(5)), None),
    ],
    ids=[
        "beyond",
        "before",
        "next, of a seed",
        "next, of fewer steps",
        "next, of a stride",
        "kept, of a seed",
        "kept, of other steps",
        "kept, of a stride to the same end",
        "kept, of a stride of as many steps",
        "again",
        "kept",
    ],
)
def test_what_does_not_follow_is_drawn_alone(
    drawn: list[tuple[int, range, range]], address: tuple[int, int, range], again: range | None
) -> None:
    """Epochs 3 and 4 are kept; another seed, other steps or an epoch that does not follow start anew."""
    epochs = Ahead(PLAN)
    for epoch in (2, 3):
        batches(epochs, 7, epoch, range(5))
    assert [kept for _, kept, _ in drawn] == [range(2, 3), range(3, 5)]
    batches(epochs, *address)
    assert [kept for _, kept, _ in drawn[2:]] == ([] if again is None else [again])


@pytest.mark.parametrize(("steps", "times"), [(0, 0), (1, 2), (2048, 2), (2049, 0)])
def test_long_epochs_are_not_kept(drawn: list[tuple[int, range, range]], steps: int, times: int) -> None:
    """Where a block has a single epoch, or there is no step, nothing is drawn ahead."""
    epochs = Ahead(PLAN)
    for epoch in range(3):
        batches(epochs, 0, epoch, range(steps))
    assert len(drawn) == times


@pytest.mark.parametrize("limit", [1, 4096])
def test_nothing_is_drawn_ahead_draft_by_draft(
    monkeypatch: pytest.MonkeyPatch, drawn: list[tuple[int, range, range]], limit: int
) -> None:
    """A stage that works on one draft after the other takes its time, unless all drafts are known beforehand."""
    monkeypatch.setattr(plan_module, "_SITUATIONS", limit)
    plan = Plan(Pipeline([ExperimentSelector(), Same(), Drawer()]), PLAN.index, batch_size=2)
    epochs = Ahead(plan)
    found = [list(epochs.batches(0, epoch, range(1))) for epoch in range(3)]
    assert found == [list(iterate_batches(PLAN, 0, epoch, range(1))) for epoch in range(3)]
    assert len(drawn) == (0 if limit == 1 else 2)


def test_passes_at_once_keep_their_batches() -> None:
    """Epochs that are drawn while others are walked through do not change those."""
    epochs, steps = Ahead(PLAN), range(9)
    walks = [epochs.batches(1, epoch, steps) for epoch in (0, 1, 0, 5)]
    expected = [list(iterate_batches(PLAN, 1, epoch, steps)) for epoch in (0, 1, 0, 5)]
    assert [list(turn) for turn in zip(*walks, strict=True)] == [list(turn) for turn in zip(*expected, strict=True)]


def test_a_draw_that_fails_ends_its_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pass is over, as a generator is; it does not go on with another epoch."""
    monkeypatch.setattr(ahead, "draw_epochs", lambda *_: 1 // 0)
    running = iter(PipelineSampler(TABLE, STAGES, batch_size=2))
    with pytest.raises(ZeroDivisionError):
        next(running)
    with pytest.raises(StopIteration):
        next(running)


def test_what_is_drawn_ahead_is_no_state() -> None:
    """Copies are without it and go on all the same; asking for a batch leaves it alone."""
    sampler, fresh = (PipelineSampler(TABLE, STAGES, batch_size=2, num_batches=30) for _ in range(2))
    unused = len(pickle.dumps(sampler))
    for _ in range(4):
        list(sampler)
    kept = sampler._ahead._drawn
    assert kept.rows.size == 3 * 30 * 2
    copies = [pickle.loads(pickle.dumps(sampler)), copy.deepcopy(sampler)]  # noqa: S301 - a sampler of our own.
    assert [one._ahead._drawn.rows.size for one in copies] == [0, 0]
    assert [one._ahead._plan is one.plan for one in copies] == [True, True]
    assert len(pickle.dumps(sampler)) < unused + 100
    assert [sampler.batch(3, epoch=9)] == [fresh.batch(3, epoch=9)]
    assert sampler._ahead._drawn is kept
    assert np.array_equal([list(one) for one in copies], [list(sampler)] * 2)


def test_smaller_last_batches_are_drawn_ahead_too() -> None:
    """Over epochs, what iteration delivers is what `batch` finds at each address."""
    sampler = PipelineSampler(TABLE, STAGES, batch_size=3, drop_last=False, num_replicas=2, rank=0)
    expected = [[sampler.batch(step, epoch) for step in (0, 2)] for epoch in range(6)]
    assert [list(sampler) for _ in range(6)] == expected
    assert [len(batch) for batch in expected[0]] == [3, 2]
    assert sampler._short_ahead is not None
    assert sampler._short_ahead._drawn.epochs == sampler._ahead._drawn.epochs == range(3, 6)


PAGES = """
import resource

import numpy as np

from batchwright import ConditionBalancer, Drawer, ExperimentSelector, MetadataIndex, Pipeline, Plan, TemporalEnricher
from batchwright.ahead import Ahead

rng = np.random.default_rng(0)
table = {"experiment": rng.integers(0, 3, 10_000), "condition": rng.integers(0, 4, 10_000), "hours": rng.random(10_000)}
chain = Pipeline([ExperimentSelector(), ConditionBalancer(), TemporalEnricher("hours", 0.04), Drawer()])
epochs = Ahead(Plan(chain, MetadataIndex.from_table(table, chain.key_columns, "hours"), batch_size=32))
# From epoch 78 on blocks are as large as they get.
for epoch in range(180):
    if epoch == 100:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in epochs.batches(0, epoch, range(312)):
        pass
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="pages are counted as the allocator of glibc takes them")
def test_memory_is_not_fetched_again_for_each_block() -> None:
    """In a new process, which has freed nothing large, a batch takes no page of memory from the system."""
    found = subprocess.run([sys.executable, "-c", PAGES], capture_output=True, text=True, check=True)  # noqa: S603 - ours.
    assert int(found.stdout) < 0.02 * 80 * 312
