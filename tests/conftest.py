"""Profiles of hypothesis, and the versions that a report should name."""

import numpy as np
import pandas as pd
import torch
from hypothesis import HealthCheck, settings

# Samplers import torch and build indices, so the first example of a test is far slower than the others.
_COMMON = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("fast", max_examples=150, derandomize=True, **_COMMON)
settings.register_profile("long", max_examples=2_000, **_COMMON)
settings.load_profile("fast")


def pytest_report_header() -> str:
    """Name the versions that results depend on."""
    return f"torch {torch.__version__}, numpy {np.__version__}, pandas {pd.__version__}"
