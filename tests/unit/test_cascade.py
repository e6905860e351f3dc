"""The features of the sampler that batchwright grew out of, one by one, through its keyword arguments."""

import logging
from collections import Counter
from typing import Any

import numpy as np
import pandas as pd
import pytest

from batchwright import FlexibleBatchSampler
from batchwright.errors import SettingError, TableError
from refusals import refused


def make_table(sizes: dict[str, int], conditions: int = 2, times: int = 5) -> pd.DataFrame:
    """Return a table of experiments of the given sizes; condition k is half as frequent as condition k - 1."""
    experiment = np.repeat(list(sizes), list(sizes.values()))
    rng = np.random.default_rng(0)
    shares = 0.5 ** np.arange(conditions)
    condition = np.array([f"c{k}" for k in range(conditions)])[
        rng.choice(conditions, len(experiment), p=shares / shares.sum())
    ]
    hours = rng.integers(0, times, len(experiment)) * 4.0
    return pd.DataFrame({"experiment": experiment, "condition": condition, "hours_post_infection": hours})


TABLE = make_table({"a": 600, "b": 300, "c": 100})


def make_sampler(table: pd.DataFrame = TABLE, **settings: Any) -> FlexibleBatchSampler:
    return FlexibleBatchSampler(table, **{"batch_size": 10, "condition_balanced": False, **settings})


def of(batch: list[int], column: str = "experiment", table: pd.DataFrame = TABLE) -> Counter[str]:
    return Counter(table[column].to_numpy()[batch].tolist())


def test_one_experiment_a_batch() -> None:
    """All rows of a batch are of one experiment, and over an epoch every experiment is seen."""
    batches = list(make_sampler())
    assert all(len(of(batch)) == 1 for batch in batches)
    assert {name for batch in batches for name in of(batch)} == {"a", "b", "c"}


def test_experiments_are_chosen_in_proportion_to_size() -> None:
    """By default an experiment's probability is its part of the rows."""
    assert make_sampler().plan.expected_rows("experiment").to_dict() == pytest.approx({"a": 6, "b": 3, "c": 1})


def test_experiments_are_chosen_by_weights() -> None:
    """Weights take the place of sizes, and an experiment of weight 0 is never selected."""
    sampler = make_sampler(experiment_weights={"a": 1, "b": 3, "c": 0})
    assert sampler.plan.expected_rows("experiment").to_dict() == pytest.approx({"a": 2.5, "b": 7.5, "c": 0})
    assert {name for batch in sampler for name in of(batch)} == {"a", "b"}


def test_without_experiment_awareness_batches_mix_freely() -> None:
    """All rows are alike, whatever their experiment."""
    sampler = make_sampler(experiment_aware=False)
    assert max(len(of(batch)) for batch in sampler) == 3
    assert sampler.plan.expected_visits() == pytest.approx(np.full(1000, 0.01))


def test_columns_are_needed_only_where_their_feature_is_on() -> None:
    """A table without the columns of features that are off is enough."""
    assert len(make_sampler(TABLE[["condition"]], experiment_aware=False, condition_balanced=True)) == 100
    assert len(make_sampler(TABLE[["experiment"]])) == 100
    assert len(make_sampler(pd.DataFrame({"path": ["x"] * 50}), experiment_aware=False)) == 5
    with pytest.raises(TableError, match="'experiment' is missing"):
        make_sampler(TABLE[["condition"]])


@pytest.mark.parametrize(("leaky", "outside"), [(0.0, 0), (0.2, 2), (0.29, 2), (0.9, 9)])
def test_leak(leaky: float, outside: int) -> None:
    """Exactly floor(batch_size x leaky) rows come from other experiments: none for 0, two of ten for 0.2."""
    for batch in make_sampler(leaky=leaky):
        counts = of(batch)
        assert 10 - outside in counts.values()
        assert sum(counts.values()) == 10


@pytest.mark.parametrize(
    ("batch_size", "leaky", "own"), [(100, 0.29, 71), (96, 1 / 3, 64), (7, 1 / 7, 6), (9, 1 / 9, 8)]
)
def test_leak_is_taken_as_it_is_meant(batch_size: int, leaky: float, own: int) -> None:
    """0.29 of 100 is 29, and a third of 96 is 32, though floats or decimals make a little less of it."""
    sampler = make_sampler(batch_size=batch_size, leaky=leaky)
    assert all(own in of(batch).values() for batch in sampler)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("leaky", 1.5),
        ("temporal_global_fraction", -1),
        ("experiment_weights", {"a": -1}),
        ("condition_ratio", {}),
    ],
)
def test_messages_name_the_arguments(name: str, value: Any) -> None:
    """Those of this sampler, not those of the stages that it is made of."""
    with refused(SettingError, f"{name}... must ... (FlexibleBatchSampler). "):
        make_sampler(**{name: value})


def test_leak_without_experiment_awareness_has_no_effect() -> None:
    """Where no experiment is selected there is no outside."""
    assert list(make_sampler(experiment_aware=False, leaky=0.5)) == list(make_sampler(experiment_aware=False))


def test_leak_of_a_single_experiment_leaves_the_batch_full() -> None:
    """Where there is no other experiment the whole batch comes from the one."""
    table = make_table({"only": 40})
    assert all(len(set(batch)) == 10 for batch in make_sampler(table, leaky=0.3))


@pytest.mark.parametrize("conditions", [2, 3, 7])
def test_conditions_are_balanced(conditions: int) -> None:
    """Two, three and seven conditions get equal counts, within one, whatever their frequency in the table."""
    table = make_table({"a": 4000, "b": 3000}, conditions)
    for batch in make_sampler(table, batch_size=13, condition_balanced=True):
        counts = of(batch, "condition", table)
        assert len(counts) == conditions
        assert max(counts.values()) - min(counts.values()) <= 1


def test_the_remainder_goes_round() -> None:
    """Thirteen rows over seven conditions: six get two and one gets one, each condition alike."""
    table = make_table({"a": 7000}, 7)
    sampler = make_sampler(table, batch_size=13, condition_balanced=True)
    assert sampler.plan.expected_rows("condition").to_numpy() == pytest.approx(np.full(7, 13 / 7), abs=1e-6)
    assert {tuple(sorted(of(batch, "condition", table).values())) for batch in sampler} == {(1, 2, 2, 2, 2, 2, 2)}


def test_conditions_by_ratio() -> None:
    """A ratio of one to four is two and eight of ten."""
    sampler = make_sampler(condition_balanced=True, condition_ratio={"c0": 0.2, "c1": 0.8})
    assert all(of(batch, "condition") == {"c0": 2, "c1": 8} for batch in sampler)


def test_no_balancing_on_request() -> None:
    """Without balance the conditions of a batch follow the table."""
    visits = make_sampler().plan.expected_visits()
    # Experiments are chosen in proportion to size, so without balance all rows are alike.
    assert visits == pytest.approx(np.full(1000, 0.01))


def test_window_and_balance_hold_together() -> None:
    """A window takes its part of each condition's quota; it does not switch the balance off."""
    table = make_table({"a": 4000}, times=9)
    settings = {"batch_size": 20, "condition_balanced": True, "temporal_enrichment": True}
    for batch in make_sampler(table, **settings, temporal_window_hours=2.0, temporal_global_fraction=0.3):
        rows = table.iloc[batch]
        assert (rows["condition"].value_counts() == 10).all()
        # Times are four hours apart, so a window of two hours either side holds one of them only.
        focal = rows["hours_post_infection"].mode()[0]
        inside = rows[rows["hours_post_infection"] == focal]["condition"].value_counts()
        assert inside.to_dict() == {"c0": 7, "c1": 7}


def test_every_time_becomes_focal() -> None:
    """Each distinct time is focal in its turn, so no row stays out of reach."""
    sampler = make_sampler(temporal_enrichment=True, temporal_global_fraction=0.0)
    assert sampler.plan.expected_visits().min() > 0
    assert {tuple(of(batch, "hours_post_infection")) for batch in sampler} == {(0.0,), (4.0,), (8.0,), (12.0,), (16.0,)}


def test_small_groups_repeat_evenly_with_one_warning(caplog: pytest.LogCaptureFixture) -> None:
    """Twenty rows fill a batch of 64 with each row three or four times; one warning names the group."""
    table = make_table({"small": 20, "large": 500})
    with caplog.at_level(logging.WARNING, logger="batchwright"):
        sampler = make_sampler(table, batch_size=64, experiment_weights={"small": 1, "large": 1})
        batches = list(sampler)
    assert len(caplog.records) == 1
    assert "experiment='small' (20 rows for 64)" in caplog.text
    small = [Counter(batch) for batch in batches if of(batch, table=table)["small"]]
    assert small
    assert all(set(counts.values()) == {3, 4} and len(counts) == 20 for counts in small)


def test_large_groups_do_not_warn(caplog: pytest.LogCaptureFixture) -> None:
    """Where every pool suffices nothing is logged, and no batch repeats a row."""
    with caplog.at_level(logging.WARNING, logger="batchwright"):
        assert all(len(set(batch)) == 10 for batch in make_sampler(leaky=0.2, condition_balanced=True))
    assert not caplog.records


def test_seed_and_epoch_decide() -> None:
    """The same seed and epoch give the same batches; another seed or epoch gives others."""
    runs = {}
    for seed, epoch in [(0, 0), (0, 1), (1, 0)]:
        first, second = make_sampler(seed=seed), make_sampler(seed=seed)
        first.set_epoch(epoch)
        second.set_epoch(epoch)
        runs[seed, epoch] = list(first)
        assert runs[seed, epoch] == list(second)
    assert runs[0, 0] != runs[0, 1]
    assert runs[0, 1] != runs[1, 0]


def test_the_epoch_stays_until_it_is_set(caplog: pytest.LogCaptureFixture) -> None:
    """A second pass without `set_epoch` delivers the same batches, and says so, once."""
    sampler = make_sampler()
    with caplog.at_level(logging.WARNING, logger="batchwright"):
        assert list(sampler) == list(sampler) == list(sampler)
    assert [record.getMessage() for record in caplog.records] == [
        "Epoch 0 is begun a second time and delivers the same batches; call set_epoch before each epoch."
    ]


def test_ranks_share_an_epoch() -> None:
    """Four ranks deliver three batches each of an epoch of ten: `len` says so, and the first ten are the epoch."""
    table = make_table({"a": 60, "b": 40})
    ranks = [make_sampler(table, num_replicas=4, rank=rank) for rank in range(4)]
    delivered = [list(sampler) for sampler in ranks]
    assert [len(sampler) for sampler in ranks] == [len(batches) for batches in delivered] == [3, 3, 3, 3]
    turns = [batch for turn in zip(*delivered, strict=True) for batch in turn]
    assert turns[:10] == list(make_sampler(table))


def test_drop_last_is_heeded() -> None:
    """Without dropping, the rows left over make a smaller last batch, and no size is announced."""
    table = make_table({"a": 25})
    assert [len(batch) for batch in make_sampler(table)] == [10, 10]
    keeping = make_sampler(table, drop_last=False)
    assert [len(batch) for batch in keeping] == [10, 10, 5]
    assert (make_sampler(table).batch_size, keeping.batch_size) == (10, None)


def test_unknown_names_are_refused() -> None:
    """A weight or ratio for a name that does not exist is an error, not ignored."""
    with pytest.raises(SettingError, match="1 do not: 'z'"):
        make_sampler(experiment_weights={"a": 1, "b": 1, "c": 1, "z": 1})
    with pytest.raises(SettingError, match="1 do not: 'z'"):
        make_sampler(condition_balanced=True, condition_ratio={"c0": 1, "c1": 1, "z": 1})


def test_the_origin_s_import_works() -> None:
    """The sampler is importable by the name that users of VisCy know."""
    from viscy_data.sampler import FlexibleBatchSampler as Imported  # noqa: PLC0415 - the import is what is tested.

    assert Imported is FlexibleBatchSampler
