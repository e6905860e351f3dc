"""What is printed."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

__all__ = ["code_of", "print_json"]


def print_json(values: Any) -> None:
    """Print plain values as JSON."""
    print(json.dumps(values, indent=2, ensure_ascii=False, allow_nan=False))


def code_of(findings: Iterable[Any], *, strict: bool) -> int:
    """Return the exit code: 1 where warnings and errors count and there are some."""
    return int(strict and any(finding.severity in ("warning", "error") for finding in findings))
