"""One right sampler, and many that each have one fault: small, and hard to see."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from batchwright.testing import Claims

ROWS, SIZE, STEPS = 110, 8, 13


class Right:
    """Thirteen batches of eight out of 110 rows, without repeats; ranks in turn; resumes on any number of them."""

    def __init__(self, seed: int = 0, num_replicas: int = 1, rank: int = 0) -> None:
        self.seed, self.num_replicas, self.rank = seed, num_replicas, rank
        self.epoch, self.start, self.live = 0, 0, False

    def set_epoch(self, epoch: int) -> None:
        if epoch != self.epoch:
            self.epoch, self.start = epoch, 0
        self.live = False

    def rng(self, epoch: int) -> np.random.Generator:
        return np.random.default_rng([self.seed, epoch])

    def batches(self, epoch: int) -> list[list[int]]:
        """Return the batches of an epoch, and more of the same kind to fill a last round."""
        rng = self.rng(epoch)
        rounds = [rng.permutation(ROWS)[: STEPS * SIZE].reshape(-1, SIZE) for _ in range(2)]
        return np.concatenate(rounds).tolist()  # type: ignore[no-any-return]

    def __len__(self) -> int:
        return (STEPS + self.num_replicas - 1) // self.num_replicas

    def __iter__(self) -> Iterator[list[int]]:
        if self.live:
            self.epoch, self.start = self.epoch + 1, 0
        self.live = True
        batches, start = self.batches(self.epoch), self.start
        for first in range(start, STEPS, self.num_replicas):
            self.start = min(STEPS, first + self.num_replicas)
            yield batches[first + self.rank]
        self.epoch, self.start, self.live = self.epoch + 1, 0, False

    def state_dict(self) -> dict[str, int]:
        return {"epoch": self.epoch, "step": self.start}

    def load_state_dict(self, state: dict[str, int]) -> None:
        epoch, step = state["epoch"], state["step"]
        self.epoch, self.start = (epoch, step) if step < STEPS else (epoch + 1, 0)
        self.live = False

    def batch(self, step: int, epoch: int | None = None) -> list[int]:
        return self.batches(self.epoch if epoch is None else epoch)[step]


class StateOfTheLastRank(Right):
    def state_dict(self) -> dict[str, int]:
        return {"epoch": self.epoch, "step": max(0, self.start - self.num_replicas + 1 + self.rank)}


class StopsAfterALoad(Right):
    def __iter__(self) -> Iterator[list[int]]:
        return iter(()) if self.start and not self.live else super().__iter__()


class ResumesTheFirstEpoch(Right):
    def load_state_dict(self, state: dict[str, int]) -> None:
        super().load_state_dict({**state, "epoch": 0} if 0 < state["step"] < STEPS else state)


class ResumesOneOffAtStepFive(Right):
    def load_state_dict(self, state: dict[str, int]) -> None:
        super().load_state_dict({**state, "step": 4} if state["step"] == 5 else state)


class ResumesByOwnCount(Right):
    def load_state_dict(self, state: dict[str, int]) -> None:
        super().load_state_dict({**state, "step": state["step"] // self.num_replicas})


class OneStateForAll(Right):
    """All states are one dict, which is brought up to date."""

    def state_dict(self) -> dict[str, int]:
        state: dict[str, int] = self.__dict__.setdefault("state", {})
        state.update(super().state_dict())
        return state


class LiveState(Right):
    def state_dict(self) -> dict[str, int]:
        return self.__dict__

    def load_state_dict(self, state: dict[str, int]) -> None:
        super().load_state_dict({"epoch": state["epoch"], "step": state["start"]})


class LoadingEmptiesTheState(Right):
    def load_state_dict(self, state: dict[str, int]) -> None:
        super().load_state_dict({key: state.pop(key) for key in list(state)})


class BatchSetsTheEpoch(Right):
    def batch(self, step: int, epoch: int | None = None) -> list[int]:
        self.epoch = self.epoch if epoch is None else epoch
        return super().batch(step)


class BatchOfEpochZero(Right):
    def batch(self, step: int, epoch: int | None = None) -> list[int]:
        return super().batch(step, epoch or 0)


class CopyLosesTheEpoch(Right):
    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "epoch": 0}


class CopyLosesTheRank(Right):
    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "num_replicas": 1, "rank": 0}


class CopyIsTheSame(Right):
    def __deepcopy__(self, _: Any) -> Right:
        return self


class FillsWithRubbish(Right):
    def batches(self, epoch: int) -> list[list[int]]:
        return [*super().batches(epoch)[:STEPS], *([[0, 0, ROWS]] * STEPS)]


class NothingOnRanks(Right):
    def __len__(self) -> int:
        return STEPS if self.num_replicas == 1 else 0

    def __iter__(self) -> Iterator[list[int]]:
        return super().__iter__() if self.num_replicas == 1 else iter(())


class LeavesOutRounds(Right):
    def __iter__(self) -> Iterator[list[int]]:
        yield from list(super().__iter__())[: STEPS // self.num_replicas**2]


class GlobalInLaterEpochs(Right):
    def rng(self, epoch: int) -> np.random.Generator:
        return np.random.default_rng([self.seed, epoch, random.getrandbits(9) if epoch else 0])


class LengthMovesGlobal(Right):
    def __len__(self) -> int:
        random.getrandbits(1)
        return super().__len__()


class OnlyTheOrderIsNew(Right):
    """The sum of seed and epoch decides the batches, both together their order."""

    def batches(self, epoch: int) -> list[list[int]]:
        batches = np.random.default_rng(self.seed + epoch).permutation(ROWS)[: STEPS * SIZE].reshape(-1, SIZE)
        return batches[self.rng(epoch).permutation(STEPS)].tolist()  # type: ignore[no-any-return]


class OneBatchIsNew(Right):
    def batches(self, epoch: int) -> list[list[int]]:
        return [*super().batches(0)[:12], *super().batches(epoch)[12:]]


class FourEpochs(Right):
    def rng(self, epoch: int) -> np.random.Generator:
        return super().rng(epoch % 4)


class EightEpochs(Right):
    def rng(self, epoch: int) -> np.random.Generator:
        return super().rng(epoch % 8)


class OneEpoch(Right):
    def __iter__(self) -> Iterator[list[int]]:
        return iter(()) if self.epoch else super().__iter__()


class FourSeedsApart(Right):
    def rng(self, epoch: int) -> np.random.Generator:
        return np.random.default_rng(self.seed * 4 + epoch)


class RanksPartLater(Right):
    def rng(self, epoch: int) -> np.random.Generator:
        return np.random.default_rng([self.seed, epoch, self.rank if epoch > 2 else 0])


class OneIterator(Right):
    sampler = property(lambda self: self)

    def __iter__(self) -> Iterator[list[int]]:
        self.__dict__.setdefault("iterator", iter(self.batches(self.epoch)))
        return self.iterator  # type: ignore[no-any-return]


class LastRowNeverComes(Right):
    def batches(self, epoch: int) -> list[list[int]]:
        return self.rng(epoch).permutation(ROWS - 1)[: STEPS * SIZE].reshape(-1, SIZE).tolist()  # type: ignore[no-any-return]


class OneOfSixTwice(Right):
    """Among six rows that are alike, one comes twice as often; 104 others drown it."""

    def batches(self, epoch: int) -> list[list[int]]:
        rng = self.rng(epoch)
        odds = np.where(np.arange(ROWS) == ROWS - 1, 2.0, 1.0)
        return [rng.choice(ROWS, SIZE, p=odds / odds.sum()).tolist() for _ in range(2 * STEPS)]


class SetsTheEpochOnce(Right):
    def set_epoch(self, epoch: int) -> None:
        if not self.__dict__.setdefault("done", False):
            super().set_epoch(epoch)
        self.done = True


class RoundsByGroup(Right):
    """Group a always has three of x and two of y, group b the other way round: right over both, wrong in each."""

    def batches(self, epoch: int) -> list[list[int]]:
        rng = self.rng(epoch)
        counts = {"a": (3, 2), "b": (2, 3)}
        return [self._draw(rng, group, counts[group]) for group in rng.choice(["a", "b"], 2 * STEPS)]

    @staticmethod
    def _draw(rng: np.random.Generator, group: str, counts: tuple[int, int]) -> list[int]:
        return [
            int(row)
            for label, count in zip("xy", counts, strict=True)
            for row in rng.choice([i for i in range(ROWS) if TABLE["cell"][i] == group + label], count, replace=False)
        ]


class RareLabelNeverComes(Right):
    def batches(self, epoch: int) -> list[list[int]]:
        rows = [i for i in range(ROWS) if TABLE["label"][i] == "x"]
        return [self.rng(epoch).choice(rows, 5, replace=False).tolist() for _ in range(2 * STEPS)]


TABLE = {
    "group": ["a"] * 60 + ["b"] * 50,
    "label": ["x", "y"] * 55,
    "six": ["many"] * 104 + ["few"] * 6,
}
TABLE["cell"] = [group + label for group, label in zip(TABLE["group"], TABLE["label"], strict=True)]

# The claims of a right sampler, without those about columns.
EVERY = Claims.every(batch_size=SIZE, hosts=False)

ALIKE = {"set_epoch": True, "uniform_within": ()}
BALANCE = {"set_epoch": True, "balance": "label"}

# The sampler, what it claims, and the check that is there for its fault; others may notice it, too.
FAULTS: dict[Callable[..., Any], tuple[dict[str, Any], str]] = {
    StateOfTheLastRank: ({"set_epoch": True, "elastic": True}, "elastic"),
    StopsAfterALoad: ({"set_epoch": True, "elastic": True}, "elastic"),
    ResumesTheFirstEpoch: ({"set_epoch": True, "resume": True}, "resume"),
    ResumesOneOffAtStepFive: ({"set_epoch": True, "stateful_loader": True}, "stateful_loader"),
    ResumesByOwnCount: ({"set_epoch": True, "resume": True}, "resume"),
    OneStateForAll: ({"set_epoch": True, "resume": True}, "resume"),
    LiveState: ({"set_epoch": True, "resume": True}, "resume"),
    LoadingEmptiesTheState: ({"set_epoch": True, "resume": True}, "resume"),
    BatchSetsTheEpoch: ({"new_epochs": True, "peeking": True, "random_access": True}, "peeking"),
    BatchOfEpochZero: ({"set_epoch": True, "random_access": True}, "random_access"),
    CopyLosesTheEpoch: ({"set_epoch": True, "copies": True}, "copies"),
    CopyLosesTheRank: ({"set_epoch": True, "copies": True}, "copies"),
    CopyIsTheSame: ({"set_epoch": True, "copies": True}, "copies"),
    FillsWithRubbish: ({"set_epoch": True, "indices": True}, "indices"),
    NothingOnRanks: ({"set_epoch": True, "equal_ranks": True}, "equal_ranks"),
    LeavesOutRounds: ({"set_epoch": True, "ranks": "rows"}, "rank_rows"),
    GlobalInLaterEpochs: ({"set_epoch": True, "isolated": True}, "global_random_state"),
    LengthMovesGlobal: ({"set_epoch": True, "isolated": True}, "global_random_state"),
    OnlyTheOrderIsNew: ({"set_epoch": True, "unrelated_seeds": True}, "unrelated_seeds"),
    OneBatchIsNew: ({"new_epochs": True}, "new_epochs"),
    FourEpochs: ({"set_epoch": True}, "set_epoch"),
    EightEpochs: ({"new_epochs": True}, "new_epochs"),
    OneEpoch: ({"new_epochs": True}, "new_epochs"),
    FourSeedsApart: ({"set_epoch": True, "unrelated_seeds": True}, "unrelated_seeds"),
    RanksPartLater: ({"set_epoch": True, "ranks": "steps"}, "rank_steps"),
    OneIterator: ({"hosts": True}, "hosts"),
    LastRowNeverComes: (ALIKE, "frequencies"),
    OneOfSixTwice: ({**ALIKE, "uniform_within": "six"}, "frequencies"),
    SetsTheEpochOnce: ({"set_epoch": True}, "set_epoch"),
    RoundsByGroup: ({**BALANCE, "group": "group"}, "mean_quotas"),
    RareLabelNeverComes: ({**BALANCE, "ratio": {"x": 99, "y": 1}}, "mean_quotas"),
}


def claims_of(fault: Callable[..., Any]) -> Claims:
    """Return what a sampler claims, its fault among it."""
    return Claims(**FAULTS[fault][0])
