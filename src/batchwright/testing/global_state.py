"""What is global: random states, read, set aside and compared; loggers, quietened."""

from __future__ import annotations

import logging
import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch

__all__ = ["moved", "quiet", "scrambled"]


@contextmanager
def scrambled(number: int) -> Iterator[None]:
    """Give all global generators a state of their own, as another process would have, and put the old ones back."""
    before = _states()
    random.seed(number)
    np.random.seed(number)  # noqa: NPY002 - the legacy global state is what is tested.
    torch.manual_seed(number)
    try:
        yield
    finally:
        random.setstate(before["random"])
        np.random.set_state(before["numpy.random"])  # noqa: NPY002 - the legacy state that was moved.
        torch.set_rng_state(before["torch"])


@contextmanager
def moved() -> Iterator[list[str]]:
    """Collect, when the block ends, the names of the global generators that it has moved."""
    names: list[str] = []
    before = {name: _text(state) for name, state in _states().items()}
    yield names
    names += [name for name, state in _states().items() if _text(state) != before[name]]


@contextmanager
def quiet(name: str) -> Iterator[None]:
    """Let a logger pass errors only: what samplers say when they are made would be said hundreds of times."""
    logger = logging.getLogger(name)
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)


def _text(state: Any) -> str:
    """Return all of a generator's state as text."""
    parts = state if isinstance(state, tuple) else (state,)
    return repr([part.tolist() if hasattr(part, "tolist") else part for part in parts])


def _states() -> dict[str, Any]:
    return {
        "random": random.getstate(),
        "numpy.random": np.random.get_state(),  # noqa: NPY002 - the legacy global state is what is tested.
        "torch": torch.get_rng_state(),
    }
