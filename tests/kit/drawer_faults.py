"""Drawers that each break one law, and what is said of it."""

from __future__ import annotations

from typing import Any

import numpy as np

from batchwright import BaseDrawer, Drawer
from batchwright.errors import SettingError


class WrongDrawer(BaseDrawer):
    """A drawer that breaks a law."""

    def draw(self, quotas: Any, sizes: Any, uniforms: Any) -> Any:
        return Drawer().draw(quotas, sizes, uniforms)


class Scribbles(WrongDrawer):
    def draw(self, quotas: Any, sizes: Any, uniforms: Any) -> Any:
        uniforms[:] = 0.0
        return super().draw(quotas, sizes, uniforms)


class ClearsQuotas(WrongDrawer):
    def draw(self, quotas: Any, sizes: Any, uniforms: Any) -> Any:
        drawn = super().draw(quotas, sizes, uniforms)
        quotas[:] = 0
        return drawn


class ReturnsLists(WrongDrawer):
    def draw(self, quotas: Any, sizes: Any, uniforms: Any) -> Any:
        return super().draw(quotas, sizes, uniforms).tolist()


class SharesOfTheFirst(WrongDrawer):
    """Takes the shares of the first batch of a block for those of all."""

    def draw(self, quotas: Any, sizes: Any, uniforms: Any) -> Any:
        shares = int(np.searchsorted(np.cumsum(quotas), uniforms.shape[1])) + 1
        tiled = [np.tile(values[:shares], len(uniforms)) for values in (quotas, sizes)]
        return super().draw(*tiled, uniforms)


class OneBeyond(WrongDrawer):
    def draw(self, quotas: Any, sizes: Any, uniforms: Any) -> Any:
        return super().draw(quotas, sizes, uniforms) + 1


class OneBelow(WrongDrawer):
    def draw(self, quotas: Any, sizes: Any, uniforms: Any) -> Any:
        return super().draw(quotas, sizes, uniforms) - 1


class Floats(WrongDrawer):
    def draw(self, quotas: Any, sizes: Any, uniforms: Any) -> Any:
        return super().draw(quotas, sizes, uniforms) / 1.0


class Flat(WrongDrawer):
    def draw(self, quotas: Any, sizes: Any, uniforms: Any) -> Any:
        return super().draw(quotas, sizes, uniforms).ravel()


class DrawsAnew(WrongDrawer):
    """Rolls dice of its own."""

    def draw(self, quotas: Any, sizes: Any, uniforms: Any) -> Any:
        return super().draw(quotas, sizes, np.random.default_rng().random(uniforms.shape))


class MixesBatches(WrongDrawer):
    """The first batch of a block decides all others."""

    def draw(self, quotas: Any, sizes: Any, uniforms: Any) -> Any:
        return super().draw(quotas, sizes, np.broadcast_to(uniforms[:1], uniforms.shape))


class WithReplacement(WrongDrawer):
    """Draws every row by itself, and does not say so."""

    def draw(self, quotas: Any, sizes: Any, uniforms: Any) -> Any:
        return (uniforms.ravel() * np.repeat(sizes, quotas)).astype(np.int64).reshape(uniforms.shape)


class SaysSo(WithReplacement):
    """Draws every row by itself, and says so."""

    def inclusion(self, quotas: Any, sizes: Any) -> Any:
        return 1 - (1 - 1 / sizes) ** quotas


class PrefersTheFirst(WrongDrawer):
    """Holds every row, as it should, where there are more to draw than rows, but the first more often."""

    def draw(self, quotas: Any, sizes: Any, uniforms: Any) -> Any:
        drawn = super().draw(quotas, sizes, uniforms)
        slot = np.concatenate([np.arange(quota) for quota in quotas]).reshape(uniforms.shape)
        return np.where(slot < np.repeat(sizes, quotas).reshape(uniforms.shape), drawn, 0)


class FindsNoKey(WrongDrawer):
    def draw(self, *numbers: Any) -> Any:
        return {}[len(numbers)]


class LosesItself(WrongDrawer):
    def __init__(self) -> None:
        self.name = "mine"

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.name = "other"


class RefusesBlocks(WrongDrawer):
    def draw(self, *_: Any) -> Any:
        raise SettingError


WRONG_DRAWERS = {
    Scribbles(): "must leave what it is given as it is",
    ClearsQuotas(): "must leave what it is given as it is",
    ReturnsLists(): "A drawer must return an array",
    SharesOfTheFirst(): "A drawer must return numbers|in a block as it is drawn alone",
    OneBeyond(): "less one; .* lie outside",
    OneBelow(): "less one; .* lie outside",
    Floats(): "must return integers.*float64",
    Flat(): "must return integers, one for each uniform",
    DrawsAnew(): "same numbers must draw the same",
    MixesBatches(): "in a block as it is drawn alone",
    FindsNoKey(): "with an error of this library.*KeyError",
    LosesItself(): "have the same repr; LosesItself\\(name='other'\\) does not",
    RefusesBlocks(): "says nothing",
    WithReplacement(): "probability that it says .* rows are held by .* of 4096 draws of 2, where it says 0.4",
    PrefersTheFirst(): "must treat all rows of a share alike",
}


class OnlyDistinct(WrongDrawer):
    """Refuses, in so many words, what it cannot do."""

    def draw(self, quotas: Any, sizes: Any, uniforms: Any) -> Any:
        if (quotas > sizes).any():
            msg = "Draws must be distinct."
            raise SettingError(msg)
        return super().draw(quotas, sizes, uniforms)
