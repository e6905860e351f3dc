"""Systematic rounding: within one, exact sum, exactly unbiased, few outcomes."""

from fractions import Fraction
from itertools import pairwise
from math import floor

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from batchwright.ragged import bounds_of
from batchwright.rounding import Rounding, Roundings
from reference import all_quotas


@st.composite
def exact_targets(draw: st.DrawFn) -> list[Fraction]:
    """Return fractions that sum to a whole number, as quotas by a ratio do."""
    total = draw(st.integers(1, 40))
    ratio = draw(st.lists(st.integers(0, 9), min_size=1, max_size=8).filter(any))
    return [Fraction(total * part, sum(ratio)) for part in ratio]


@given(exact_targets())
def test_quotas_are_within_one_and_sum_to_the_total(targets: list[Fraction]) -> None:
    """Every outcome keeps the total and rounds each target up or down."""
    quotas = all_quotas(Rounding.of([float(t) for t in targets]))
    assert (quotas.sum(axis=1) == sum(targets)).all()
    assert all(abs(quota - target) < 1 for row in quotas.tolist() for quota, target in zip(row, targets, strict=True))


@given(exact_targets())
def test_expectation_equals_the_targets(targets: list[Fraction]) -> None:
    """Probabilities sum to 1 and average to the targets; nine decimals of cumulative targets leave 1e-8."""
    rounding = Rounding.of([float(t) for t in targets])
    assert rounding.probabilities.sum() == pytest.approx(1, abs=1e-12)
    assert rounding.probabilities @ all_quotas(rounding) == pytest.approx([float(t) for t in targets], abs=1e-8)


@given(exact_targets(), st.integers(0, 999))
def test_outcomes_are_those_of_the_definition(targets: list[Fraction], thousandth: int) -> None:
    """For any u, floor(c_k + u) - floor(c_(k-1) + u) in exact arithmetic is the outcome at u."""
    # An odd denominator that no target has keeps u off the borders between two outcomes.
    u = Fraction(2 * thousandth + 1, 2003)
    sums = np.cumsum([0, *targets])
    expected = [floor(b + u) - floor(a + u) for a, b in pairwise(sums)]
    rounding = Rounding.of([float(t) for t in targets])
    outcome = int(np.searchsorted(np.cumsum(rounding.probabilities), float(u), side="right"))
    assert rounding.quotas(outcome).tolist() == expected


@given(exact_targets())
def test_there_are_at_most_as_many_outcomes_as_targets(targets: list[Fraction]) -> None:
    """The choice over roundings stays small, and none of its outcomes is impossible."""
    probabilities = Rounding.of([float(t) for t in targets]).probabilities
    assert len(probabilities) <= len(targets)
    assert (probabilities > 1e-6).all()


MANY_TARGETS = st.lists(
    st.tuples(st.integers(1, 4), st.lists(st.sampled_from([0, 0, 1, 1, 2, 50]), min_size=1, max_size=60).filter(any)),
    min_size=1,
    max_size=4,
)


@given(MANY_TARGETS)
@example([(1, [1] * 60), (2, [0, 1, 1] * 20)])  # More than four targets for each row are searched.
@example([(4, [1, 2, 50])])
def test_those_that_hold_rows_are_found(drafts: list[tuple[int, list[int]]]) -> None:
    """Of more targets than rows, or of fewer, each outcome gives the same quotas, whether it lists all or some."""
    targets = np.concatenate([total * np.array(ratio) / sum(ratio) for total, ratio in drafts])
    roundings = Roundings.of(targets, bounds_of([len(ratio) for _, ratio in drafts]))
    # Twice each, as batches of one path may ask for it.
    chosen, outcomes = np.repeat(np.nonzero(roundings.probabilities), 2, axis=1)
    at, bounds, quotas = roundings.held(chosen, outcomes)
    found = np.zeros((chosen.size, targets.size), dtype=int)
    found[np.repeat(np.arange(chosen.size), np.diff(bounds)), at] = quotas
    expected = np.zeros_like(found)
    for row, (draft, outcome) in enumerate(zip(chosen, outcomes, strict=True)):
        own = slice(*roundings.bounds[draft : draft + 2])
        expected[row, own] = roundings.quotas(np.array([draft]), np.array([outcome]))
    assert found.tolist() == expected.tolist()
    assert at.size <= chosen.size * roundings.width


@pytest.mark.parametrize("count", [2, 100])
def test_no_drafts_hold_nothing(count: int) -> None:
    """Few targets or many: asked for no draft, there are no entries."""
    none = np.empty(0, dtype=np.int64)
    at, bounds, quotas = Roundings.of(np.full(count, 3 / count), np.array([0, count])).held(none, none)
    assert (at.size, bounds.tolist(), quotas.size) == (0, [0], 0)
