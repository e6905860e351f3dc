"""What the laws of stages and of drawers share: trying, copying, and saying what is wrong."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

from batchwright.errors import BatchwrightError
from batchwright.stages.base import Element
from batchwright.testing.copies import pickled
from batchwright.testing.failures import StageFailure

__all__ = ["PURE", "attempt", "copies_of", "repeat", "require"]

PURE = "The same draft must give the same result"


def require(holds: bool, element: Element, rule: str, found: str) -> None:
    """Raise unless a law holds."""
    if not holds:
        raise StageFailure(rule, found, element)


def attempt(element: Element, call: Callable[[], Any]) -> Any:
    """Return what a stage or a drawer makes of a call; None where it refuses with a clear error.

    Raises
    ------
    StageFailure
        If it refuses without a word, or with an error that is not of this library.
    """
    try:
        return call()
    except StageFailure:
        raise
    except BatchwrightError as error:
        require(bool(str(error)), element, "An error must say what is wrong", f"a {type(error).__name__} says nothing")
        return None
    except Exception as error:
        rule = "What cannot be done must be refused with an error of this library, such as ChainError"
        raise StageFailure(rule, f"it raises {type(error).__name__}: {error}", element) from error


def repeat(element: Element, rule: str, call: Callable[[], Any]) -> Any:
    """Return what a call gives that has been answered before; that it raises now breaks a law."""
    try:
        return call()
    except Exception as error:
        raise StageFailure(rule, f"this time it raises {type(error).__name__}: {error}", element) from error


def copies_of(element: Element) -> Iterator[tuple[str, Any]]:
    """Yield a pickled and a deep copy, each with its kind."""
    ways: dict[str, Callable[[], Any]] = {
        "pickled": lambda: pickled(element),
        "copied": lambda: copy.deepcopy(element),
    }
    for how, copied in ways.items():
        try:
            found = copied()
        except Exception as error:
            rule = "A stage or a drawer must survive pickling and copying"
            raise StageFailure(rule, f"it cannot be {how}: {type(error).__name__}: {error}", element) from error
        yield how, found
