"""No test of chain files leaves a kind of stage behind."""

import pytest

from batchwright.chainfile import registry


@pytest.fixture(autouse=True)
def own_kinds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget what a test registers behind it."""
    monkeypatch.setattr(registry, "_kinds", dict(registry._kinds))
