"""Keyed random streams: the numbers of any batch, by address."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["keys_of", "uniforms"]

Words = NDArray[np.uint64]

# What a stream is for, so that a second kind of stream can never share numbers with the first.
_PURPOSE_BATCHES = 0
# By how much the state of a generator grows from number to number: 2**64 over the golden ratio, odd.
_GOLDEN_GAMMA = 0x9E3779B97F4A7C15
_WORD = 2**64


def keys_of(seed: int, epochs: range, steps: range) -> Words:
    """Return the keys of some batches of some epochs, from which all their random numbers come.

    They are the numbers of a SplitMix64 generator (Steele, Lea and Flood, "Fast splittable pseudorandom number
    generators", 2014; mixed by Stafford's variant 13, as Java's `SplittableRandom` is), which a
    `numpy.random.SeedSequence` over seed, epoch and purpose starts; that of batch `step` is number `step`, worked out
    at once. No two of the first 2**64 batches of an epoch have the same.

    Parameters
    ----------
    seed, epochs
        Non-negative integers, and at least one of them; seed 0 in epoch 1 and seed 1 in epoch 0 are unrelated.
    steps
        The numbers of the batches.

    Returns
    -------
    numpy.ndarray
        uint64, shape (len(epochs), len(steps)).

    Examples
    --------
    >>> alone = keys_of(seed=7, epochs=range(2, 3), steps=range(5, 6))
    >>> among = keys_of(seed=7, epochs=range(4), steps=range(3, 9, 2))
    >>> bool(alone[0, 0] == among[2, 1])
    True
    """
    sequences = (np.random.SeedSequence(seed, spawn_key=(epoch, _PURPOSE_BATCHES)) for epoch in epochs)
    return _numbers(np.concatenate([sequence.generate_state(1, np.uint64) for sequence in sequences]), steps)


def uniforms(keys: Words, numbers: range) -> NDArray[np.float64]:
    """Return some of the random numbers of some batches.

    They are those of a SplitMix64 generator that the key of the batch starts: the upper 53 bits, as a fraction.

    Parameters
    ----------
    keys
        uint64, shape (n,): the keys of the batches.
    numbers
        Which numbers, from 0 on.

    Returns
    -------
    numpy.ndarray
        float64 in [0, 1), shape (n, len(numbers)).

    Examples
    --------
    >>> keys = keys_of(seed=7, epochs=range(1), steps=range(4))[0]
    >>> alone, among = uniforms(keys[2:3], range(5, 6)), uniforms(keys, range(9))
    >>> bool(alone[0, 0] == among[2, 5])
    True
    """
    raw = _numbers(keys, numbers)
    raw >>= np.uint64(11)
    fractions: NDArray[np.float64] = raw * np.float64(2.0**-53)
    return fractions


def _numbers(states: Words, numbers: range) -> Words:
    """Return some numbers of SplitMix64 generators in the given states: uint64, shape (states, numbers)."""
    first, gap = (numbers.start + 1) * _GOLDEN_GAMMA % _WORD, numbers.step * _GOLDEN_GAMMA % _WORD
    growth = np.arange(len(numbers), dtype=np.uint64) * np.uint64(gap) + np.uint64(first)
    mixed: Words = np.add.outer(states, growth)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed ^= mixed >> np.uint64(shift)
        mixed *= np.uint64(factor)
    mixed ^= mixed >> np.uint64(31)
    return mixed
