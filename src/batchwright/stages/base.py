"""The contract of a stage, and of the drawer that ends a chain."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable, Iterable, Mapping
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from batchwright._checks import some_of
from batchwright.columns import as_columns, no_columns
from batchwright.draft import Draft, Outcome
from batchwright.errors import ChainError, SettingError
from batchwright.finding import Finding
from batchwright.index import MetadataIndex
from batchwright.options import Expansion, lift
from batchwright.pool import Pool
from batchwright.share import Scope
from batchwright.stack import DraftStack

__all__ = ["BaseDrawer", "Element", "Stage", "check_labels", "check_leak", "check_scope", "to_columns"]


class Element(ABC):  # noqa: B024 - what it lacks, `apply` or `draw`, its two kinds add.
    """What a chain is made of: a stage or a drawer. Holds settings only, never data or random state."""

    by: Any = ()

    @property
    def key_columns(self) -> tuple[str, ...]:
        """The key columns that this element reads: by default what `by` names."""
        return as_columns(self.by)

    @property
    def order_column(self) -> str | None:
        """The ordered column that this element reads, if any."""
        return None

    def __repr__(self) -> str:
        settings = ", ".join(f"{name}={value!r}" for name, value in vars(self).items())
        return f"{type(self).__name__}({settings})"


class Stage(Element):
    """One step of a chain: narrows or augments the draft of a batch.

    A stage of your own is a subclass with the one method `apply`; there is nothing to register. Name the
    columns that it reads in `by`, as a class attribute or an argument. It must be pure: the same draft gives
    the same result, and randomness is expressed as a `Choice`.

    Examples
    --------
    >>> class OnlyMarker(Stage):
    ...     by = "marker"
    ...     def __init__(self, marker):
    ...         self.marker = marker
    ...     def apply(self, draft):
    ...         return draft.filter(draft.index.pool("marker", self.marker))
    >>> OnlyMarker("DAPI")
    OnlyMarker(marker='DAPI')
    """

    only_divides: bool = False
    """Whether the stage only divides shares, those within its `scope`, or all where it has none: whichever alternative
    is taken, the rows of a share still come out of its pool, as many as before. It saves work: what a share of one
    label holds is known without going through the alternatives of such a stage. A class that has an `apply` of its own
    says it anew."""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        # Who changes `apply` of a stage has not changed its `expand`, by which batches are made, nor said what it does.
        said = next(base for base in cls.__mro__ if {"apply", "only_divides"} & vars(base).keys())
        if "only_divides" not in vars(said):
            cls.only_divides = False
        changed = next((base for base in cls.__mro__ if {"apply", "expand"} & vars(base).keys()), Stage)
        if "expand" not in vars(changed):
            cls.expand = Stage.expand  # type: ignore[method-assign] # - put back for this class.

    @abstractmethod
    def apply(self, draft: Draft) -> Outcome:
        """Return the next draft, or a weighted choice of next drafts."""

    def expand(self, stack: DraftStack) -> Expansion:
        """Return what `apply` makes of many drafts, all at once.

        This is what batches are made by. As it stands it applies the stage to one draft after the other, once for
        each while a chain has few situations, for every batch where it has very many; a stage can do better
        with arrays, and must then agree with `apply`.
        """
        return lift([self.apply(stack[k]) for k in range(len(stack))])

    def findings(self, stack: DraftStack) -> Iterable[Finding]:  # noqa: ARG002 - for those that find something.
        """Return what a user should know of what the stage makes of the drafts that come to it; by default nothing.

        An error is a stage that does nothing in any of them, a warning one that cannot do what it is asked in some.
        """
        return ()

    def check(self, draft: Draft) -> None:
        """Raise if the settings do not fit the table.

        Called once, when a sampler is built, with the first draft that the stage will see. What depends on
        which path was taken belongs into `apply`, and must not raise there.
        """


class BaseDrawer(Element):
    """The end of a chain: says how rows are drawn out of each share.

    Every row of a share must be alike in probability; what a plan knows of rows rests on it.
    """

    def inclusion(self, quotas: NDArray[np.int64], sizes: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the probability that a draw of some rows out of a share holds a given one of them.

        By default that of the even draw, ``min(1, quota / size)``. A drawer that draws otherwise must say so here: with
        replacement, for instance, it is ``1 - (1 - 1 / size) ** quota``.

        Parameters
        ----------
        quotas, sizes
            int64, shape (S,) each, positive: rows to draw and rows there are.

        Returns
        -------
        numpy.ndarray
            float64, shape (S,).
        """
        return np.minimum(1.0, quotas / sizes)

    @abstractmethod
    def draw(
        self, quotas: NDArray[np.int64], sizes: NDArray[np.int64], uniforms: NDArray[np.float64]
    ) -> NDArray[np.int64]:
        """Draw the rows of a block of batches.

        Parameters
        ----------
        quotas, sizes
            int64, shape (S,) each: rows to draw and rows there are, for the shares of all batches one after the
            other. The quotas of a batch sum to its size. A share may have quota 0, and then also size 0.
        uniforms
            float64 in [0, 1), shape (batches, batch size): one for each row drawn. The only source of chance, and
            batch b may depend on row b only, so that a batch is the same in every block.

        Returns
        -------
        numpy.ndarray
            int64, shape (batches, batch size): for each slot a number in ``0 .. size - 1`` of its share.
        """


def to_columns(by: Any) -> Any:
    """Convert `by` for an attrs field: a string stays, a list of names becomes a tuple; refuse anything else."""
    names: tuple[Any, ...] = as_columns(by)
    if not names or not all(isinstance(name, str) and name for name in names):
        raise no_columns(by)
    return names[0] if isinstance(by, str) else names


def check_scope(stage: Stage, _: Any, scope: Any) -> None:
    """Raise unless `scope` is a known scope: the validator of an attrs field."""
    if scope not in get_args(Scope):
        msg = (
            f"scope must be one of {get_args(Scope)}; got {scope!r} ({type(stage).__name__}). "
            "Pass 'primary' for the selected rows."
        )
        raise SettingError(msg)


def check_leak(stage: Stage, scope: Scope, draft: Draft) -> None:
    """Raise if a stage is to work on leaked rows only and none leak in before it."""
    if scope == "leak" and "leak" not in draft.done:
        msg = (
            f"A stage of scope 'leak' must come after a leak; got none before it ({type(stage).__name__}). "
            "Put LeakMixer before it, or use another scope."
        )
        raise ChainError(msg)


def check_labels(
    given: Mapping[Hashable, float], index: MetadataIndex, universe: Pool, by: tuple[str, ...], name: str, who: str
) -> None:
    """Raise unless `given` has an entry for each label that may occur, and none for labels that do not exist."""
    existing = index.labels_of(by)
    unknown = sorted(set(given).difference(existing), key=str)
    if unknown:
        msg = (
            f"{name} must name labels that occur in {by}; {len(unknown)} do not: {some_of(unknown)} ({who}). "
            f"There are {len(existing)}: {some_of(existing)}. Correct the names."
        )
        raise SettingError(msg)
    missing = [label for label in index.groups(universe, by).labels if label not in given]
    if missing:
        msg = (
            f"{name} must have an entry for every label of {by}; {len(missing)} have none: {some_of(missing)} ({who}). "
            f"Add them; 0 is allowed."
        )
        raise SettingError(msg)
