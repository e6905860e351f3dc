"""Small samplers that each have one defect which samplers in use have, or had, and the claim that it breaks.

None is anybody's code: each is the shortest sampler that shows what was reported.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import attrs
import numpy as np
import pandas as pd
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from batchwright import Drawer, ExperimentSelector, PipelineSampler
from batchwright.testing import Claims

SIZE = 8
TABLE = pd.DataFrame(
    {
        "group": np.repeat(["a", "b", "c", "d"], [120, 80, 60, 6]),
        "label": np.tile(["x", "x", "x", "x", "x", "y", "y"], 38),
        "seventh": np.tile(list("pqrstuv"), 38),
        "time": np.tile(np.arange(38), 7),
    }
)
ROWS = len(TABLE)


class Seeded:
    """A right sampler to go wrong from: each epoch is a permutation, cut into batches."""

    def __init__(self, seed: int = 0, num_replicas: int = 1, rank: int = 0) -> None:
        self.seed, self.num_replicas, self.rank = seed, num_replicas, rank
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        self.epoch = epoch

    def rng(self) -> np.random.Generator:
        return np.random.default_rng([self.seed, self.epoch])

    def batches(self) -> list[list[int]]:
        order: np.ndarray = self.rng().permutation(ROWS)
        return order[: ROWS // SIZE * SIZE].reshape(-1, SIZE).tolist()  # type: ignore[no-any-return]

    def __iter__(self) -> Iterator[list[int]]:
        return iter(self.batches()[self.rank :: self.num_replicas])

    def __len__(self) -> int:
        return len(self.batches()[self.rank :: self.num_replicas])


class RoundedUp(Seeded):
    """Every rank says that it has as many batches as the longest."""

    def __len__(self) -> int:
        return math.ceil(len(self.batches()) / self.num_replicas)


class WindowInsteadOfBalance(Seeded):
    """Rows around a time are drawn as they come, though labels are to be balanced."""

    def batches(self) -> list[list[int]]:
        near = [np.flatnonzero(abs(TABLE["time"] - time) <= 3) for time in self.rng().integers(0, 38, 30)]
        return [self.rng().choice(rows, SIZE, replace=False).tolist() for rows in near]


class LastTakesTheRest(Seeded):
    """Quotas are cut to integers, and the last label takes what is left."""

    def batches(self) -> list[list[int]]:
        rng = self.rng()
        quotas = [13 // 7] * 6 + [13 - 6 * (13 // 7)]
        pools = [np.flatnonzero(TABLE["seventh"] == label) for label in "pqrstuv"]
        draw = [
            [rng.choice(rows, quota, replace=False) for rows, quota in zip(pools, quotas, strict=True)]
            for _ in range(9)
        ]
        return [np.concatenate(parts).tolist() for parts in draw]


class RepeatsAtRandom(Seeded):
    """A group that is too small for a batch is drawn from with replacement."""

    def batches(self) -> list[list[int]]:
        rng = self.rng()
        pools = [np.flatnonzero(TABLE["group"] == group) for group in rng.choice(["a", "d"], 20)]
        return [rng.choice(rows, SIZE, replace=len(rows) < SIZE).tolist() for rows in pools]


class SomeLabels(Seeded):
    """Right: batches of four rows of each of two labels out of seven."""

    def batches(self) -> list[list[int]]:
        rng = self.rng()
        chosen = [rng.choice(list("pqrstuv"), 2, replace=False) for _ in range(30)]
        pools = [[np.flatnonzero(TABLE["seventh"] == label) for label in labels] for labels in chosen]
        return [np.concatenate([rng.choice(rows, 4, replace=False) for rows in parts]).tolist() for parts in pools]


class SumOfSeedAndEpoch(Seeded):
    """The generator is seeded with the sum of seed and epoch."""

    def rng(self) -> np.random.Generator:
        return np.random.default_rng(self.seed + self.epoch)


class EpochInTheCopy(IterableDataset[list[int]]):
    """A stream counts its epochs itself; worker processes count in a copy that ends with them."""

    def __init__(self, seed: int, num_replicas: int = 1, rank: int = 0) -> None:
        self.seed, self.epoch, self.num_replicas, self.rank = seed, 0, num_replicas, rank

    def __iter__(self) -> Iterator[list[int]]:
        order = np.random.default_rng([self.seed, self.epoch]).permutation(ROWS)
        self.epoch += 1
        # Blocks are dealt out in turn to ranks, and then to workers, whatever their number.
        blocks = order[: ROWS // 40 * 40].reshape(-1, 40)[self.rank :: self.num_replicas]
        info = get_worker_info()
        for block in blocks if info is None else blocks[info.id :: info.num_workers]:
            yield from block.reshape(-1, SIZE).tolist()


def stream_loader(seed: int, num_workers: int = 0, num_replicas: int = 1, rank: int = 0) -> DataLoader[list[int]]:
    return DataLoader(EpochInTheCopy(seed, num_replicas, rank), batch_size=None, num_workers=num_workers)


class Evened:
    """A trainer's wrapper: it deals out batches, and fills the last round with rows of the first batches."""

    def __init__(self, seed: int = 0, num_replicas: int = 1, rank: int = 0) -> None:
        chain = [ExperimentSelector(by="group"), Drawer()]
        self.inner = PipelineSampler(TABLE, chain, SIZE, num_replicas=1, drop_last=False, seed=seed)
        self.num_replicas, self.rank = num_replicas, rank

    def __iter__(self) -> Iterator[list[int]]:
        batches = list(self.inner)
        first = [row for batch in batches for row in batch]
        whole = [(batch + first)[:SIZE] for batch in batches]
        yield from whole[self.rank :: self.num_replicas]


class NoDuplicates(Seeded):
    """Batches hold each value of a column at most once; the length is a formula that does not know it."""

    def batches(self) -> list[list[int]]:
        waiting, batches = self.rng().permutation(ROWS).tolist(), []
        while waiting:
            batch: dict[Any, int] = {}
            for row in waiting:
                if len(batch) < SIZE:
                    batch.setdefault(TABLE["time"].iloc[row], row)
            waiting = [row for row in waiting if row not in set(batch.values())]
            batches.append(list(batch.values()))
        return [batch for batch in batches if len(batch) == SIZE]

    def __len__(self) -> int:
        return ROWS // SIZE


class UnsynchronisedRanks(Seeded):
    """Each rank takes its part of a list that it draws itself from the global generator."""

    def batches(self) -> list[list[int]]:
        order = np.random.permutation(ROWS)  # noqa: NPY002 - the defect.
        return order[: ROWS // SIZE * SIZE].reshape(-1, SIZE).tolist()  # type: ignore[no-any-return]


class RunsAlike(Seeded):
    """A class is drawn from by its runs, short ones as often as long ones."""

    def batches(self) -> list[list[int]]:
        rng = self.rng()
        runs = [range(100), range(100, 110), range(110, 120)]
        return [[int(rng.choice(runs[k])) for k in rng.integers(0, 3, SIZE)] for _ in range(30)]


class LengthBuildsAnEpoch(Seeded):
    """`len` draws an epoch to count its batches, and that is not the one that is delivered."""

    def __init__(self, seed: int = 0) -> None:
        super().__init__(seed)
        self.generator = np.random.default_rng(seed)

    def batches(self) -> list[list[int]]:
        kept = self.generator.permutation(ROWS)[: self.generator.integers(100, ROWS)]
        return [kept[start : start + SIZE].tolist() for start in range(0, len(kept), SIZE)]


class CutOnce(Seeded):
    """Batches are cut once, by the global generator, and from then on only change places."""

    def __init__(self, seed: int = 0, num_replicas: int = 1, rank: int = 0) -> None:
        super().__init__(seed, num_replicas, rank)
        order = np.random.permutation(ROWS)  # noqa: NPY002 - the defect.
        self.cut = order[: ROWS // SIZE * SIZE].reshape(-1, SIZE)

    def __iter__(self) -> Iterator[list[int]]:
        mine = self.cut[self.rank :: self.num_replicas]
        self.epoch += 1
        yield from mine[self.rng().permutation(len(mine))].tolist()


@attrs.frozen
class Case:
    """A stand-in, what it claims, and the checks that must fail, no others."""

    factory: Callable[..., Any]
    claims: Claims
    fails: frozenset[str]


CASES = {
    "len is rounded up on all ranks": Case(
        RoundedUp, Claims(length=True, equal_ranks=True, batch_size=SIZE), frozenset({"length", "equal_ranks"})
    ),
    "a window switches the balance off": Case(
        WindowInsteadOfBalance, Claims(balance="label", batch_size=SIZE), frozenset({"quotas"})
    ),
    "the last label takes the rest": Case(
        LastTakesTheRest, Claims(balance="seventh", batch_size=13), frozenset({"quotas", "mean_quotas"})
    ),
    "a small group repeats at random": Case(
        RepeatsAtRandom, Claims(group="group", even_draw=True, batch_size=SIZE), frozenset({"even_draw"})
    ),
    "some labels are right": Case(
        SomeLabels, Claims(set_epoch=True, balance="seventh", labels_per_batch=2, batch_size=SIZE), frozenset()
    ),
    "some labels are not so many": Case(
        SomeLabels,
        Claims(set_epoch=True, balance="seventh", labels_per_batch=3, batch_size=SIZE),
        frozenset({"quotas"}),
    ),
    "seed and epoch are summed": Case(
        SumOfSeedAndEpoch, Claims(seeded=True, set_epoch=True, unrelated_seeds=True), frozenset({"unrelated_seeds"})
    ),
    "the epoch lives in the workers' copy": Case(
        stream_loader,
        Claims(seeded=True, new_epochs=True, equal_ranks=True),
        frozenset({"new_epochs_in_workers", "equal_ranks"}),
    ),
    "a wrapper evens out with other groups": Case(
        Evened, Claims(seeded=True, group="group", hosts=True), frozenset({"purity", "hosts"})
    ),
    "len is a formula": Case(NoDuplicates, Claims(seeded=True, length=True), frozenset({"length"})),
    "ranks draw for themselves": Case(
        UnsynchronisedRanks, Claims(ranks="rows", isolated=True), frozenset({"rank_rows", "global_random_state"})
    ),
    "runs count alike": Case(
        RunsAlike, Claims(seeded=True, set_epoch=True, uniform_within="group"), frozenset({"frequencies"})
    ),
    "len builds another epoch": Case(
        LengthBuildsAnEpoch, Claims(new_epochs=True, length=True, peeking=True), frozenset({"length", "peeking"})
    ),
    "batches are cut once": Case(
        CutOnce,
        Claims(batch_size=SIZE, ranks="rows", new_epochs=True),
        frozenset({"rank_rows", "new_epochs", "new_epochs_in_workers"}),
    ),
}
