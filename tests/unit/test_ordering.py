"""Sorting by cell, at sizes where the width of an integer matters."""

import numpy as np
import pytest

from batchwright.blocks import Blocks, condense, order_of_blocks
from batchwright.ordering import place_rows, sort_runs, stable_argsort


@pytest.mark.parametrize("radix", [2, 2**8, 2**16, 2**17, 2**33])
def test_the_order_is_stable(radix: int) -> None:
    """The order is NumPy's stable one, over numbers of any width."""
    ids = np.random.default_rng(0).integers(0, radix, 200_000)
    assert (stable_argsort(ids) == np.argsort(ids, kind="stable")).all()


@pytest.mark.parametrize("radix", [1, 2, 2**8, 2**17])
def test_lots_are_placed_as_a_whole(radix: int) -> None:
    """Lots of any size, placed one after the other, make the stable order of all rows."""
    ids = np.random.default_rng(0).integers(0, radix, 100_000)
    order = np.empty(ids.size, dtype=np.int64)
    for rows, positions in place_rows(np.split(ids, [1, 7, 40_000]), np.bincount(ids, minlength=radix)):
        order[positions] = rows
    assert (order == np.argsort(ids, kind="stable")).all()


def test_runs_are_sorted_as_their_rows() -> None:
    """Runs sorted by cell put every row where sorting the rows would."""
    ids, lengths = np.array([2, 0, 2, 1, 0]), np.array([3, 1, 2, 4, 5])
    order = order_of_blocks(*sort_runs(ids, lengths), 15)
    assert np.array_equal(order, np.argsort(np.repeat(ids, lengths), kind="stable"))


@pytest.mark.parametrize(("length", "kind"), [(1024, Blocks), (1023, np.ndarray)])
def test_an_order_has_one_form(length: int, kind: type) -> None:
    """Blocks of at least 1024 rows on average stay blocks, shorter ones an array, whatever they were made from."""
    order = np.concatenate([np.arange(length, 2 * length), np.arange(length)]).astype(np.uint32)
    made = order_of_blocks(np.array([0, length]), np.array([length, 0]), 2 * length)
    for form in (made, condense(order)):
        assert isinstance(form, kind)
        assert np.array_equal(form.take(np.arange(2 * length)), order)
    assert condense(np.arange(5)) is None
    assert order_of_blocks(np.array([0, 2]), np.array([0, 2]), 5) is None
