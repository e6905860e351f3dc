"""Keyed random streams: the numbers of any batch, by address."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["uniforms"]

# What a stream is for, so that a second kind of stream can never share numbers with the first.
_PURPOSE_BATCHES = 0
_NUMBERS_A_COUNTER = 4
# Up to so many numbers between two batches are made and thrown away, which is faster than to set the counter.
_MOST_SKIPPED = 1 << 8


def uniforms(seed: int, epoch: int, steps: range, width: int, stride: int) -> NDArray[np.float64]:
    """Return the random numbers of some batches of an epoch.

    The generator is Philox4x64-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011), keyed
    by a `numpy.random.SeedSequence` over seed, epoch and purpose. Batch `step` starts at counter
    ``step * stride_in_counters``, so its numbers depend on nothing else. They are made of raw 64-bit output,
    which NumPy guarantees not to change: the upper 53 bits, as a fraction.

    Parameters
    ----------
    seed, epoch
        Non-negative integers; (0, 1) and (1, 0) are unrelated.
    steps
        The numbers of the batches.
    width
        Numbers wanted for each batch, at most `stride`.
    stride
        Numbers set aside for each batch.

    Returns
    -------
    numpy.ndarray
        float64 in [0, 1), shape (len(steps), width).

    Examples
    --------
    >>> alone = uniforms(seed=7, epoch=0, steps=range(5, 6), width=3, stride=3)
    >>> among = uniforms(seed=7, epoch=0, steps=range(4, 8), width=3, stride=3)
    >>> bool((alone[0] == among[1]).all())
    True
    """
    counters = -(-stride // _NUMBERS_A_COUNTER)
    numbers = counters * _NUMBERS_A_COUNTER
    generator = np.random.Philox(np.random.SeedSequence(seed, spawn_key=(epoch, _PURPOSE_BATCHES)))
    if (steps.step - 1) * numbers <= _MOST_SKIPPED:
        generator.advance(steps.start * counters)
        raw = generator.random_raw(len(steps) * steps.step * numbers).reshape(-1, numbers)[:: steps.step]
    else:
        raw = _raw_of_steps(generator, steps, counters)
    raw >>= np.uint64(11)
    fractions: NDArray[np.float64] = raw[:, :width] * np.float64(2.0**-53)
    return fractions


def _raw_of_steps(generator: np.random.Philox, steps: range, counters: int) -> NDArray[np.uint64]:
    """Return the raw output of some batches that lie far apart: uint64, shape (steps, 4 * counters)."""
    # A counter is set by hand, as Python's integers: `advance` takes four times as long, as do arrays.
    state: Any = generator.state
    state["state"] = {name: words.tolist() for name, words in state["state"].items()}
    state["buffer"] = state["buffer"].tolist()
    counter, draw, raw = state["state"]["counter"], generator.random_raw, []
    for first in range(steps.start * counters, steps.stop * counters, steps.step * counters):
        counter[1], counter[0] = divmod(first, 2**64)
        generator.state = state
        raw.append(draw(counters * _NUMBERS_A_COUNTER))
    return np.concatenate(raw).reshape(len(steps), -1)
