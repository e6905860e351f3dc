"""Profiles of hypothesis, and the versions that a report should name."""

from importlib.util import find_spec

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import HealthCheck, Phase, settings

# Samplers import torch and build indices, so the first example of a test is far slower than the others.
_COMMON = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("fast", max_examples=150, derandomize=True, **_COMMON)
settings.register_profile("long", max_examples=2_000, **_COMMON)
# A mutant is dead at the first failure; nobody reads the example, so it is not made smaller.
_FIND_ONLY = (Phase.explicit, Phase.generate)
settings.register_profile("mutants", max_examples=20, derandomize=True, phases=_FIND_ONLY, **_COMMON)
settings.load_profile("fast")


def pytest_report_header() -> str:
    """Name the versions that results depend on."""
    return f"torch {torch.__version__}, numpy {np.__version__}, pandas {pd.__version__}"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run examples before laws: what is quick and easy to read fails first; and no example without its library."""
    if find_spec("pyarrow") is None:
        for item in items:
            if item.name.endswith("MetadataIndex.from_parquet"):
                item.add_marker(pytest.mark.skip("pyarrow is missing"))
    items.sort(key=lambda item: "property" in item.path.parts)
