"""Whether and how progress is shown."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from importlib import import_module
from importlib.util import find_spec
from typing import Any

__all__ = ["is_watched", "watched"]


def is_watched() -> bool:
    """Return whether a bar can be shown: somebody looks at standard error, and tqdm is there."""
    return sys.stderr.isatty() and find_spec("tqdm") is not None


def watched(steps: Iterable[Any], unit: str) -> Iterable[Any]:
    """Return the steps, under a bar where one can be shown."""
    return import_module("tqdm").tqdm(steps, unit=f" {unit}") if is_watched() else steps
