"""The laws of a drawer on the shares of one block of batches."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
from numpy.typing import NDArray

from batchwright.stages.base import BaseDrawer
from batchwright.testing.attempts import attempt, copies_of, require

__all__ = ["keeps_drawer_laws"]


def keeps_drawer_laws(drawer: BaseDrawer, batches: list[list[tuple[int, int]]], seed: int) -> bool:
    """Check all laws of a drawer on a block of batches, each a list of (quota, size); return False if it refuses.

    The quotas of all batches sum to the same.
    """
    slots = sum(quota for quota, _ in batches[0])
    uniforms = np.random.default_rng(seed).random((len(batches), slots))
    drawn = _draw(drawer, batches, uniforms)
    if drawn is None:
        return False
    _require_within(drawer, drawn, batches, uniforms.shape)
    again = _same(drawn, _draw(drawer, batches, uniforms))
    require(again, drawer, "The same numbers must draw the same", "a second time it differs")
    for number, shares in enumerate(batches):
        alone = _draw(drawer, [shares], uniforms[number : number + 1])
        rule = "A batch must be drawn in a block as it is drawn alone"
        require(_same(drawn[number : number + 1], alone), drawer, rule, f"batch {number} of {len(batches)} is not")
    for how, copied in copies_of(drawer):
        same = repr(copied) == repr(drawer) and _same(drawn, _draw(copied, batches, uniforms))
        require(same, drawer, f"A {how} drawer must do the same, and have the same repr", f"{copied!r} does not")
    return True


def _same(one: NDArray[np.int64], other: NDArray[np.int64] | None) -> bool:
    return other is not None and np.array_equal(one, other)


def _draw(
    drawer: BaseDrawer, batches: list[list[tuple[int, int]]], uniforms: NDArray[np.float64]
) -> NDArray[np.int64] | None:
    """Return what a drawer draws; None where it refuses with a clear error."""
    given = (*_columns(batches), uniforms.copy())
    before = copy.deepcopy(given)
    drawn = attempt(drawer, lambda: _as_array(drawer, drawer.draw(*given)))
    if drawn is None:
        return None
    untouched = all(map(np.array_equal, given, before))
    require(untouched, drawer, "A drawer must leave what it is given as it is", "quotas, sizes or uniforms differ")
    values: NDArray[np.int64] = drawn
    return values


def _as_array(drawer: BaseDrawer, drawn: Any) -> Any:
    require(isinstance(drawn, np.ndarray), drawer, "A drawer must return an array", f"it returns {drawn!r}")
    return drawn


def _columns(batches: list[list[tuple[int, int]]]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return quotas and sizes of the shares of all batches, one after the other."""
    shares = np.array([share for batch in batches for share in batch], dtype=np.int64)
    return shares[:, 0].copy(), shares[:, 1].copy()


def _require_within(
    drawer: BaseDrawer, drawn: NDArray[np.int64], batches: list[list[tuple[int, int]]], shape: tuple[int, ...]
) -> None:
    """Raise unless each slot holds the number of a row of its share."""
    rule = "A drawer must return integers, one for each uniform"
    found = f"it returns {drawn.dtype} of shape {drawn.shape} for {shape}"
    require(drawn.shape == shape and drawn.dtype.kind in "iu", drawer, rule, found)
    quotas, sizes = _columns(batches)
    outside = (drawn.ravel() < 0) | (drawn.ravel() >= np.repeat(sizes, quotas))
    rule = "A drawer must return numbers from 0 to the size of the share, less one"
    require(not outside.any(), drawer, rule, f"{outside.sum()} of {outside.size} lie outside")
