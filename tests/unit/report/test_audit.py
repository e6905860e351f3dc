"""`audit`: what it reads, what it counts, and how it is written."""

import json
import math
from collections import Counter
from typing import Any

import attrs
import numpy as np
import pandas as pd
import pytest
from audited import BALANCE, DRAW, SELECT, TABLE, sampler
from hypothesis import given
from hypothesis import strategies as st
from torch.utils.data import BatchSampler, RandomSampler

from batchwright import ConditionBalancer, ExperimentSelector, MetadataIndex, PipelineSampler, TemporalEnricher
from batchwright.errors import SettingError, SettingTypeError, TableError
from batchwright.report import audit
from batchwright.report.columns import read_times
from refusals import refused


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


def test_our_samplers_are_read_by_address_and_not_moved() -> None:
    """An audit sees epoch after epoch of all ranks, from the start of the epoch, and changes nothing."""
    made = sampler(num_replicas=2, rank=1)
    made.seek(3, 1)
    before = made.state_dict()
    found = audit(made, TABLE, 5)
    assert made.state_dict() == before
    addresses = [(0, 3), (1, 3), (0, 4), (1, 4), (0, 5)]
    assert found.first["row"].tolist() == [row for step, epoch in addresses for row in made.batch(step, epoch)]


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
TURNED = {name: values[::-1] for name, values in TABLE.items()}


@pytest.mark.parametrize(
    ("source", "table", "more", "error", "text"),
    [
        pytest.param([[0]], TABLE, {}, SettingError, "An audit must report some column; list has", id="no-by"),
        pytest.param([[0]], TABLE, {"by": "no"}, TableError, "Every column that is named must", id="no-column"),
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
        pytest.param(sampler(), OTHER, {}, TableError, "...row by row; 'donor' has other", id="labels"),
        pytest.param(sampler(), TURNED, {}, TableError, "...row by row; 'donor' has other rows of its 2", id="order"),
        pytest.param([[0]], {"drug": []}, {"by": "drug"}, TableError, "A table must have rows to be drawn", id="empty"),
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
