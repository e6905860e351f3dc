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
    "draw": ([], 0, 0, 0, [62, 70, 103, 95, 18, 78, 104, 106]),
    "select": ([SELECT], 0, 0, 1, [60, 4, 99, 88, 81, 85, 8, 116]),
    "select, other seed": ([SELECT], 1, 0, 1, [38, 66, 17, 28, 90, 112, 41, 91]),
    "select, other epoch": ([SELECT], 0, 1, 1, [80, 35, 56, 101, 83, 34, 55, 41]),
    "balance": ([BALANCE], 7, 2, 3, [83, 117, 39, 33, 30, 85, 10, 0]),
    "select, leak, balance": ([SELECT, LEAK, BALANCE], 2**64 - 1, 0, 14, [17, 63, 119, 55, 105, 115, 1, 93]),
    "window": ([WINDOW], 3, 1, 2, [27, 75, 51, 115, 41, 17, 92, 13]),
    "all": ([SELECT, LEAK, BALANCE, WINDOW], 5, 9, 0, [8, 32, 29, 85, 85, 60, 66, 3]),
}


@pytest.mark.parametrize("name", GOLDEN)
def test_batches_stay_what_they_are(name: str) -> None:
    """The batch at an address is the one that was there before."""
    stages, seed, epoch, step, batch = GOLDEN[name]
    assert PipelineSampler(TABLE, [*stages, Drawer()], batch_size=8, seed=seed).batch(step, epoch) == batch


def test_short_batches_stay_what_they_are() -> None:
    """So does the smaller last batch of an epoch, with the first of the numbers of a full one."""
    sampler = PipelineSampler(TABLE, [SELECT, LEAK, Drawer()], batch_size=35, drop_last=False)
    assert sampler.batch(3, epoch=1) == [72, 37, 44, 89, 65, 96, 9, 58, 30, 47, 114, 117, 62, 39, 57]


def test_states_stay_what_they_are() -> None:
    """A saved position of this release can be read by the next one."""
    sampler = PipelineSampler(TABLE, [SELECT, LEAK, BALANCE, WINDOW, Drawer()], batch_size=8, seed=5)
    sampler.seek(epoch=3, step=4)
    assert sampler.state_dict() == {
        "version": 3,
        "epoch": 3,
        "step": 4,
        "table": "60b5fcc409d0430b",
        "chain": "e42d2f4ad3f12725",
        "seed": 5,
        "checksum": "e76679eebd85f30a",
    }
