"""Joining and sorting codes, at sizes where the width of an integer matters."""

import numpy as np
import pytest

from batchwright.errors import TableError
from batchwright.ordering import compress, mixed_radix, stable_order


@pytest.mark.parametrize("size", [2, 2**8, 2**16, 2**20])
def test_joined_codes_are_exact(size: int) -> None:
    """Three columns are joined exactly, also where the numbers are too large for a float."""
    codes = [np.array([0, size - 1, size - 2], dtype=np.int32) for _ in range(3)]
    key, radix = mixed_radix(codes, [size] * 3, 3)
    assert radix == size**3
    assert key.tolist() == [0, size**3 - 1, (size - 2) * (size**2 + size + 1)]
    present, counts, place = compress(key, radix)
    assert present.tolist() == sorted(set(key.tolist()))
    assert (present[place] == key.astype(np.int64)).all()
    assert counts.sum() == 3


def test_more_combinations_than_integers_are_refused() -> None:
    """Beyond 2**62 combinations a number of 64 bits would not do; just there it does."""
    codes = [np.zeros(1, dtype=np.int32)] * 2
    assert mixed_radix(codes, [2**31, 2**31], 1)[1] == 2**62
    with pytest.raises(TableError, match=r"at most 2\*\*62 combinations"):
        mixed_radix(codes, [2**31, 2**31 + 1], 1)


@pytest.mark.parametrize("radix", [2, 2**8, 2**16, 2**17, 2**33])
def test_the_order_is_stable(radix: int) -> None:
    """The order is NumPy's stable one, over keys of any width and several lots of rows."""
    keys = np.random.default_rng(0).integers(0, radix, 1_200_000)
    order = stable_order(keys, radix)
    assert order is not None
    assert order.dtype == np.uint32
    assert (order == np.argsort(keys, kind="stable")).all()
