"""Copies as another process has them."""

from __future__ import annotations

import pickle
from typing import Any

__all__ = ["pickled"]


def pickled(value: Any) -> Any:
    """Return a sampler, a stage or a state as another process reads it."""
    return pickle.loads(pickle.dumps(value))  # noqa: S301 - written by this line, so there is nobody to distrust.
