"""`sampler_machine`: our sampler passes in every history that it thinks of, and wrong ones do not."""

from __future__ import annotations

from typing import Any

import attrs
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from batchwright import Drawer, ExperimentSelector, LeakMixer, MetadataIndex, PipelineSampler, SettingError
from batchwright.passes import Pass
from batchwright.state import Position
from batchwright.testing import sampler_machine

CHAIN = [ExperimentSelector(), LeakMixer(0.2), Drawer()]
TABLE = MetadataIndex.from_table({"experiment": ["a"] * 20 + ["b"] * 15}, by="experiment")

HISTORIES = {"deadline": None, "suppress_health_check": list(HealthCheck), "derandomize": True, "database": None}
# A fault is left in the history in which it was found; that histories shrink is the business of hypothesis.
UNSHRUNK = {**HISTORIES, "phases": [Phase.generate], "report_multiple_bugs": False}


def make(kind: type[PipelineSampler], num_replicas: int, rank: int) -> PipelineSampler:
    return kind(TABLE, CHAIN, 5, num_replicas=num_replicas, rank=rank)


TestPipelineSampler = sampler_machine(lambda num_replicas, rank: make(PipelineSampler, num_replicas, rank)).TestCase
TestPipelineSampler.settings = settings(max_examples=200, stateful_step_count=25, **HISTORIES)


class BatchMoves(PipelineSampler):
    """Looking at a batch moves the sampler."""

    def batch(self, step: int, epoch: int | None = None) -> list[int]:
        found = super().batch(step, epoch)
        self._progress.move(attrs.evolve(self._progress.position, step=1))
        return found


class SeekIsOneOff(PipelineSampler):
    def seek(self, epoch: int, step: int) -> None:
        super().seek(epoch, min(step + 1, 7))


class StateForgetsTheStep(PipelineSampler):
    def state_dict(self) -> dict[str, Any]:
        return self.state_at(self._progress.position.epoch, 0)


class StateCountsOwnBatches(PipelineSampler):
    """The state counts the batches of one rank, not of all."""

    def state_dict(self) -> dict[str, Any]:
        position = self._progress.position
        return self.state_at(position.epoch, position.step // self.num_replicas)


class SetEpochStartsAnew(PipelineSampler):
    """Setting the epoch that is set loses the place to resume from."""

    def set_epoch(self, epoch: int) -> None:
        super().set_epoch(epoch + 1)
        super().set_epoch(epoch)


class IterAdvances(PipelineSampler):
    """An iterator takes an epoch when it is made, used or not."""

    def __iter__(self) -> Pass:
        self._progress.move(Position(self.epoch + 1, 0))
        return super().__iter__()


class LengthOfTheWhole(PipelineSampler):
    def __len__(self) -> int:
        return 7


WRONG = [
    BatchMoves,
    SeekIsOneOff,
    StateForgetsTheStep,
    StateCountsOwnBatches,
    SetEpochStartsAnew,
    IterAdvances,
    LengthOfTheWhole,
]


@pytest.mark.parametrize("kind", WRONG)
def test_wrong_samplers_are_caught(kind: type[PipelineSampler]) -> None:
    """Each fault shows in some history, which is told step by step."""
    machine = sampler_machine(lambda num_replicas, rank: make(kind, num_replicas, rank))
    with pytest.raises((AssertionError, StopIteration, SettingError)) as caught:
        run_state_machine_as_test(machine, settings=settings(max_examples=300, stateful_step_count=25, **UNSHRUNK))
    assert "state = SamplerMachine()" in "\n".join([str(caught.value), *getattr(caught.value, "__notes__", [])])
