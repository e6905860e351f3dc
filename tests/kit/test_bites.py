"""The kit bites: each defect that samplers in use have, or had, is flagged by the check that is there for it."""

import pytest
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
