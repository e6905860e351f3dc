"""How many distinct rows some batches should have held, by the plan."""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from batchwright.survey import Survey

__all__ = ["expected_distinct"]


def expected_distinct(surveys: Mapping[int, Survey], sizes: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return how many distinct rows batches of some sizes are expected to have held after each of them.

    Batches are independent, so a row that each holds with the probability p is in none of k with ``(1 - p) ** k``.
    Missing where the plan has more situations than are looked at, in the survey of some size.
    """
    kinds, which = np.unique(sizes, return_inverse=True)
    found = [surveys[size].expectation for size in kinds.tolist()]
    inclusions = [each.inclusion for each in found if each is not None]
    if len(inclusions) < len(found):
        return np.full(sizes.size, np.nan)
    bounds = reduce(np.union1d, [each.bounds for each in inclusions])
    held, rows = [each.cut(bounds).per_row for each in inclusions], np.diff(bounds)
    expected, missed = np.empty(sizes.size), np.ones(rows.size)
    for number, kind in enumerate(which.tolist()):
        missed *= 1 - held[kind]
        expected[number] = rows @ (1 - missed)
    return expected
