"""The laws of a drawer on the shares of one block of batches."""

from __future__ import annotations

import copy
import pickle

import numpy as np
from numpy.typing import NDArray

from batchwright.errors import BatchwrightError
from batchwright.stages.base import BaseDrawer
from batchwright.testing.failures import StageFailure

__all__ = ["keeps_drawer_laws"]


def keeps_drawer_laws(drawer: BaseDrawer, shares: list[tuple[int, int]], uniforms: NDArray[np.float64]) -> bool:
    """Check all laws of a drawer on a block of batches, each of the given (quota, size); return False if it refuses."""
    quotas, sizes = np.array(shares * len(uniforms), dtype=np.int64).T
    before = uniforms.copy()
    drawn = _draw(drawer, quotas, sizes, uniforms)
    if drawn is None:
        return False
    _require(np.array_equal(uniforms, before), drawer, "A drawer must leave its numbers as they are", "they differ")
    _require_within(drawer, drawn, uniforms.shape, np.repeat(sizes, quotas))
    again = _same(drawn, _draw(drawer, quotas, sizes, uniforms))
    _require(again, drawer, "The same numbers must draw the same", "a second time it differs")
    for batch, numbers in enumerate(uniforms):
        alone = _draw(drawer, quotas[: len(shares)], sizes[: len(shares)], numbers[None])
        rule = "A batch must be drawn in a block as it is drawn alone"
        _require(_same(drawn[batch : batch + 1], alone), drawer, rule, f"batch {batch} of {len(uniforms)} is not")
    for copied in (pickle.loads(pickle.dumps(drawer)), copy.deepcopy(drawer)):  # noqa: S301 - of the caller's own.
        same = repr(copied) == repr(drawer) and _same(drawn, _draw(copied, quotas, sizes, uniforms))
        _require(same, drawer, "A copied drawer must do the same, and have the same repr", f"{copied!r} does not")
    return True


def _same(one: NDArray[np.int64], other: NDArray[np.int64] | None) -> bool:
    return other is not None and np.array_equal(one, other)


def _draw(
    drawer: BaseDrawer, quotas: NDArray[np.int64], sizes: NDArray[np.int64], uniforms: NDArray[np.float64]
) -> NDArray[np.int64] | None:
    try:
        return drawer.draw(quotas.copy(), sizes.copy(), uniforms)
    except BatchwrightError as error:
        _require(bool(str(error)), drawer, "An error must say what is wrong", f"a {type(error).__name__} says nothing")
        return None
    except Exception as error:
        rule = "A drawer must refuse what it cannot do with an error of this library, such as SettingError"
        raise StageFailure(rule, f"it raises {type(error).__name__}: {error}", drawer) from error


def _require_within(
    drawer: BaseDrawer, drawn: NDArray[np.int64], shape: tuple[int, ...], sizes: NDArray[np.int64]
) -> None:
    """Raise unless each slot holds the number of a row of its share, whose size is given for each slot."""
    rule = "A drawer must return integers, one for each uniform"
    found = f"it returns {drawn.dtype} of shape {drawn.shape} for {shape}"
    _require(drawn.shape == shape and drawn.dtype.kind in "iu", drawer, rule, found)
    outside = (drawn.ravel() < 0) | (drawn.ravel() >= sizes)
    rule = "A drawer must return numbers from 0 to the size of the share, less one"
    _require(not outside.any(), drawer, rule, f"{outside.sum()} of {outside.size} lie outside")


def _require(holds: bool, drawer: BaseDrawer, rule: str, found: str) -> None:
    if not holds:
        raise StageFailure(rule, found, drawer)
