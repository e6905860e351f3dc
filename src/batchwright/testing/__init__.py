"""The test kit: checks of anybody's sampler and anybody's stage, and strategies for property tests.

It needs hypothesis and pytest, which the extra ``testing`` installs.
"""

try:
    import hypothesis  # noqa: F401 - only to say early and clearly what is missing.
    import pytest  # noqa: F401 - only to say early and clearly what is missing.
except ImportError as error:
    msg = (
        f"batchwright.testing needs hypothesis and pytest; {error.name} is missing. pip install 'batchwright[testing]'."
    )
    raise ImportError(msg, name=error.name) from error

from batchwright.testing.claims import Claims
from batchwright.testing.failures import CheckFailure, Outcome, SamplerFailure, StageFailure, Where
from batchwright.testing.kit import check_sampler, parametrize_with_checks, run_checks
from batchwright.testing.machine import sampler_machine
from batchwright.testing.stage_checks import check_stage

__all__ = [
    "CheckFailure",
    "Claims",
    "Outcome",
    "SamplerFailure",
    "StageFailure",
    "Where",
    "check_sampler",
    "check_stage",
    "parametrize_with_checks",
    "run_checks",
    "sampler_machine",
]
