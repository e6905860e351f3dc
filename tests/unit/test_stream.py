"""`uniforms`: the numbers at an address are those of the generator that the docstring names."""

import numpy as np
import pytest

from batchwright.stream import uniforms

# In one run, with small gaps, and with gaps so wide that the counter is set anew.
STEPS = [range(1), range(3), range(2, 5), range(1, 8, 3), range(4, 5, 7), range(5, 900, 300), range(7, 8, 400)]


def by_hand(seed: int, epoch: int, step: int, width: int, stride: int) -> list[float]:
    """Return the numbers of one batch: the upper 53 bits of the outputs of a Philox generator, from its counter on."""
    generator = np.random.Philox(np.random.SeedSequence(seed, spawn_key=(epoch, 0)))
    # A counter gives four outputs, so a batch takes a quarter of its stride, rounded up.
    for _ in range(step * ((stride + 3) // 4)):
        generator.random_raw(4)
    return [(int(number) >> 11) / 2**53 for number in generator.random_raw(width)]


@pytest.mark.parametrize("steps", STEPS, ids=str)
@pytest.mark.parametrize(("width", "stride"), [(1, 1), (3, 3), (4, 4), (5, 5), (2, 9), (1, 4)])
def test_numbers_are_raw_output_at_an_address(steps: range, width: int, stride: int) -> None:
    """In one run of steps or with gaps, each batch has the numbers at its own address."""
    numbers = uniforms(7, 2, steps, width, stride)
    assert numbers.tolist() == [by_hand(7, 2, step, width, stride) for step in steps]
    assert numbers.dtype == np.float64


def test_numbers_stay_what_they_are() -> None:
    """The first numbers of the first batch, in a form that no rounding hides."""
    expected = ["0x1.9ed83cd49ffa5p-1", "0x1.179dd69bbcd43p-1"]
    assert [number.hex() for number in uniforms(0, 0, range(1), 2, 2)[0].tolist()] == expected


def test_no_step_has_no_numbers() -> None:
    """An empty run of steps is no error."""
    assert uniforms(0, 0, range(3, 3), 5, 5).shape == (0, 5)


def test_seed_and_epoch_are_two_things() -> None:
    """The keys (0, 1), (1, 0) and (1, 1) share no number."""
    keys = [(0, 0), (0, 1), (1, 0), (1, 1), (10, 0), (2**64 - 1, 0)]
    numbers = [number for key in keys for number in uniforms(*key, range(4), 8, 8).ravel().tolist()]
    assert len(set(numbers)) == len(numbers)


@pytest.mark.parametrize("first", [2**62 - 1, 2**63 - 2, 2**64 - 1, 2**64, 3 * 2**64 + 1])
@pytest.mark.parametrize("stride", [3, 9])
@pytest.mark.parametrize("gap", [2, 300])
def test_steps_with_gaps_count_beyond_64_bits(first: int, stride: int, gap: int) -> None:
    """Batches that do not follow each other have the numbers that each has alone, also beyond 64 bits."""
    steps = range(first, first + 4 * gap + 1, gap)
    alone = [uniforms(7, 2, range(step, step + 1), 3, stride)[0].tolist() for step in steps]
    assert uniforms(7, 2, steps, 3, stride).tolist() == alone
    assert len({tuple(numbers) for numbers in alone}) == len(alone)
