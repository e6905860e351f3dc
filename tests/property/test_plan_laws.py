"""Laws 1 to 7 on drafts: what every leaf of a probability tree must be, and what batches are drawn from it."""

import math
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from batchwright import (
    Choice,
    ConditionBalancer,
    Draft,
    DraftStack,
    Drawer,
    ExperimentSelector,
    LeakMixer,
    MetadataIndex,
    Pipeline,
    Plan,
    Pool,
    Share,
    TemporalEnricher,
)
from batchwright.drawing import draw_block
from batchwright.testing.strategies import tables, weights
from batchwright.trunk import Trunk
from reference import could_come_from, labels, rows_of
from strategies import with_chain

SIZES = st.sampled_from([1, 2, 3, 5, 10, 29])


def make_plan(table: Any, stages: list[Any], batch_size: int) -> Plan:
    pipeline = Pipeline(stages)
    return Plan(pipeline, MetadataIndex.from_table(table, pipeline.key_columns, pipeline.order_column), batch_size)


def counts_of(table: pd.DataFrame, column: str, draft: Draft, role: str) -> dict[str, int]:
    """Return the quota of each label among the shares of a role; every share must hold one label only."""
    counts: dict[str, int] = {}
    for share in draft.shares:
        if share.role == role:
            (label,) = set(labels(table, column, rows_of(draft, share)))
            counts[label] = counts.get(label, 0) + share.quota
    return counts


def primary_rows(draft: Draft) -> set[int]:
    return {row for share in draft.shares if share.role == "primary" for row in rows_of(draft, share)}


@given(with_chain(), SIZES, st.integers(0, 3))
def test_every_batch_is_an_even_draw_from_a_leaf(chain: tuple[pd.DataFrame, list[Any]], size: int, seed: int) -> None:
    """Laws 1, 2 and 6 for any chain: a batch has its size, and is share by share an even draw from some leaf."""
    plan = make_plan(*chain, size)
    leaves = [draft for _, draft in plan.leaves()]
    for batch in draw_block(plan, seed, 0, range(6)).tolist():
        assert len(batch) == size
        assert all(type(row) is int and 0 <= row < len(chain[0]) for row in batch)
        assert any(could_come_from(draft, batch) for draft in leaves)


@given(with_chain(), SIZES)
def test_leaves_are_sound(chain: tuple[pd.DataFrame, list[Any]], size: int) -> None:
    """Probabilities sum to 1, quotas to the batch size, and pools are disjoint parts of the universe."""
    leaves = list(make_plan(*chain, size).leaves())
    assert sum(probability for probability, _ in leaves) == pytest.approx(1, abs=1e-9)
    for _, draft in leaves:
        assert draft.batch_size == size
        assert all(share.pool.issubset(draft.universe) for share in draft.shares)
        assert len({row for share in draft.shares for row in rows_of(draft, share)}) == sum(
            share.pool.size for share in draft.shares
        )


@given(with_chain(), SIZES)
def test_opening_a_tree_changes_nothing(chain: tuple[pd.DataFrame, list[Any]], size: int) -> None:
    """Stages are pure: opened twice, a tree has the same leaves with the same probabilities."""
    plan = make_plan(*chain, size)
    assert list(plan.leaves()) == list(plan.leaves())


@given(tables(), st.data(), SIZES)
def test_purity(table: pd.DataFrame, data: st.DataObject, size: int) -> None:
    """Law 3: without a leak all rows are of one group, chosen as the weights say, and never of weight 0."""
    names = sorted(set(table["experiment"]))
    given_weights = data.draw(st.none() | weights(names))
    stages = [ExperimentSelector(by="experiment", weights=given_weights), ConditionBalancer(), Drawer()]
    chances = dict.fromkeys(names, 0.0)
    for probability, draft in make_plan(table, stages, size).leaves():
        (name,) = set(labels(table, "experiment", primary_rows(draft)))
        chances[name] += probability
    expected = given_weights or table["experiment"].value_counts().to_dict()
    total = sum(expected.values())
    assert chances == pytest.approx({name: expected[name] / total for name in names}, abs=1e-9)
    assert all(chances[name] == 0 for name in names if expected[name] == 0)


@given(tables(), st.decimals(0, 1, places=2), SIZES, st.booleans())
def test_leak(table: pd.DataFrame, fraction: Decimal, size: int, balanced: bool) -> None:
    """Law 4: exactly floor(batch_size x fraction) rows from outside; where nothing is outside, none and still full."""
    between = [ConditionBalancer(scope="all")] if balanced else []
    stages = [ExperimentSelector(), *between, LeakMixer(float(fraction)), *between, Drawer()]
    for _, draft in make_plan(table, stages, size).leaves():
        leaked = [share for share in draft.shares if share.role == "leak"]
        outside = {label for share in leaked for label in labels(table, "experiment", rows_of(draft, share))}
        expected = math.floor(size * fraction) if table["experiment"].nunique() > 1 else 0
        assert sum(share.quota for share in leaked) == expected
        assert outside.isdisjoint(labels(table, "experiment", primary_rows(draft)))
        assert draft.batch_size == size


@given(tables(), st.data(), SIZES)
def test_leaked_rows_are_all_rows_outside(table: pd.DataFrame, data: st.DataObject, size: int) -> None:
    """Law 4: the leak comes from every row of all other groups, also those of weight 0."""
    names = sorted(set(table["experiment"]))
    stages = [ExperimentSelector(weights=data.draw(st.none() | weights(names))), LeakMixer(0.5), Drawer()]
    for _, draft in make_plan(table, stages, size).leaves():
        outside = set(range(len(table))) - primary_rows(draft)
        leaked = [rows_of(draft, share) for share in draft.shares if share.role == "leak"]
        assert leaked == ([outside] if outside and size > 1 else [])


@given(tables(), st.data(), SIZES, st.sampled_from([0.0, 0.29]))
def test_quotas(table: pd.DataFrame, data: st.DataObject, size: int, fraction: float) -> None:
    """Law 5: counts within one of their target, equal in expectation; absent labels leave their part to the others."""
    ratio = data.draw(st.none() | weights(sorted(set(table["condition"])), zeros=False))
    stages = [ExperimentSelector(), LeakMixer(fraction), ConditionBalancer(ratio=ratio), Drawer()]
    expected: dict[str, dict[str, float]] = {}
    chances: dict[str, float] = {}
    targets: dict[str, dict[str, float]] = {}
    for probability, draft in make_plan(table, stages, size).leaves():
        (group,) = set(labels(table, "experiment", primary_rows(draft)))
        present = sorted(set(table.loc[(table["experiment"] == group).to_numpy(), "condition"]))
        part = {label: 1.0 if ratio is None else ratio[label] for label in present}
        primary = sum(share.quota for share in draft.shares if share.role == "primary")
        targets[group] = {label: primary * part[label] / sum(part.values()) for label in present}
        counts = counts_of(table, "condition", draft, "primary")
        assert all(abs(counts.get(label, 0) - targets[group][label]) < 1 for label in present)
        chances[group] = chances.get(group, 0.0) + probability
        sums = expected.setdefault(group, dict.fromkeys(present, 0.0))
        for label, count in counts.items():
            sums[label] += probability * count
    for group, sums in expected.items():
        assert {label: value / chances[group] for label, value in sums.items()} == pytest.approx(
            targets[group], abs=1e-6
        )


@given(tables(), SIZES, st.sampled_from([0, 0.5, 2]), st.sampled_from([0.0, 0.3, 1.0]), st.integers(0, 2))
def test_all_stages_hold_together(table: pd.DataFrame, size: int, width: float, outside: float, leak_at: int) -> None:
    """Law 7: one group, its leak, its balance and its window hold in counts, wherever the leak stands."""
    assume(table["hours"].notna().any())
    stages: list[Any] = [ConditionBalancer(), TemporalEnricher("hours", width, outside)]
    stages.insert(leak_at, LeakMixer(0.2))
    several = table["experiment"].nunique() > 1
    primary = size - (math.floor(size * Decimal("0.2")) if several else 0)
    # A leak that comes later takes its rows from shares that are rounded already, and rounds once more.
    slack = 1 + min(leak_at, 1)
    for _, draft in make_plan(table, [ExperimentSelector(), *stages, Drawer()], size).leaves():
        (group,) = set(labels(table, "experiment", primary_rows(draft)))
        of_group = table[(table["experiment"] == group).to_numpy()]
        counts = counts_of(table, "condition", draft, "primary")
        assert sum(counts.values()) == primary
        target = primary / of_group["condition"].nunique()
        assert all(abs(counts.get(label, 0) - target) < slack for label in set(of_group["condition"]))
        if leak_at == 0:
            assert window_of(table, draft, of_group, width, outside)


def window_of(table: pd.DataFrame, draft: Draft, of_group: pd.DataFrame, width: float, outside: float) -> bool:
    """Tell whether some focal time explains how the quota of each label is split by the window."""
    shares = [share for share in draft.shares if share.role == "primary"]
    present = {label for share in shares for label in labels(table, "condition", rows_of(draft, share))}
    focal_times = set(of_group[of_group["condition"].isin(present).to_numpy()]["hours"].dropna())
    return not focal_times or any(explains(table, draft, of_group, focal, width, outside) for focal in focal_times)


def explains(
    table: pd.DataFrame, draft: Draft, of_group: pd.DataFrame, focal: float, width: float, outside: float
) -> bool:
    shares = [share for share in draft.shares if share.role == "primary"]
    for label in {labels(table, "condition", rows_of(draft, share))[0] for share in shares}:
        of_label = of_group[(of_group["condition"] == label).to_numpy()]
        near = of_label["hours"].between(focal - width, focal + width).to_numpy()
        inside, both = 0, 0
        for share in shares:
            rows = rows_of(draft, share)
            if labels(table, "condition", rows)[0] != label:
                continue
            times = pd.Series(labels(table, "hours", rows)).between(focal - width, focal + width)
            if times.nunique() != 1 or len(times) != (near.sum() if times[0] else (~near).sum()):
                return False
            both += share.quota
            inside += share.quota * int(times[0])
        target = both * (1.0 if near.all() else 0.0 if not near.any() else 1 - outside)
        if abs(inside - target) >= 1:
            return False
    return True


@given(tables(), st.data(), SIZES)
def test_windows_agree_with_a_split_by_hand(table: pd.DataFrame, data: st.DataObject, size: int) -> None:
    """A window worked out for many focal times at once is the one that pool algebra gives for each of them."""
    scope = data.draw(st.sampled_from(["primary", "leak", "all"]))
    width, outside = data.draw(st.sampled_from([0.0, 0.5, 2.0])), data.draw(st.sampled_from([0.0, 0.3, 0.5, 1.0]))
    index = MetadataIndex.from_table(table, ["experiment", "condition"], "hours")
    draft = Draft.start(index, size).select(index.pool("experiment", table["experiment"].iloc[0]))
    leaked = draft.leak(draft.universe - draft.primary, size // 2)
    assert isinstance(leaked, Draft)
    times = table["hours"].to_numpy()
    of_group = times[index.rows(leaked.primary.positions())]
    focal_times = sorted(set(of_group[~np.isnan(of_group)].tolist()))
    choice = TemporalEnricher("hours", width, outside, scope).apply(leaked)
    assume(focal_times)
    assert isinstance(choice, Choice)
    by_hand: dict[tuple[Share, ...], float] = {}
    for focal in focal_times:
        near = np.abs(times - focal) <= width
        inside = index_pool(index, np.flatnonzero(near))

        def parts(share: Share, inside: Any = inside) -> list[tuple[Any, float]]:
            sides = [(share.pool & inside, 1 - outside), (share.pool - inside, outside)]
            filled = [(pool, weight) for pool, weight in sides if pool]
            return [(filled[0][0], 1.0)] if len(filled) == 1 else filled

        outcome = leaked.split(parts, scope)
        drafts = (
            [(1.0, outcome)]
            if isinstance(outcome, Draft)
            else [(float(p), outcome.child(k)) for k, p in enumerate(outcome.weights)]
        )
        for probability, child in drafts:
            assert isinstance(child, Draft)
            by_hand[child.shares] = by_hand.get(child.shares, 0.0) + probability / len(focal_times)
    at_once: dict[tuple[Share, ...], float] = {}
    for k, probability in enumerate(choice.weights.tolist()):
        child = choice.child(k)
        assert isinstance(child, Draft)
        at_once[child.shares] = at_once.get(child.shares, 0.0) + probability
    assert at_once == pytest.approx(by_hand, abs=1e-8)


def index_pool(index: MetadataIndex, rows: Any) -> Pool:
    """Return the pool of some rows of the table."""
    return Pool.where(np.isin(index.rows(np.arange(index.size)), rows))


@given(with_chain(), SIZES, st.sampled_from([1, 5, 10**6]))
def test_the_tree_worked_out_at_once_is_that_of_the_leaves(
    chain: tuple[pd.DataFrame, list[Any]], size: int, limit: int
) -> None:
    """Whatever is worked out beforehand, paths come to the drafts of the leaves, as often as these are likely."""
    plan = make_plan(*chain, size)
    trunk = Trunk.grow(plan.pipeline, Draft.start(plan.index, size), limit)
    expected: dict[tuple[Share, ...], float] = {}
    for probability, draft in plan.leaves():
        expected[draft.shares] = expected.get(draft.shares, 0.0) + probability
    found: dict[tuple[Share, ...], float] = {}
    if trunk.is_whole:
        assert isinstance(trunk.reached, DraftStack)
        for k, probability in enumerate(np.diff(trunk.bounds).tolist()):
            shares = trunk.reached[k].shares
            found[shares] = found.get(shares, 0.0) + probability
        assert found == pytest.approx(expected, abs=1e-8)
    else:
        some = trunk.some(10**6)
        assert {some[k].shares for k in range(len(some))} == set(expected)
