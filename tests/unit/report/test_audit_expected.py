"""What an audit expects: means, variances, scores and coverage, against full enumeration."""

import math
from typing import Any

import numpy as np
import pytest
from audited import BALANCE, DRAW, LEAK, SELECT, TABLE, sampler
from hypothesis import assume, given
from hypothesis import strategies as st

from batchwright import BaseDrawer, MetadataIndex, Pipeline, PipelineSampler, Plan, TemporalEnricher
from batchwright.report import audit
from batchwright.report.columns import read_labels
from batchwright.report.drawn import DrawnBatches
from batchwright.report.moments import Moments
from batchwright.report.tally import Tally
from batchwright.testing.strategies import chains, samplers, tables
from reference import distribution


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
    monkeypatch.setattr("batchwright.plan._SURVEYED", (1, 1))
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
    made = PipelineSampler(MetadataIndex.from_table(TABLE, "donor"), [Own()], batch_size, drop_last=False)
    found = audit(made, TABLE, 60, by="donor").table
    counts = np.array(
        [
            [TABLE["donor"][row] == "a" for row in made.batch(k % len(made), k // len(made))].count(True)
            for k in range(60)
        ]
    )
    sizes = np.array([len(made.batch(k % len(made), k // len(made))) for k in range(60)])
    beyond = counts - 0.6 * sizes
    assert found["z"][0] == pytest.approx(beyond.mean() / (beyond.std(ddof=1) / math.sqrt(60)))
    assert audit(made, TABLE, 1, by="donor").table["z"].isna().all()


def test_a_group_that_is_not_selected_yet_does_not_count_as_missing() -> None:
    """Whatever the drawer, a count varies at least as its mean does from composition to composition."""
    table = {"donor": np.repeat(np.arange(64), 50)}
    for stages in ([SELECT, Own()], [SELECT, DRAW]):
        assert audit(PipelineSampler(table, stages, 192), table, 50).deviating.empty


def test_counts_that_seldom_vary_are_not_taken_for_constant() -> None:
    """A label of 0.25 rows a batch that no batch shows has the spread of whole numbers at least: sqrt(0.1875 / n)."""
    moments = {4: Moments(np.array([3.75, 0.25]), np.zeros(2), exact=False)}
    batches = [[0, 2, 4, 6]] * 12
    assert tally_of(batches).z_scores(moments).tolist() == pytest.approx([2, -2])


def test_short_last_batches_are_expected_as_such() -> None:
    """Where the last batch of an epoch is smaller, the expectation is the mean over batches as large as they were."""
    found = audit(sampler(SELECT, drop_last=False, batch_size=4), TABLE, 6)
    assert found.batches["rows"].tolist() == [4, 4, 2] * 2
    assert found.table["expected"].tolist() == pytest.approx([10 / 3 * 0.6, 10 / 3 * 0.4])


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
    monkeypatch.setattr("batchwright.plan._SURVEYED", (8, 8))
    # With three donors a leak is of two of them, and which window it lies in matters.
    table = TABLE | {"donor": list("aaaabbbccc")}
    window = TemporalEnricher("hours", 1, scope="all")
    found = audit(PipelineSampler(table, [SELECT, LEAK, window, DRAW], 4), table, 3)
    assert found.table[["expected", "z"]].isna().all(axis=None)
    assert "none that could be gone through in a moment" in found.to_html()
    kept = audit(sampler(SELECT, TemporalEnricher("hours", 1)), TABLE, 3)
    assert kept.table["z"].notna().all()
