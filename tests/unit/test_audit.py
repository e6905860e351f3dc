"""`audit`: what batches held, beside what was expected, of our samplers and of anybody's."""

import json
import math
from collections import Counter
from typing import Any

import attrs
import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from torch.utils.data import BatchSampler, RandomSampler

from batchwright import (
    BaseDrawer,
    ConditionBalancer,
    Drawer,
    ExperimentSelector,
    LeakMixer,
    MetadataIndex,
    Pipeline,
    PipelineSampler,
    Plan,
    TemporalEnricher,
)
from batchwright.errors import SettingError, SettingTypeError, TableError
from batchwright.report import audit
from batchwright.report.columns import read_labels, read_times
from batchwright.report.drawn import DrawnBatches
from batchwright.report.moments import Moments
from batchwright.report.tally import Tally
from batchwright.testing.strategies import chains, samplers, tables
from reference import distribution
from refusals import refused

TABLE = {
    "donor": ["a"] * 6 + ["b"] * 4,
    "drug": ["x", "y"] * 5,
    "hours": [float(row) for row in range(10)],
}
SELECT, LEAK, BALANCE, DRAW = ExperimentSelector("donor"), LeakMixer(0.25), ConditionBalancer("drug"), Drawer()


def sampler(*stages: Any, batch_size: int = 4, **settings: Any) -> PipelineSampler:
    return PipelineSampler(TABLE, [*(stages or (SELECT, LEAK, BALANCE)), DRAW], batch_size, **settings)


@st.composite
def some_batches(draw: st.DrawFn, rows: int = 10) -> list[list[int]]:
    return draw(st.lists(st.lists(st.integers(0, rows - 1), min_size=1, max_size=7), min_size=1, max_size=6))


@given(batches=some_batches())
def test_numbers_are_those_of_plain_counting(batches: list[list[int]]) -> None:
    """Means, labels held, repeats, coverage and details of any batches are what a count of them by hand says."""
    found = audit(batches, TABLE, by=["drug", "donor"])
    counts = [Counter(TABLE["drug"][row] for row in batch) for batch in batches]
    n, size = len(batches), sum(map(len, batches)) / len(batches)
    of_drug = found.table[found.table["column"] == "drug"].set_index("label")
    assert of_drug["observed"].to_dict() == {label: sum(count[label] for count in counts) / n for label in "xy"}
    assert of_drug["shuffled"].to_dict() == pytest.approx({"x": size / 2, "y": size / 2})
    assert found.table[["expected", "z"]].isna().all(axis=None)
    assert found.batches["labels of drug"].tolist() == [len(count) for count in counts]
    assert found.batches["repeats"].tolist() == [len(batch) - len(set(batch)) for batch in batches]
    flat = [[row for batch in batches[: k + 1] for row in batch] for k in range(n)]
    assert found.coverage["drawn"].tolist() == [len(rows) for rows in flat]
    assert found.coverage["distinct"].tolist() == [len(set(rows)) for rows in flat]
    assert found.first["row"].tolist() == flat[-1]
    assert found.first["label of donor"].tolist() == [TABLE["donor"][row] for row in flat[-1]]


@given(data=st.data())
def test_variances_are_those_of_full_enumeration(data: st.DataObject) -> None:
    """The variance of the rows of each label agrees with that over every possible batch and its probability."""
    table = data.draw(tables(max_cells=3).filter(lambda table: len(table) <= 6))
    chain = data.draw(chains(table))
    batch_size = data.draw(st.integers(1, 3))
    plan = PipelineSampler(table, chain, batch_size, num_batches=1).plan
    chances = distribution(plan)
    for name in plan.index.columns:
        moments = Moments.of(plan.survey(), [name])[name]
        column = read_labels(table, name)
        for code in range(len(column.labels)):
            counts = {batch: sum(column.codes[row] == code for row in batch) for batch in chances}
            mean = sum(chances[batch] * count for batch, count in counts.items())
            variance = sum(chances[batch] * (count - mean) ** 2 for batch, count in counts.items())
            assert moments.variance is not None
            assert (moments.mean[code], moments.variance[code]) == pytest.approx((mean, variance), abs=1e-9)


@pytest.mark.parametrize("batch_size", range(1, 11))
def test_variance_of_an_even_draw_is_hypergeometric(batch_size: int) -> None:
    """Of five rows, three of them alike, any number drawn has the variance of all even draws there are."""
    index = MetadataIndex.from_table({"drug": list("xxxyy")}, "drug")
    plan = Plan(Pipeline([DRAW]), index, batch_size)
    chances = distribution(plan)
    mean, square = (sum(p * sum(row < 3 for row in batch) ** k for batch, p in chances.items()) for k in (1, 2))
    moments = Moments.of(plan.survey(), ["drug"])["drug"]
    assert moments.variance is not None
    assert (moments.mean[0], moments.variance[0]) == pytest.approx((mean, square - mean**2), abs=1e-9)


def test_scores_of_a_right_plan_are_standard() -> None:
    """Over 100 seeds the scores of a label have mean 0 and variance 1: the standard error is right."""
    scores = [audit(sampler(seed=seed), TABLE, 50).table["z"].to_numpy() for seed in range(100)]
    # Four standard errors of a mean of 100 are 4 / sqrt(100) = 0.4, those of a variance of nearly normal scores
    # 4 * sqrt(2 / 100) = 0.57.
    assert np.abs(np.mean(scores, axis=0)).max() < 0.4
    assert np.abs(np.var(scores, axis=0) - 1).max() < 0.57


@given(made=samplers(num_batches=40))
def test_no_built_in_chain_deviates(made: PipelineSampler) -> None:
    """Exact quotas agree exactly, and no score is beyond what Chebyshev allows in so many examples."""
    table = made.plan.index
    found = audit(made, table, 40, by=table.columns) if table.columns else None
    if found is not None:
        # Some 150 examples of at most 7 labels; Chebyshev at 60 gives 150 * 7 / 3600 = 0.3, and most scores are far
        # less spread out than that bound. The examples are fixed.
        assert (found.table["z"].abs() < 60).all()


@given(made=samplers())
def test_expected_coverage_goes_by_every_row_and_batch(made: PipelineSampler) -> None:
    """A row is seen after some batches unless each leaves it out, with its own probability, smaller batches as well."""
    index = made.plan.index
    assume(index.columns)
    found = audit(made, index, 2 * made.num_batches + 1, by=index.columns)
    sizes, missed = found.batches["rows"].tolist(), np.ones(found.rows)
    held = {size: Plan(made.plan.pipeline, index, size).expectation().inclusion.to_rows() for size in set(sizes)}
    for size, expected in zip(sizes, found.coverage["expected"].tolist(), strict=True):
        missed *= 1 - held[size]
        assert expected == pytest.approx((1 - missed).sum())


def test_coverage_comes_out_as_expected() -> None:
    """The mean of the distinct rows of 100 audits is the expected one, within 4 standard errors."""
    found = [audit(sampler(seed=seed), TABLE, 3).coverage for seed in range(100)]
    distinct = np.array([each["distinct"] for each in found])
    # A whole batch of distinct rows does not vary at all.
    tolerance = 4 * distinct.std(axis=0) / np.sqrt(len(found)) + 1e-9
    assert (np.abs(distinct.mean(axis=0) - found[0]["expected"]) <= tolerance).all()


def test_coverage_is_expected_where_a_plan_can_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a plan nothing is expected, and neither where it has more situations than are looked at."""
    assert audit([[0]], TABLE, by="donor").coverage["expected"].isna().all()
    monkeypatch.setattr("batchwright.plan._SURVEYED", 1)
    assert audit(sampler(), TABLE, 2).coverage["expected"].isna().all()


def test_what_cannot_vary_scores_zero_or_infinity() -> None:
    """A quota that is exact has score 0 where it is kept, and an infinite one where it is not."""
    plan = sampler(BALANCE).plan
    moments = {4: Moments.of(plan.survey(), ["drug"])["drug"]}
    assert moments[4].variance is not None
    assert not moments[4].variance.any()
    kept, broken = [[0, 1, 2, 3], [4, 5, 6, 7]], [[0, 1, 2, 3], [0, 2, 4, 5]]
    assert tally_of(kept).z_scores(moments).tolist() == [0, 0]
    assert tally_of(broken).z_scores(moments).tolist() == [math.inf, -math.inf]


def tally_of(batches: list[list[int]]) -> Tally:
    drawn = DrawnBatches.take(batches, len(batches), 10, progress=False)
    column = read_labels(TABLE, "drug")
    return Tally.of(column.codes[drawn.rows], drawn.owners, drawn.sizes, len(column.labels))


def test_a_wrong_expectation_is_found() -> None:
    """Batches of another chain than the plan says deviate, the worst label first."""

    class Cheat:
        plan = sampler(BALANCE).plan
        epoch, num_batches = 0, 50

        def batch(self, step: int, epoch: int) -> list[int]:
            return [0, 2, 4, (step + epoch) % 10]

    found = audit(Cheat(), TABLE, 100)
    assert found.deviating["label"].tolist() == ["x", "y"]
    assert found.deviating["z"].tolist() == [math.inf, -math.inf]


class Own(BaseDrawer):
    """A drawer of one's own, of which the plan knows means only."""

    def draw(self, quotas: Any, sizes: Any, uniforms: Any) -> Any:
        return (uniforms * np.repeat(sizes, quotas).reshape(uniforms.shape)).astype(np.int64)


@pytest.mark.parametrize("batch_size", [3, 4])
def test_without_exact_variance_the_batches_tell_it(batch_size: int) -> None:
    """A drawer of one's own is scored by the spread of the batches at hand, also where the last is short."""
    made = PipelineSampler(TABLE, [SELECT, Own()], batch_size, drop_last=False)
    found = audit(made, TABLE, 60).table
    counts = np.array(
        [
            [TABLE["donor"][row] == "a" for row in made.batch(k % len(made), k // len(made))].count(True)
            for k in range(60)
        ]
    )
    sizes = np.array([len(made.batch(k % len(made), k // len(made))) for k in range(60)])
    beyond = counts - 0.6 * sizes
    assert found["z"][0] == pytest.approx(beyond.mean() / (beyond.std(ddof=1) / math.sqrt(60)))
    assert audit(made, TABLE, 1).table["z"].isna().all()


def test_counts_that_seldom_vary_are_not_taken_for_constant() -> None:
    """A label of 0.25 rows a batch that no batch shows has the spread of whole numbers at least: sqrt(0.1875 / n)."""
    moments = {4: Moments(np.array([3.75, 0.25]), None)}
    batches = [[0, 2, 4, 6]] * 12
    assert tally_of(batches).z_scores(moments).tolist() == pytest.approx([2, -2])


def test_our_samplers_are_read_by_address_and_not_moved() -> None:
    """An audit sees epoch after epoch of all ranks, from the start of the epoch, and changes nothing."""
    made = sampler(num_replicas=2, rank=1)
    made.seek(3, 1)
    before = made.state_dict()
    found = audit(made, TABLE, 5)
    assert made.state_dict() == before
    addresses = [(0, 3), (1, 3), (0, 4), (1, 4), (0, 5)]
    assert found.first["row"].tolist() == [row for step, epoch in addresses for row in made.batch(step, epoch)]


def test_short_last_batches_are_expected_as_such() -> None:
    """Where the last batch of an epoch is smaller, the expectation is the mean over batches as large as they were."""
    found = audit(sampler(SELECT, drop_last=False, batch_size=4), TABLE, 6)
    assert found.batches["rows"].tolist() == [4, 4, 2] * 2
    assert found.table["expected"].tolist() == pytest.approx([10 / 3 * 0.6, 10 / 3 * 0.4])


def test_torch_and_other_sources_are_read() -> None:
    """A torch sampler, a generator, tensors and tuples are all sources; one pass is taken of them."""
    shuffled = BatchSampler(RandomSampler(range(10)), 3, drop_last=False)
    assert audit(shuffled, TABLE, by="drug").batches["rows"].tolist() == [3, 3, 3, 1]
    assert len(audit(shuffled, TABLE, 2, by="drug").batches) == 2
    assert audit((np.array([k, k]) for k in range(3)), TABLE, by="drug").batches["repeats"].tolist() == [1, 1, 1]
    assert audit([(1, 2)], TABLE, by="drug").sampler == "list"


@pytest.mark.parametrize("make", [dict, pd.DataFrame, lambda table: MetadataIndex.from_table(table, TABLE, "hours")])
def test_any_table_is_read(make: Any) -> None:
    """A dict, a frame and an index that orders rows by time give the same audit."""
    table = {name: values[::-1] for name, values in TABLE.items()}
    if make is not dict and make is not pd.DataFrame:
        table, make = MetadataIndex.from_table(table, ["donor", "drug"], "hours"), lambda table: table
    made = PipelineSampler(table, [SELECT, TemporalEnricher("hours", 1), DRAW], 4)
    frame = {name: values[::-1] for name, values in TABLE.items()}
    found = audit(made, make(table), 20, by=["donor", "drug"])
    assert found.to_dict()["first"] == audit(made, frame, 20, by=["donor", "drug"]).to_dict()["first"]
    assert found.times is not None


@pytest.mark.parametrize("times", [[2.0, math.nan, 1.0], [2, 1, 1], pd.to_datetime(["2026-03-02", None, "2026-03-01"])])
def test_an_index_tells_the_times_of_its_rows(times: Any) -> None:
    """The times that an index holds are those of the table, row by row, the missing ones missing."""
    table = {"donor": ["b", "a", "a"], "when": times}
    index = MetadataIndex.from_table(table, "donor", "when")
    np.testing.assert_array_equal(read_times(index, "when"), read_times(table, "when"))


def test_rows_without_times_may_come_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some rows are read at a time, of which those without any value do not say what kind the others are."""
    monkeypatch.setattr("batchwright.columns._ROWS_A_LOT", 2)
    when = pd.Series(pd.to_datetime([None, None, "2026-03-02", None]))
    np.testing.assert_array_equal(read_times({"when": when.astype(object)}, "when"), when.to_numpy("datetime64[ns]"))


@pytest.mark.parametrize("dates", [False, True])
def test_times_are_quartiles_that_occur(dates: bool) -> None:
    """With a window in the chain each batch has its quartiles of the ordered column, missing values aside."""
    hours: Any = np.array([1.0, 2.0, 3.0, 4.0, np.nan] * 2)
    hours = pd.to_datetime(pd.Series(hours), unit="h") if dates else hours
    table = {"donor": ["a"] * 10, "when": hours}
    window = TemporalEnricher("when", "9h" if dates else 9, global_fraction=0.2)
    found = audit(PipelineSampler(table, [window, DRAW], 10), table, 3, by="donor")
    assert found.times is not None
    assert found.order_column == "when"
    expected = [1.0, 1.0, 2.0, 3.0, 4.0]
    got = found.times.drop(columns="batch").iloc[0].tolist()
    assert got == ([pd.Timestamp(0) + pd.Timedelta(hours=hour) for hour in expected] if dates else expected)
    assert json.dumps(found.to_dict(), allow_nan=False)


def test_columns_beside_the_chain_are_reported_without_expectation() -> None:
    """A column of the table that the plan does not know has no expected rows; the others have."""
    found = audit(sampler(SELECT), TABLE, 4, by=["donor", "drug"]).table.set_index("column")
    assert found.loc["donor", "z"].notna().all()
    assert found.loc["drug", ["expected", "z"]].isna().all(axis=None)


def test_columns_may_have_any_name() -> None:
    """A table whose columns are called as those of the audit's frames are is audited all the same."""
    names = {"donor": "batch", "drug": "row", "hours": "time"}
    table = {names[name]: values for name, values in TABLE.items()}
    chain = [ExperimentSelector("batch"), ConditionBalancer("row"), TemporalEnricher("time", 1), DRAW]
    found = audit(PipelineSampler(table, chain, 4), table, 3)
    assert found.first["batch"].tolist() == [0] * 4 + [1] * 4 + [2] * 4
    assert found.first["label of row"].tolist() == [TABLE["drug"][row] for row in found.first["row"]]
    assert found.first["time"].tolist() == found.first["row"].tolist()


def test_json_is_plain() -> None:
    """The dict goes through JSON unchanged: missing numbers are null, infinite scores are text."""
    found = audit([[0, 0]], TABLE, by="donor")
    frame = found.table.assign(z=[math.inf, math.nan])
    plain = attrs.evolve(found, table=frame).to_dict()
    assert json.loads(found.to_json()) == found.to_dict()
    assert [row["z"] for row in plain["table"]] == ["inf", None]
    assert plain["times"] is None


def test_the_plan_explains_itself() -> None:
    """What a plan says of itself and finds stands in the audit, and in its dict as plain values."""
    found = audit(sampler(), TABLE, 2)
    expected = sampler().plan.explain()
    assert str(found.explanation) == str(expected)
    assert found.to_dict()["explanation"] == expected.to_dict()
    assert audit([[0]], TABLE, by="donor").to_dict()["explanation"] is None


def test_it_says_what_it_is() -> None:
    """An audit is printed as one line of numbers."""
    found = audit(sampler(BALANCE), TABLE, 2)
    distinct = found.coverage["distinct"].iloc[-1]
    assert repr(found) == f"Audit(PipelineSampler: 2 batches, 8 rows drawn, {distinct} distinct, 0 of 2 labels deviate)"


def test_a_bar_is_shown(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """With `progress` there is a bar on standard error; without tqdm it is said how to get it."""
    pytest.importorskip("tqdm")
    audit(sampler(), TABLE, 3, progress=True)
    assert "3/3" in capsys.readouterr().err
    monkeypatch.setitem(__import__("sys").modules, "tqdm", None)
    with refused(SettingError, "Progress is shown by tqdm; 0 versions of it are there (audit). Install"):
        audit(sampler(), TABLE, 3, progress=True)


OTHER = {**TABLE, "donor": ["a"] * 5 + ["b"] * 5}


@pytest.mark.parametrize(
    ("source", "table", "more", "error", "text"),
    [
        pytest.param([[0]], TABLE, {}, SettingError, "An audit must report some column; list has", id="no-by"),
        pytest.param([[0]], TABLE, {"by": "no"}, TableError, "Every column that a stage names must", id="no-column"),
        pytest.param(
            [], TABLE, {"by": "drug"}, SettingError, "There must be a batch to look at; [] delivered 0", id="0"
        ),
        pytest.param(7, TABLE, {"by": "drug"}, SettingTypeError, "A source of batches must be iterable; got 7", id="7"),
        pytest.param(range(3), TABLE, {"by": "drug"}, SettingTypeError, "A batch must be a list of row...", id="rows"),
        pytest.param(
            [[0], []], TABLE, {"by": "drug"}, SettingTypeError, "A batch must be... number 1 is []", id="none"
        ),
        pytest.param([[0, [1]]], TABLE, {"by": "drug"}, SettingTypeError, "A batch must be a list...", id="ragged"),
        pytest.param([[0.0]], TABLE, {"by": "drug"}, SettingTypeError, "A batch must be a list of...", id="floats"),
        pytest.param([[9], [10]], TABLE, {"by": "drug"}, SettingError, "...in [0, 10), ...batch 1 holds 10", id="10"),
        pytest.param([[-1]], TABLE, {"by": "drug"}, SettingError, "...in [0, 10), ...batch 0 holds -1", id="-1"),
        pytest.param([[0]], TABLE, {"n_batches": 0}, SettingError, "n_batches must be at least 1; got 0", id="n"),
        pytest.param([[0]], TABLE, {"by": "drug", "progress": 1}, SettingTypeError, "progress must be True or", id="p"),
        pytest.param(sampler(), OTHER, {}, TableError, "...that of the sampler; 'donor' has other rows", id="labels"),
        pytest.param(
            sampler(),
            {"donor": ["a"], "drug": ["x"]},
            {},
            TableError,
            "...that of the sampler, which has 10 rows; got 1",
            id="length",
        ),
        pytest.param(
            sampler(TemporalEnricher("hours", 1)),
            MetadataIndex.from_table(TABLE, "donor"),
            {"by": "donor"},
            TableError,
            "An index must be ordered by the column that is reported; 'hours'",
            id="index",
        ),
    ],
)
def test_refusals(source: Any, table: Any, more: dict[str, Any], error: type[Exception], text: str) -> None:
    """What cannot be audited is refused with the rule, the number, who and the way out."""
    with refused(error, text):
        audit(source, table, **more)


def test_windows_leave_the_variance_of_labels() -> None:
    """However many windows there are, the rows of a label vary as they do without, if each share has one label."""
    table = {"donor": list("aaaabbbbcc"), "hours": np.arange(10), "drug": list("xyxyxyxyxy")}
    plain, windowed = (
        PipelineSampler(table, [SELECT, LEAK, BALANCE, *stages, DRAW], 4).plan
        for stages in ([], [TemporalEnricher("hours", 1)])
    )
    for name in ("donor", "drug"):
        expected, found = (Moments.of(plan.survey(), [name])[name].variance for plan in (plain, windowed))
        assert expected is not None
        assert found == pytest.approx(expected)


def test_variances_of_many_labels() -> None:
    """Of a single row out of many groups each has the variance p * (1 - p)."""
    table = {"donor": [f"d{k:04d}" for k in range(5000)]}
    moments = Moments.of(PipelineSampler(table, [SELECT, DRAW], 1).plan.survey(), ["donor"])["donor"]
    assert moments.variance == pytest.approx(np.full(5000, (1 - 1 / 5000) / 5000))


def test_too_many_situations_are_not_gone_through(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a column for which too many situations matter nothing is expected; others keep their scores, and the page."""
    monkeypatch.setattr("batchwright.plan._SURVEYED", 8)
    # With three donors a leak is of two of them, and which window it lies in matters.
    table = TABLE | {"donor": list("aaaabbbccc")}
    window = TemporalEnricher("hours", 1, scope="all")
    found = audit(PipelineSampler(table, [SELECT, LEAK, window, DRAW], 4), table, 3)
    assert found.table[["expected", "z"]].isna().all(axis=None)
    assert "none that could be gone through in a moment" in found.to_html()
    kept = audit(sampler(SELECT, TemporalEnricher("hours", 1)), TABLE, 3)
    assert kept.table["z"].notna().all()
