"""`Pipeline`: an ordered, validated chain of stages that a drawer ends."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from hashlib import blake2b
from os import PathLike
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from batchwright.draft import Choice, Draft, Outcome, require_outcome
from batchwright.errors import ChainError, SettingTypeError
from batchwright.layout import Layout
from batchwright.options import Expansion, Options
from batchwright.stack import DraftStack
from batchwright.stages.base import BaseDrawer, Element, Stage

__all__ = ["Pipeline"]

Integers = NDArray[np.int64]


def _as_elements(stages: Any) -> tuple[Element, ...]:
    elements = tuple(stages) if isinstance(stages, Iterable) else (stages,)
    for number, element in enumerate(elements):
        if not isinstance(element, Element):
            way_out = "Pass stage objects; where Hydra builds them, set `_convert_: all` on the node around the list."
            if isinstance(element, str | PathLike):
                way_out = "Pass the table first and stage objects second; load_chain reads a chain from a file."
            msg = (
                f"Every member of a chain must be a Stage or a drawer; number {number} is {element!r} of type "
                f"{type(element).__name__} (Pipeline). {way_out}"
            )
            raise SettingTypeError(msg)
    drawers = [number for number, element in enumerate(elements) if isinstance(element, BaseDrawer)]
    if drawers != [len(elements) - 1]:
        msg = (
            f"A chain must end with a drawer and have no other; got {len(drawers)} among {len(elements)} "
            f"members, at {drawers} ({', '.join(type(e).__name__ for e in elements)}). Put one Drawer() at the end."
        )
        raise ChainError(msg)
    return elements


@attrs.frozen
class Pipeline:
    """An ordered chain: any number of stages, and one drawer at the end.

    Parameters
    ----------
    stages
        The stages and the drawer, in order.

    Raises
    ------
    ChainError
        If there is no drawer, a second one, or a stage behind it, or if stages need different ordered columns.
    SettingTypeError
        If a member is neither a stage nor a drawer.

    Examples
    --------
    >>> from batchwright import Drawer, ExperimentSelector, LeakMixer
    >>> Pipeline([ExperimentSelector(by="donor"), LeakMixer(0.2), Drawer()]).key_columns
    ('donor',)
    """

    stages: tuple[Element, ...] = attrs.field(converter=_as_elements)

    def __attrs_post_init__(self) -> None:
        columns = list(dict.fromkeys(e.order_column for e in self.stages if e.order_column is not None))
        if len(columns) > 1:
            msg = (
                f"A chain must order its rows by one column; got {len(columns)}: {columns} (Pipeline). "
                "Use one ordered column for all stages."
            )
            raise ChainError(msg)

    @property
    def key_columns(self) -> tuple[str, ...]:
        """The key columns that the stages read, each once, in order of first use."""
        return tuple(dict.fromkeys(name for element in self.stages for name in element.key_columns))

    @property
    def order_column(self) -> str | None:
        """The ordered column that the stages read, if any."""
        return next((e.order_column for e in self.stages if e.order_column is not None), None)

    @property
    def steps(self) -> tuple[Stage, ...]:
        """The stages without the drawer."""
        return tuple(element for element in self.stages if isinstance(element, Stage))

    @property
    def drawer(self) -> BaseDrawer:
        """The drawer that ends the chain."""
        drawer = self.stages[-1]
        assert isinstance(drawer, BaseDrawer)  # noqa: S101 - the converter has seen to it; this tells the type checker.
        return drawer

    @property
    def fingerprint(self) -> str:
        """A short text, hexadecimal, that tells chains apart: the same for equal chains, in every process."""
        return blake2b(repr(self).encode(), digest_size=8).hexdigest()

    @contextmanager
    def context(self, level: int) -> Iterator[None]:
        """Add to an error that passes through here which stage it came from."""
        try:
            yield
        except Exception as error:
            error.add_note(f"in stage {level + 1} of {len(self.steps)}, {self.steps[level]!r}")
            raise

    def apply(self, level: int, draft: Draft) -> Outcome:
        """Return what stage number `level` makes of a draft."""
        stage = self.steps[level]
        with self.context(level):
            outcome = stage.apply(draft)
        return self._require_outcome(level, outcome)

    def choose(self, level: int, choice: Choice, k: int) -> Outcome:
        """Return the k-th alternative of a choice that stage number `level` made."""
        with self.context(level):
            outcome = choice.child(k)
        return self._require_outcome(level, outcome)

    def expand(self, level: int, stack: DraftStack) -> Expansion:
        """Return what stage number `level` makes of many drafts."""
        with self.context(level):
            return self.steps[level].expand(stack)

    def take(self, level: int, options: Options, drafts: Integers, numbers: Integers) -> Expansion:
        """Return some alternatives of options that stage number `level` gave."""
        with self.context(level):
            return options.take(drafts, numbers)

    def layout(self, level: int, options: Options, drafts: Integers, numbers: Integers) -> Layout | None:
        """Return them compiled for drawing, if stage number `level` is the last and has a short cut; else None."""
        if options.layout is None or level + 1 < len(self.steps):
            return None
        with self.context(level):
            return options.layout(drafts, numbers)

    def require_sizes(self, level: int, drafts: DraftStack | Layout, batch_size: int) -> None:
        """Raise a `ChainError` unless all drafts that have gone through so many stages have the size of the batch."""
        sizes = drafts.batch_sizes
        self.require_size(level, int(sizes[(sizes != batch_size).argmax()]), batch_size)

    def require_size(self, level: int, found: int, batch_size: int) -> None:
        """Raise a `ChainError` unless a draft that has gone through so many stages has the size of the batch."""
        if found != batch_size:
            msg = (
                f"The quotas of a draft must sum to batch_size={batch_size}; got {found} "
                f"(after stage {level}, {self.steps[level - 1]!r}). Give every row of the batch to a share."
            )
            raise ChainError(msg)

    def _require_outcome(self, level: int, outcome: Any) -> Outcome:
        return require_outcome(outcome, f"stage {level + 1}, {self.steps[level]!r}")
