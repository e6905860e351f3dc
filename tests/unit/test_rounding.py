"""`Rounding`: fractional targets to whole quotas, on cases worked out by hand."""

from collections.abc import Sequence

import numpy as np
import pytest

from batchwright.ragged import bounds_of
from batchwright.rounding import _DECIMALS, Rounding, Roundings
from reference import all_quotas

# Cumulative targets are rounded to so many decimals, each by half a unit at most; a target is a difference of two.
UNIT = 10.0**-_DECIMALS


def outcomes(targets: Sequence[float]) -> dict[tuple[int, ...], float]:
    """Return every outcome as its quotas, with its probability to the decimals that are kept."""
    rounding = Rounding.of(targets)
    quotas = [tuple(row) for row in all_quotas(rounding).tolist()]
    return dict(zip(quotas, np.round(rounding.probabilities, _DECIMALS).tolist(), strict=True))


def parts(total: int, weights: Sequence[float]) -> list[float]:
    """Return the targets of `total` rows in proportion to the weights, computed as a stage does."""
    return [total * weight / sum(weights) for weight in weights]


@pytest.mark.parametrize(
    ("targets", "quotas"),
    [
        pytest.param(parts(10, [1, 2, 7]), (1, 2, 7), id="1-2-7-of-10"),
        pytest.param(parts(10, [0.1, 0.2, 0.7]), (1, 2, 7), id="0.1-0.2-0.7-of-10"),
        # 0.1 + 0.2 is a little above 0.3, and 1 - 0.9 a little below 0.1: noise that must not make a further row.
        pytest.param([10 * (0.1 + 0.2), 10 * 0.7], (3, 7), id="noise-above"),
        pytest.param([10 * (1 - 0.9), 9], (1, 9), id="noise-below"),
        pytest.param([1e-12, 5 - 1e-12], (0, 5), id="noise-at-zero"),
        pytest.param([5.0], (5,), id="one-target"),
        pytest.param([0, 5, 0], (0, 5, 0), id="zeros-around"),
        pytest.param([3, 0, 0, 2], (3, 0, 0, 2), id="zeros-between"),
        pytest.param([0, 0], (0, 0), id="zeros-only"),
    ],
)
def test_whole_targets_are_met_exactly(targets: list[float], quotas: tuple[int, ...]) -> None:
    """Targets that are whole but for floating-point noise have one outcome, which is certain."""
    assert outcomes(targets) == {quotas: 1.0}


@pytest.mark.parametrize(
    ("targets", "expected"),
    [
        pytest.param([2.5, 2.5], {(2, 3): 0.5, (3, 2): 0.5}, id="halves"),
        pytest.param([0.25, 0.5, 0.25], {(0, 0, 1): 0.25, (0, 1, 0): 0.5, (1, 0, 0): 0.25}, id="quarters"),
        pytest.param([1.1, 2.2, 7.7], {(1, 2, 8): 0.7, (1, 3, 7): 0.2, (2, 2, 7): 0.1}, id="1-2-7-of-11"),
        pytest.param([1.75, 0.75, 0.5], {(1, 1, 1): 0.25, (2, 0, 1): 0.25, (2, 1, 0): 0.5}, id="two-rows-in-play"),
        pytest.param([0, 2.5, 2.5], {(0, 2, 3): 0.5, (0, 3, 2): 0.5}, id="zero-first"),
        pytest.param([2.5, 0, 2.5], {(2, 0, 3): 0.5, (3, 0, 2): 0.5}, id="zero-between"),
        pytest.param([2.5, 2.5, 0], {(2, 3, 0): 0.5, (3, 2, 0): 0.5}, id="zero-last"),
    ],
)
def test_outcomes_and_probabilities(targets: list[float], expected: dict[tuple[int, ...], float]) -> None:
    """Fractional targets have the outcomes of systematic sampling, with their probabilities."""
    assert outcomes(targets) == expected


def test_thirteen_rows_over_seven_labels() -> None:
    """Thirteen rows over seven labels are six twos and a one, and the one is anywhere alike."""
    found = Rounding.of(parts(13, [1] * 7))
    assert sorted(all_quotas(found).tolist()) == sorted([[2] * k + [1] + [2] * (6 - k) for k in range(7)])
    assert np.abs(found.probabilities - 1 / 7).max() <= UNIT


TARGETS = [
    pytest.param(parts(13, [1] * 7), id="13-over-7"),
    pytest.param(parts(128, [1, 2, 3, 4, 5, 6, 7]), id="128-by-1-to-7"),
    pytest.param(parts(100, [0.29, 0.01, 0.7]), id="decimals"),
    pytest.param(parts(2, [1] * 9), id="more-labels-than-rows"),
    pytest.param([0, *parts(5, [1, 1, 0, 1]), 0], id="zeros"),
]


@pytest.mark.parametrize("targets", TARGETS)
def test_every_outcome_is_whole_and_within_one(targets: list[float]) -> None:
    """Quotas sum to the total, each is below its target by less than one or above it by less than one."""
    quotas = all_quotas(Rounding.of(targets))
    assert quotas.dtype == np.int64
    assert set(quotas.sum(axis=1).tolist()) == {round(sum(targets))}
    assert (np.abs(quotas - np.array(targets)) < 1).all()
    assert (quotas[:, np.array(targets) == 0] == 0).all()


@pytest.mark.parametrize("targets", TARGETS)
def test_expectation_is_the_target(targets: list[float]) -> None:
    """The probabilities sum to one and the mean quota is the target, to the decimals that are kept."""
    rounding = Rounding.of(targets)
    assert rounding.probabilities.sum() == pytest.approx(1)
    assert np.abs(rounding.probabilities @ all_quotas(rounding) - targets).max() <= UNIT


@pytest.mark.parametrize("targets", TARGETS)
def test_there_are_at_most_as_many_outcomes_as_targets(targets: list[float]) -> None:
    """Outcomes are distinct, possible, and no more than targets, so that a choice over them stays small."""
    rounding = Rounding.of(targets)
    assert len({tuple(row) for row in all_quotas(rounding).tolist()}) == len(rounding.probabilities)
    assert (rounding.probabilities > 0).all()
    assert len(rounding.probabilities) <= len(targets)


def test_quotas_of_very_many_rows_sum_to_the_total() -> None:
    """Also where a sum of floats misses the total by more than is rounded away, of a draft of fewer targets, too."""
    counts = np.array([11, 101, 7])
    roundings = Roundings.of((1e9 / counts).repeat(counts), bounds_of(counts))
    drafts, outcomes = np.nonzero(roundings.probabilities)
    sums = np.add.reduceat(roundings.quotas(drafts, outcomes), bounds_of(counts[drafts])[:-1])
    assert set(sums.tolist()) == {10**9}
    assert set(drafts.tolist()) == {0, 1, 2}
