"""What measures costs works, at sizes where nothing is to be learnt from them."""

import json
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import attrs
import numpy as np
import pytest
from build_cost import BY, builds, by_groups, by_intersection, make_tables
from cascade import Cascade
from floor import floor_batches
from lines import lines_of
from rates import Cost, measure, typical
from settings import Setting, all_settings, make_table

SMALL = Setting("rows", 1300, batch_size=20)


def test_the_rule_of_cost() -> None:
    """Preparation counts once, and what was taken of the rest is scaled to the epoch."""
    assert Cost(steps=11, taken=6, preparation=1.0, rest=5.0, size=2).batch == pytest.approx(1.0)
    assert Cost(steps=1, taken=1, preparation=3.0, rest=0.0, size=2).batch == 3.0
    assert measure(lambda: [[0, 1]] * 5, 5, budget=60).taken == 5
    assert measure(lambda: [[0, 1]] * 5, 5, budget=0).taken == 1


def test_an_epoch_counts_to_its_end() -> None:
    """What stands behind the last batch is run where all are taken, and not where the epoch is left before."""
    ends = []

    def epoch() -> Iterator[list[int]]:
        yield from [[0, 1]] * 5
        ends.append(1)

    assert measure(epoch, 5, budget=0).taken == 1
    assert ends == []
    assert measure(epoch, 5, budget=60).taken == 5
    assert ends == [1]


def test_the_median_of_runs_of_short_epochs_counts() -> None:
    """An epoch is begun again until enough was spent, and means of two out of ten have this median."""

    def costs(*rest: float) -> Callable[[], Cost]:
        return iter([Cost(2, 2, preparation=1.0, rest=seconds, size=2) for seconds in rest]).__next__

    assert typical(costs(0.0, 9.0), enough=1.0).rest == 0.0
    assert typical(costs(5.0, 1.0, 3.0, 9.0), enough=12.0).rest == 3.0
    assert typical(costs(0.0, 2.0, 9.0, 99.0, 4.0, 8.0, 1.0, 1.0, 7.0, 5.0, 0.0), enough=146.0).rest == 6.0


def test_the_cascade_re_told() -> None:
    """One experiment, a leak from the others, and conditions in equal parts, of which the last takes the rest."""
    table = make_table(SMALL)
    for batch in islice(Cascade(table, 20, 0.1), 20):
        experiments = table["experiment"][batch]
        assert (experiments[:18] == experiments[0]).all()
        assert (experiments[18:] != experiments[0]).all()
        assert np.bincount(table["condition"][batch[:18]]).tolist() == [4, 4, 4, 6]


def test_the_cascade_with_a_window() -> None:
    """Seven tenths of the experiment's rows lie around one time."""
    table = make_table(SMALL)
    for batch in islice(Cascade(table, 20, 0.1, half_width=2.0), 20):
        assert np.ptp(table["hours"][batch[:13]]) <= 4


def test_the_floor() -> None:
    """It delivers as many batches as it is asked for."""
    batches = floor_batches(np.random.default_rng(0), np.arange(50, dtype=np.uint32), 7, 3)
    assert [len(batch) for batch in batches] == [7, 7, 7]


def test_pools_are_as_large_as_they_are_called() -> None:
    """Where pools are tight, each cell has the same number of rows."""
    for setting in all_settings([]):
        table = make_table(setting)
        cells = np.bincount(table["experiment"] * 4 + table["condition"])
        assert set(cells.tolist()) == {setting.rows // 64}


@pytest.mark.parametrize("line", lines_of(SMALL), ids=lambda line: line.name)
def test_every_line_delivers(line: object) -> None:
    """Each sampler delivers an epoch of full batches."""
    try:
        begin = line.make(SMALL)  # type: ignore[attr-defined]
    except ImportError as error:
        pytest.skip(str(error))
    cost = measure(begin, line.steps(SMALL), budget=60)  # type: ignore[attr-defined]
    assert (cost.taken, cost.size) == (cost.steps, 20)


def test_the_report(tmp_path: Path) -> None:
    """Ratios stand in the tables, the page keeps what stands around them, and the picture names its lines."""
    pytest.importorskip("matplotlib")
    import report  # noqa: PLC0415 - it draws, with a library that may not be installed.

    runs = [
        {"setting": attrs.asdict(setting), "line": line.name, "repeat": 0, "batch": 1e-6 * (at + 1)}
        for setting in all_settings([1000, 2000])
        for at, line in enumerate(lines_of(setting))
    ]
    (tmp_path / "cost.json").write_text(json.dumps({"benchmarks": [{"extra_info": run} for run in runs]}))
    read = report.read(tmp_path / "cost.json")
    page = tmp_path / "page.md"
    page.write_text(f"before\n{report.MARKS[0]}\nstale\n{report.MARKS[1]}\nafter\n")
    report.write_between(page, report.render(read))
    text = page.read_text()
    assert text.startswith("before\n")
    assert text.endswith("\nafter\n")
    assert "stale" not in text
    assert "| floor in NumPy | 4 (4) | 4 (4) |" in text
    some = report.render(read[(read.line != "floor in NumPy") & ~read.line.str.contains("rank")])
    assert "over the floor" not in some
    assert "of a rank" not in some
    report.draw(read, tmp_path / "cost.svg")
    assert "<svg" in (tmp_path / "cost.svg").read_text()


def test_every_table_is_built_beside_the_others() -> None:
    """A line has its name, the time, three ratios, and bytes kept and at most."""
    assert [line.count(" | ") for line in builds(100)] == [6] * 6


def test_lists_of_pairs_are_the_same_by_intersection_and_by_groupby() -> None:
    """What builds are measured beside holds every row: by experiment, by condition, and by both."""
    _, table, _ = next(make_tables(500))
    experiments, conditions, pairs = by_intersection(table)
    by_experiment, by_both = by_groups(table)
    assert conditions.keys() == set(table[BY[1]])
    for ours, theirs in ((experiments, by_experiment), (pairs, by_both)):
        assert {key: rows.tolist() for key, rows in ours.items()} == {
            key: rows.tolist() for key, rows in theirs.items()
        }
