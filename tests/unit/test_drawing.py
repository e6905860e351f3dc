"""Block drawing: how an epoch is cut into blocks, which path a number takes, and where drawn rows are found."""

from types import SimpleNamespace
from typing import Any

import attrs
import numpy as np
import pytest

from batchwright import (
    Choice,
    ConditionBalancer,
    Draft,
    DraftStack,
    Drawer,
    ExperimentSelector,
    LeakMixer,
    MetadataIndex,
    Options,
    Pipeline,
    Plan,
    Pool,
    Pools,
    Stage,
    TemporalEnricher,
    drawing,
)
from batchwright import plan as plan_module
from batchwright.drawing import as_lists, draw_block, iterate_batches, most_at_once
from batchwright.layout import Layout
from batchwright.stream import keys_of, uniforms

TABLE = {"experiment": [*"aabbccdd"], "condition": [*"xyxyxyxy"], "hours": [0, 1, 2, 3] * 2}
INDEX = MetadataIndex.from_table(TABLE, by=["experiment", "condition"], order_by="hours")
LABELS = np.array(TABLE["experiment"])
BELOW_ONE = float(np.nextafter(1.0, 0.0))


def make_plan(*stages: Any, batch_size: int = 2) -> Plan:
    return Plan(Pipeline([*stages, Drawer()]), INDEX, batch_size)


WHOLE, OPEN, ONE_BY_ONE = "whole", "open", "draft by draft"


@pytest.mark.parametrize(
    ("batch_size", "breadth", "trunk", "blocks"),
    [
        (4, 2, WHOLE, [64, 4096, 4096, 439]),
        (128, 2, WHOLE, [64, 1024, 1024, 13]),
        (128, 1 << 14, WHOLE, [64, 1024, 1024]),
        (1 << 17, 2, WHOLE, [1] * 30),
        (1 << 18, 2, WHOLE, [1] * 30),
        (4, 2, OPEN, [64, 4096, 4096, 439]),
        (128, 16, OPEN, [64, 4096, 4096, 823]),
        (129, 2, OPEN, [64, 4064, 4064, 840]),
        (1 << 14, 2, OPEN, [32, 32, 2]),
        (1 << 15, 2, OPEN, [16, 16, 16, 2]),
        (1 << 19, 2, OPEN, [1] * 30),
        (1 << 20, 2, OPEN, [1] * 30),
        (4, 300, OPEN, [64, 218, 218, 87]),
        (4, 1 << 14, OPEN, [4, 4, 4, 3]),
        (4, 1 << 16, OPEN, [1] * 30),
        (4, 1 << 17, OPEN, [1] * 30),
        (4, 2, WHOLE, [4096]),
        (4, 2, OPEN, [4096]),
        (4, 2, OPEN, [64, 4033]),
        (128, 2, WHOLE, [1024]),
        (128, 2, WHOLE, [64, 961]),
        (128, 2, OPEN, [4096]),
        (129, 2, OPEN, [4064]),
        (129, 2, OPEN, [64, 4001]),
        (1024, 2, OPEN, [512]),
        (128, 1 << 14, WHOLE, [64, 36]),
        (4, 2, ONE_BY_ONE, [64, 36]),
        (4, 2, ONE_BY_ONE, [64, 4096, 1]),
        (4, 2, ONE_BY_ONE, [1]),
    ],
)
def test_blocks_grow_unless_one_has_all(
    monkeypatch: pytest.MonkeyPatch, batch_size: int, breadth: int, trunk: str, blocks: list[int]
) -> None:
    """They start with 64 batches, and go on with as many as memory bears.

    That is a lot of 4096 batches or 131072 slots; or where leaves are still to be worked out 4096 batches, 524288 slots
    or 65536 ranges. What a stage works out draft by draft does not come at once.
    """
    asked: list[tuple[Any, ...]] = []

    def lots(*address: Any) -> Any:
        asked.append(address)
        return [address[1][:, None]]

    def keys(seed: int, epochs: range, steps: range) -> Any:
        assert (seed, epochs) == (5, range(6, 7))
        return np.array([steps])

    monkeypatch.setattr(drawing, "_lots", lots)
    monkeypatch.setattr(drawing, "keys_of", keys)
    trunk_of_plan = SimpleNamespace(is_whole=trunk == WHOLE)
    plan: Any = SimpleNamespace(
        batch_size=batch_size, breadth=breadth, one_by_one=trunk == ONE_BY_ONE, trunk=trunk_of_plan
    )
    batches = list(iterate_batches(plan, 5, 6, range(sum(blocks))))
    assert batches == [[step] for step in range(sum(blocks))]
    assert [keys.size for _, keys in asked] == blocks
    assert {id(made) for made, _ in asked} == {id(plan)}


@pytest.mark.parametrize(
    ("batch_size", "breadth", "count"),
    [(2, 2, 4096), (128, 2, 4096), (129, 2, 4064), (1 << 20, 2, 1), (2, 1 << 4, 4096), (2, 100, 655), (2, 1 << 17, 1)],
)
def test_what_is_drawn_at_once_is_bounded(batch_size: int, breadth: int, count: int) -> None:
    """These are 4096 batches, 524288 slots and 65536 ranges at most, or a single batch."""
    plan: Any = SimpleNamespace(batch_size=batch_size, breadth=breadth, one_by_one=False)
    assert most_at_once(plan) == count


@pytest.mark.parametrize("batch_size", [1, 2, 5, 6, 7, 12, 13])
def test_lists_are_made_some_at_a_time(monkeypatch: pytest.MonkeyPatch, batch_size: int) -> None:
    """Those of as many batches as have 12 rows, or of one that has more."""
    monkeypatch.setattr(drawing, "_SLOTS_OF_LISTS", 12)
    rows = np.arange(7 * batch_size).reshape(7, batch_size)
    asked: list[int] = []

    class Seen(np.ndarray):  # type: ignore[type-arg] # - of rows of any kind.
        def tolist(self) -> Any:
            asked.append(self.shape[0])
            return super().tolist()

    assert list(as_lists(rows.view(Seen))) == rows.tolist()
    assert sum(asked) == 7
    assert max(asked) == max(1, min(7, 12 // batch_size))


def test_no_step_has_no_batch() -> None:
    """An empty range of steps ends at once."""
    assert list(iterate_batches(make_plan(), 0, 0, range(4, 4))) == []


def test_smaller_batches_take_the_first_of_their_numbers() -> None:
    """A batch of another size has the same path and the same numbers for its rows."""
    smaller, larger = (draw_block(make_plan(ExperimentSelector(), batch_size=size), 0, 0, range(50)) for size in (1, 2))
    assert LABELS[smaller[:, 0]].tolist() == LABELS[larger[:, 0]].tolist()
    plan, numbers = make_plan(batch_size=4), uniforms(keys_of(0, range(1), range(50))[0], range(1, 5))
    quotas, sizes = np.full(50, 4), np.full(50, 8)
    assert draw_block(plan, 0, 0, range(50)).tolist() == INDEX.rows(Drawer().draw(quotas, sizes, numbers)).tolist()


@pytest.mark.parametrize("stages", [[ExperimentSelector()], [ExperimentSelector(), TemporalEnricher("hours", 1)]])
@pytest.mark.parametrize("limit", [1, 4096])
def test_lots_of_a_block_have_their_own_leaves(
    monkeypatch: pytest.MonkeyPatch, stages: list[Stage], limit: int
) -> None:
    """However a block is cut into lots, and however many of its leaves are known beforehand, it is the same.

    Batches of one row out of two, since both rows would hide which numbers chose them.
    """
    monkeypatch.setattr(plan_module, "_SITUATIONS", limit)
    block = draw_block(make_plan(*stages, batch_size=1), 0, 0, range(20)).tolist()
    monkeypatch.setattr(drawing, "_LOT", (3, 1 << 17))
    assert draw_block(make_plan(*stages, batch_size=1), 0, 0, range(20)).tolist() == block
    assert LABELS[np.array(block)[:3, 0]].tolist() != LABELS[np.array(block)[3:6, 0]].tolist()


def draw_along(monkeypatch: pytest.MonkeyPatch, plan: Plan, paths: list[float]) -> Any:
    """Return the batches whose paths are decided by the given numbers, and whose rows by 0."""

    def chosen(keys: Any, numbers: range) -> Any:
        return np.array(paths)[:, None] if numbers == range(1) else np.zeros((len(keys), len(numbers)))

    monkeypatch.setattr(drawing, "uniforms", chosen)
    return draw_block(plan, 1, 2, range(len(paths)))


def test_a_number_decides_the_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """A branch is an interval, its lower end included; batches come in the order of their steps."""
    plan = make_plan(ExperimentSelector(weights={"a": 1, "b": 0, "c": 1, "d": 2}))
    below = float(np.nextafter(0.5, 0.0))
    rows = draw_along(monkeypatch, plan, [0.5, 0.25, BELOW_ONE, 0.0, below, 0.25])
    assert LABELS[rows][:, 0].tolist() == [*"dcdacc"]
    assert LABELS[rows][:, 1].tolist() == [*"dcdacc"]


class Halves(Stage):
    """Choose between two experiments, as often as there are letters to choose by."""

    by = "experiment"

    def __init__(self, letters: str) -> None:
        self.letters = letters

    def apply(self, draft: Any) -> Any:
        """Return a choice of the first half of the letters or the second, and so on."""
        return self.choose(draft, self.letters)

    def choose(self, draft: Any, letters: str) -> Any:
        """Return the experiment of a letter, or a choice between two halves of them."""
        if len(letters) == 1:
            return draft.select(draft.index.pool("experiment", letters))
        half = len(letters) // 2
        return Choice([1, 1], lambda k: self.choose(draft, letters[half * k :][:half]))


def test_what_is_left_of_a_number_decides_the_next_level(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two halvings are four quarters, in order, whatever the order of the steps."""
    plan = make_plan(Halves("acdb"))
    rows = draw_along(monkeypatch, plan, [0.75, 0.0, 0.5, 0.25, BELOW_ONE, 0.74, 0.49, 0.24])
    assert LABELS[rows][:, 0].tolist() == [*"badcbdca"]


def test_what_rounds_up_to_1_stays_below_it() -> None:
    """The last number below a bound can be, by the rounding of floats, a whole interval away from the bound before."""
    weights = np.array([[3 * 2.0**-50, 13, 3]])
    options = Options(weights / weights.sum(), lambda *_: DraftStack.of([]))
    _, low, high, _ = options.bounds[0].tolist()
    last = float.fromhex("0x1.9ffffffffffffp-1")
    assert low < last < high
    assert (last - low) / (high - low) == 1
    found, rest = options.locate(np.array([0]), np.array([last]))
    assert (found.tolist(), rest.tolist()) == ([1], [BELOW_ONE])


def test_each_focal_value_is_an_interval(monkeypatch: pytest.MonkeyPatch) -> None:
    """Four hours are four quarters of the number, in order."""
    plan = make_plan(TemporalEnricher("hours", 0, 0.0))
    rows = draw_along(monkeypatch, plan, [0.0, 0.25, 0.5, BELOW_ONE])
    assert np.array(TABLE["hours"])[rows].tolist() == [[0, 0], [1, 1], [2, 2], [3, 3]]


def test_a_window_may_stand_before_another_stage() -> None:
    """A leak after a window brings in rows of other groups, whatever their hours."""
    plan = make_plan(ExperimentSelector(), TemporalEnricher("hours", 0, 0.0), LeakMixer(0.5))
    for batch in draw_block(plan, 0, 0, range(20)):
        assert len(set(LABELS[batch])) == 2


def test_far_addresses_are_looked_up_among_near_ones() -> None:
    """An address from the total on stands for a place in the far ranges; what lies below it is a position already."""
    pools = [Pool.of([2, 5, 8], [4, 6, 9], 10), Pool.of([0], [9], 10), Pool.of([0, 4, 8], [1, 5, 9], 10)]
    draft = Draft.start(INDEX, 1)
    stack = attrs.evolve(DraftStack.of([draft] * 3), pools=Pools.of(pools, 10))
    layout = Layout.of(stack)
    assert layout.columns.tolist() == [[1, 1, 1], [4, 9, 3], [10, 0, 14], [4, 9, 3], [0, 0, 0]]
    positions = np.array([10, 2, 11, 12, 9, 13, 14, 15, 16, 0])
    layout.resolve(positions)
    assert positions.tolist() == [2, 2, 3, 5, 9, 8, 0, 4, 8, 0]


def test_batches_of_scattered_and_whole_groups_stand_in_one_block() -> None:
    """Groups of one range, of two and of many are drawn side by side, each batch from its own group."""
    codes = np.arange(240)
    table = {"plate": codes // 2 % 30, "drug": np.where(codes < 80, 5, codes % 4)}
    index = MetadataIndex.from_table(table, by=["drug", "plate"])
    stages = [ExperimentSelector(by="plate"), LeakMixer(0.5), ConditionBalancer(by="drug", scope="all"), Drawer()]
    plan = Plan(Pipeline(stages), index, 8)
    block = draw_block(plan, 3, 0, range(300))
    for step, batch in enumerate(block.tolist()):
        assert batch == draw_block(plan, 3, 0, range(step, step + 1))[0].tolist()
        plates = table["plate"][batch]
        assert len(set(plates[:4])) == 1
        assert plates[0] not in plates[4:]
