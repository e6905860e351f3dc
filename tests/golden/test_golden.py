"""A few batches, frozen.

A saved position is only worth something if the same address gives the same rows in the next release, on every
machine and with every version of NumPy. Everybody who resumes a run or replays a batch relies on these values.
Change them only on purpose, in a release that says so in the changelog.
"""

from typing import Any

import pytest

from batchwright import (
    ConditionBalancer,
    Drawer,
    ExperimentSelector,
    LeakMixer,
    PipelineSampler,
    TemporalEnricher,
)

ROWS = 120
TABLE = {
    "experiment": ["abc"[row % 7 % 3] for row in range(ROWS)],
    "condition": ["mock" if row % 5 else "virus" for row in range(ROWS)],
    "hours": [row % 11 / 2 for row in range(ROWS)],
}

SELECT = ExperimentSelector()
LEAK = LeakMixer(0.25)
BALANCE = ConditionBalancer()
WINDOW = TemporalEnricher("hours", half_width=1.0)

GOLDEN: dict[str, tuple[list[Any], int, int, int, list[int]]] = {
    "draw": ([], 0, 0, 0, [61, 54, 53, 115, 67, 46, 32, 119]),
    "select": ([SELECT], 0, 0, 1, [10, 105, 62, 111, 28, 101, 3, 73]),
    "select, other seed": ([SELECT], 1, 0, 1, [54, 5, 79, 100, 61, 96, 110, 12]),
    "select, other epoch": ([SELECT], 0, 1, 1, [19, 68, 12, 23, 5, 110, 114, 117]),
    "balance": ([BALANCE], 7, 2, 3, [96, 114, 91, 109, 75, 10, 70, 95]),
    "select, leak, balance": ([SELECT, LEAK, BALANCE], 2**64 - 1, 0, 14, [71, 109, 39, 15, 50, 95, 77, 12]),
    "window": ([WINDOW], 3, 1, 2, [33, 13, 79, 45, 101, 88, 19, 21]),
    "all": ([SELECT, LEAK, BALANCE, WINDOW], 5, 9, 0, [17, 41, 119, 115, 70, 20, 47, 44]),
}


@pytest.mark.parametrize("name", GOLDEN)
def test_batches_stay_what_they_are(name: str) -> None:
    """The batch at an address is the one that was there before."""
    stages, seed, epoch, step, batch = GOLDEN[name]
    assert PipelineSampler(TABLE, [*stages, Drawer()], batch_size=8, seed=seed).batch(step, epoch) == batch


def test_short_batches_stay_what_they_are() -> None:
    """So does the smaller last batch of an epoch, with the numbers that are set aside for a full one."""
    sampler = PipelineSampler(TABLE, [SELECT, LEAK, Drawer()], batch_size=35, drop_last=False)
    assert sampler.batch(3, epoch=1) == [24, 83, 66, 21, 70, 56, 7, 31, 112, 115, 118, 77, 78, 39, 43]


def test_states_stay_what_they_are() -> None:
    """A saved position of this release can be read by the next one."""
    sampler = PipelineSampler(TABLE, [SELECT, LEAK, BALANCE, WINDOW, Drawer()], batch_size=8, seed=5)
    sampler.seek(epoch=3, step=4)
    assert sampler.state_dict() == {
        "version": 2,
        "epoch": 3,
        "step": 4,
        "table": "60b5fcc409d0430b",
        "chain": "e42d2f4ad3f12725",
        "seed": 5,
        "checksum": "1f33d4010ce67c4e",
    }
