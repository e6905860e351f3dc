"""What is printed, and where files are written."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

__all__ = ["code_of", "print_json", "require_place"]


def print_json(values: Any) -> None:
    """Print plain values as JSON."""
    print(json.dumps(values, indent=2, ensure_ascii=False, allow_nan=False))


def code_of(findings: Iterable[Any], *, strict: bool) -> int:
    """Return the exit code: 1 where warnings and errors count and there are some."""
    return int(strict and any(finding.severity in ("warning", "error") for finding in findings))


def require_place(path: Path | None) -> None:
    """Raise, before any work is done for it, if a file cannot be written for want of its folder."""
    if path is not None and not path.parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path.parent))
