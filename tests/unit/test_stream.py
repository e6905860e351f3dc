"""`keys_of` and `uniforms`: the numbers at an address are those of the generator that the docstrings name."""

from collections.abc import Iterator
from itertools import islice

import numpy as np
import pytest

from batchwright.stream import keys_of, uniforms

WORD = 2**64
# In one run, with gaps, and where words end.
STEPS = [range(1), range(3), range(2, 5), range(1, 8, 3), range(5, 900, 300), range(WORD - 3, WORD)]


def split_mix(state: int) -> Iterator[int]:
    """Yield the numbers of a SplitMix64 generator one after the other, by Python's integers."""
    while True:
        state = (state + 0x9E3779B97F4A7C15) % WORD
        number = state
        number = (number ^ (number >> 30)) * 0xBF58476D1CE4E5B9 % WORD
        number = (number ^ (number >> 27)) * 0x94D049BB133111EB % WORD
        yield number ^ (number >> 31)


def number_of(state: int, place: int) -> int:
    """Return one number of such a generator, whose state grows by the same at each."""
    return next(split_mix((state + place * 0x9E3779B97F4A7C15) % WORD))


def test_the_generator_is_the_published_one() -> None:
    """From state 1234567 on it makes the numbers by which its implementations are compared."""
    published = [6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431]
    assert [*islice(split_mix(1234567), 4)] == published
    state = np.array([1234567], dtype=np.uint64)
    assert uniforms(state, range(4))[0].tolist() == [(number >> 11) / 2**53 for number in published]


@pytest.mark.parametrize("steps", STEPS, ids=str)
def test_keys_are_numbers_at_an_address(steps: range) -> None:
    """In one run of steps or with gaps, each batch has the key at its own address."""
    root = int(np.random.SeedSequence(7, spawn_key=(2, 0)).generate_state(1, np.uint64)[0])
    keys = keys_of(7, range(2, 3), steps)[0]
    assert keys.tolist() == [number_of(root, step) for step in steps]
    assert keys.dtype == np.uint64


@pytest.mark.parametrize("numbers", [range(0), range(1), range(1, 9), range(5, 200, 97)], ids=str)
def test_numbers_are_those_of_their_keys(numbers: range) -> None:
    """Each batch has the numbers of the generator that its key starts, whatever others are asked for beside them."""
    keys = keys_of(7, range(2, 3), range(3, 6))[0]
    found = uniforms(keys, numbers)
    assert found.tolist() == [[(number_of(key, at) >> 11) / 2**53 for at in numbers] for key in keys.tolist()]
    assert (found.shape, found.dtype) == ((3, len(numbers)), np.float64)


def test_epochs_have_the_keys_that_each_has_alone() -> None:
    """Keys of several epochs stand one row an epoch."""
    together = keys_of(7, range(2, 5), range(3, 9, 2))
    assert together.tolist() == [keys_of(7, range(epoch, epoch + 1), range(3, 9, 2))[0].tolist() for epoch in (2, 3, 4)]


def test_numbers_stay_what_they_are() -> None:
    """The first numbers of the first batch, in a form that no rounding hides."""
    expected = ["0x1.740c4400e8916p-1", "0x1.1a0a1e9df36e2p-1"]
    assert [number.hex() for number in uniforms(keys_of(0, range(1), range(1))[0], range(2))[0].tolist()] == expected


def test_the_largest_number_is_below_1() -> None:
    """A word of ones makes the last number before 1; the state that it comes from is found by going backwards."""
    number = WORD - 1
    for shift, factor in ((31, 0x94D049BB133111EB), (27, 0xBF58476D1CE4E5B9), (30, 1)):
        number ^= (number >> shift) ^ (number >> 2 * shift)
        number = number * pow(factor, -1, WORD) % WORD
    state = np.array([(number - 0x9E3779B97F4A7C15) % WORD], dtype=np.uint64)
    assert next(split_mix(int(state[0]))) == WORD - 1
    assert uniforms(state, range(1))[0, 0] == np.nextafter(1.0, 0.0)


def test_no_step_has_no_numbers() -> None:
    """An empty run of steps is no error."""
    assert uniforms(keys_of(0, range(1), range(3, 3))[0], range(5)).shape == (0, 5)


def test_seed_and_epoch_are_two_things() -> None:
    """The keys of (0, 1), (1, 0) and (1, 1) share no number."""
    numbers = [
        number
        for seed, epochs in [(0, range(2)), (1, range(2)), (10, range(1)), (2**64 - 1, range(1))]
        for number in uniforms(keys_of(seed, epochs, range(4)).ravel(), range(8)).ravel().tolist()
    ]
    assert len(set(numbers)) == len(numbers) == 6 * 4 * 8


STEPS_COUNTED, NUMBERS_COUNTED, CUTS = 4096, 16, 16


@pytest.mark.parametrize(
    ("seed", "epoch", "steps", "numbers"),
    [(0, 0, 0, 1), (0, 0, 1, 0), (0, 0, 64, 0), (0, 0, 1, 1), (0, 1, 0, 0), (1, 0, 0, 0)],
    ids=["next number", "next step", "next of a rank", "both", "next epoch", "next seed"],
)
def test_neighbours_know_nothing_of_each_other(seed: int, epoch: int, steps: int, numbers: int) -> None:
    """Pairs of a number and a neighbour fall evenly into squares.

    Their chi-square has as many degrees of freedom as there are squares but one; it lies within five of its standard
    deviations.
    """
    ours = uniforms(keys_of(0, range(1), range(STEPS_COUNTED))[0], range(NUMBERS_COUNTED))
    keys = keys_of(seed, range(epoch, epoch + 1), range(steps, steps + STEPS_COUNTED))[0]
    theirs = uniforms(keys, range(numbers, numbers + NUMBERS_COUNTED))
    squares = (ours * CUTS).astype(int) * CUTS + (theirs * CUTS).astype(int)
    counts, expected, freedom = np.bincount(squares.ravel(), minlength=CUTS**2), ours.size / CUTS**2, CUTS**2 - 1
    chi_square = ((counts - expected) ** 2 / expected).sum()
    assert abs(chi_square - freedom) < 5 * (2 * freedom) ** 0.5
