"""The laws of a drawer on the shares of one block of batches."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
from numpy.typing import NDArray

from batchwright.stages.base import BaseDrawer
from batchwright.testing.attempts import attempt, copies_of, require
from batchwright.testing.statistics import FALSE_ALARM, strays

__all__ = ["keeps_drawer_laws", "require_inclusion"]

# Shares, each (quota, size), of which so many draws are counted: loose, tight, and too small for what is drawn.
_COUNTED = ((1, 3), (2, 5), (3, 3), (5, 3), (9, 4))
_DRAWS = 4096


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


def require_inclusion(drawer: BaseDrawer) -> None:
    """Raise unless all rows of a share are alike, and held by as many draws as `inclusion` says; by one fixed seed.

    A right drawer fails with a probability of at most `FALSE_ALARM` over the seeds: two bounds for each row.
    """
    false_alarm = FALSE_ALARM / (2 * sum(size for _, size in _COUNTED))
    for quota, size in _COUNTED:
        drawn = _draw(drawer, [[(quota, size)]] * _DRAWS, np.random.default_rng(0).random((_DRAWS, quota)))
        if drawn is None:
            continue
        counts = (drawn[:, :, None] == np.arange(size)).sum(axis=1)
        chance = float(drawer.inclusion(np.array([quota]), np.array([size]))[0])
        held = (counts > 0).sum(axis=0).tolist()
        off = [row for row, ups in enumerate(held) if strays(ups, _DRAWS, chance, false_alarm)]
        found = f"{len(off)} of {size} rows are held by {held} of {_DRAWS} draws of {quota}, where it says {chance:g}"
        require(not off, drawer, "A drawer must hold each row with the probability that it says (inclusion)", found)
        # Hoeffding: a sum of draws of 0 to quota strays by t with probability 2 exp(-2 t^2 / (draws quota^2)).
        most = quota * np.sqrt(_DRAWS * np.log(2 / false_alarm) / 2)
        visits = counts.sum(axis=0)
        uneven = np.abs(visits - _DRAWS * quota / size) > most
        found = f"rows of a share of {size} come {visits.tolist()} times in {_DRAWS} draws of {quota}"
        require(not uneven.any(), drawer, "A drawer must treat all rows of a share alike", found)


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
