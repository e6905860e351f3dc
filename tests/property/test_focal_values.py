"""The focal values of many drafts, where times repeat: the distinct ones of each draft, in their order."""

from itertools import chain
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchwright import Draft, DraftStack, MetadataIndex
from batchwright.stages import _focal

PLATES = range(6)
Hours = list[list[int | None]]
HOURS = st.lists(st.lists(st.integers(0, 99) | st.none(), min_size=1, max_size=60), min_size=6, max_size=6)
CHOSEN = st.lists(st.sets(st.sampled_from(PLATES), min_size=1), min_size=1, max_size=30)


def found(hours: Hours, chosen: list[set[int]]) -> list[list[float]]:
    """Return the focal values of drafts that each take some plates."""
    plates = np.repeat(PLATES, [len(column) for column in hours])
    table: dict[str, Any] = {"plate": plates, "hours": np.array([*chain(*hours)], dtype=float)}
    index = MetadataIndex.from_table(table, by="plate", order_by="hours")
    timeline: Any = index.timeline
    drafts: Any = [
        Draft.start(index, 60).split(lambda _, plates=plates: [(index.pool("plate", k), 1) for k in plates])
        for plates in chosen
    ]
    focal = _focal.FocalValues.of(DraftStack.of(drafts), timeline)
    values = timeline.times[focal.in_timeline(np.arange(focal.bounds[-1]))]
    return [part.tolist() for part in np.split(values, focal.bounds[1:-1])]


def expected(hours: Hours, chosen: list[set[int]]) -> list[list[float]]:
    return [sorted({float(h) for k in plates for h in hours[k] if h is not None}) for plates in chosen]


@given(HOURS, CHOSEN)
def test_of_any_drafts(hours: Hours, chosen: list[set[int]]) -> None:
    """Whichever way is shorter for them: few hours or many, few drafts or many, hours that are missing."""
    # Hours that are all different would not be listed.
    hours = [[0, *column] for column in hours]
    assert found(hours, chosen) == expected(hours, chosen)


@pytest.mark.parametrize("way", ["_marked", "_listed"])
def test_both_ways(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Many drafts of the same few plates are marked where these have most hours, and listed where they have few."""
    monkeypatch.delattr(_focal, {"_marked": "_listed", "_listed": "_marked"}[way])
    rng = np.random.default_rng(0)
    hours: Hours = [rng.choice(640, 500 if way == "_marked" else 2).tolist() for _ in PLATES]
    hours = [[0, *column] for column in hours]
    chosen = [set(rng.choice(6, 3, replace=False).tolist()) for _ in range(50)]
    assert found(hours, chosen) == expected(hours, chosen)


@given(HOURS, CHOSEN)
def test_in_lots(hours: Hours, chosen: list[set[int]]) -> None:
    """Listed for fewer drafts at a time, down to one, the values are the same."""
    hours = [[0, *column] for column in hours]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_focal, "_RUNS_AT_A_TIME", 20)
        patch.setattr(_focal, "_WORD", 1 << 20)  # Too many bits to mark.
        assert found(hours, chosen) == expected(hours, chosen)
