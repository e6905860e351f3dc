"""The kit bites: each defect that samplers in use have, or had, is flagged by the check that is there for it."""

from collections.abc import Callable
from typing import Any

import pytest
from faults import EVERY, FAULTS, Right, claims_of
from faults import TABLE as FAULTS_TABLE
from standins import CASES, TABLE

from batchwright.testing import SamplerFailure, check_sampler, run_checks


@pytest.mark.parametrize("name", CASES)
def test_each_defect_is_flagged_by_its_check(name: str) -> None:
    """The checks that are there for a defect fail, and no others do."""
    case = CASES[name]
    outcomes = run_checks(case.factory, claims=case.claims, table=TABLE)
    assert {outcome.check for outcome in outcomes if not outcome.passed} == case.fails, outcomes
    if case.fails:
        with pytest.raises(SamplerFailure, match="|".join(case.fails)):
            check_sampler(case.factory, claims=case.claims, table=TABLE)


def test_the_right_sampler_passes() -> None:
    """What the faults are faults of has none."""
    check_sampler(Right, table=FAULTS_TABLE, claims=EVERY, seeds=[0])


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_each_fault_is_flagged_by_its_check(fault: Callable[..., Any]) -> None:
    """The check that is there for a fault fails, with any of some seeds."""
    for seed in (0, 1):
        outcomes = run_checks(fault, claims=claims_of(fault), table=FAULTS_TABLE, seeds=[seed])
        assert FAULTS[fault][1] in {outcome.check for outcome in outcomes if not outcome.passed}, outcomes
