"""What flows down a chain: `Draft`, and `Choice` among drafts."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from batchwright._checks import check_integer
from batchwright.errors import ChainError, SettingError, SettingTypeError
from batchwright.groups import Groups
from batchwright.index import MetadataIndex
from batchwright.pool import Pool
from batchwright.rounding import Rounding
from batchwright.share import Role, Scope, Share

__all__ = ["Choice", "Draft", "Outcome", "require_order", "require_outcome", "require_selection"]


@attrs.frozen
class Draft:
    """A batch under construction: shares whose quotas sum to the batch size.

    A draft is never changed; its methods return another one, or a `Choice` where quotas do not divide.

    Parameters
    ----------
    index
        The table.
    universe
        All rows that may stand in the batch; only `filter` shrinks it.
    primary
        The rows that the selection left, from which primary shares come. A share that rounding leaves without
        rows is gone from the draft, but not from here, so no leak comes from the selected group itself.
    shares
        The shares, in the order in which their rows will stand in the batch.
    done
        The kinds of step taken so far, out of ``"select"``, ``"leak"``, ``"split"`` and ``"window"``. They tell an
        order of stages that cannot work from one that can, whatever labels happen to be there.

    Examples
    --------
    >>> index = MetadataIndex.from_table({"plate": ["a", "a", "b", "b"]}, by="plate")
    >>> draft = Draft.start(index, batch_size=3)
    >>> draft.select(index.pool("plate", "b")).shares
    (Share(pool=Pool([2:4] of 4), quota=3, role='primary'),)
    """

    index: MetadataIndex
    universe: Pool
    primary: Pool
    shares: tuple[Share, ...]
    done: frozenset[str] = frozenset()

    @classmethod
    def start(cls, index: MetadataIndex, batch_size: int) -> Draft:
        """Return the draft that a chain begins with: the whole batch from the whole table."""
        full = Pool.full(index.size)
        return cls(index, full, full, (Share(full, batch_size),))

    @property
    def batch_size(self) -> int:
        """Sum of all quotas."""
        return sum(share.quota for share in self.shares)

    def groups(self, by: str | Iterable[str]) -> Groups:
        """Cut the primary pool up by the labels of one column or several."""
        return self.index.groups(self.primary, by)

    def filter(self, pool: Pool) -> Draft:
        """Keep only rows of `pool`, in the universe and in all shares.

        Raises
        ------
        ChainError
            If it comes after any other step, or leaves no row.
        """
        self.require_before("filter", "select", "leak", "split", "window")
        kept = self.universe & pool
        if not kept:
            msg = (
                f"A filter must keep at least one row; it keeps 0 of {self.universe.size} (Draft.filter). "
                "Check the label or the pool that it keeps."
            )
            raise ChainError(msg)
        return attrs.evolve(self, universe=kept, primary=kept, shares=(Share(kept, self.batch_size),))

    def select(self, pool: Pool) -> Draft:
        """Take all rows of the batch from `pool`; the universe stays, so others can still leak in.

        Raises
        ------
        ChainError
            If it comes after a leak, a split or a window, or leaves no row.
        """
        self.require_before("select", "leak", "split", "window")
        kept = self.primary & pool
        if not kept:
            msg = (
                f"A selection must keep at least one row; it keeps 0 of {self.primary.size} (Draft.select). "
                "Offer only groups of the draft's own primary pool, as Draft.groups gives them."
            )
            raise ChainError(msg)
        shares = (Share(kept, self.batch_size),)
        return attrs.evolve(self, primary=kept, shares=shares, done=self.done | {"select"})

    def leak(self, pool: Pool, quota: int) -> Draft | Choice:
        """Take `quota` rows from `pool` instead, in the role ``"leak"``; primary shares give way in proportion.

        Where the pool is empty or the quota 0, the primary shares keep all rows.

        Raises
        ------
        ChainError
            If nothing was selected before, or rows leak in already.
        SettingError, SettingTypeError
            If `quota` is no integer from 0 to the batch size.
        """
        self.require_before("leak", "leak")
        require_selection(self.done, len(self.shares))
        if check_integer(quota, "quota", "Draft.leak", 0, "Pass a part of the batch.") > self.batch_size:
            msg = (
                f"quota must be at most {self.batch_size}, the batch size; got {quota} (Draft.leak). "
                "Pass a part of the batch."
            )
            raise SettingError(msg)
        leaked = quota if pool else 0
        left = self.batch_size - leaked
        parts = [(share.pool, share.role, share.quota * left / self.batch_size) for share in self.shares]
        return self._round([*parts, (pool, "leak", float(leaked))], "leak")

    def split(self, parts: Callable[[Share], Iterable[tuple[Pool, float]]], scope: Scope = "primary") -> Draft | Choice:
        """Divide shares into parts, each ``(pool, weight)``, by exact quotas in proportion to the weights.

        Quotas that do not divide are rounded systematically across all shares, in order. Empty pools are
        left out, and the others take over their part.

        Raises
        ------
        ChainError
            If it comes after a window, whose two sides need not have the same labels, or leaves a share no part.
        SettingError
            If a weight is negative or not finite, or their sum is not.
        """
        self.require_before("split", "window")
        divided: list[tuple[Pool, Role, float]] = []
        for share in self.shares:
            offered = [(share.pool, 1.0)]
            if share.within(scope):
                offered = _filled(parts(share))
            if not offered:
                msg = (
                    f"A split must leave each share a part that has rows and weight; {share.quota} rows of "
                    f"{self.index.describe(share.pool)} got none (Draft.split). Offer a part for what is left over."
                )
                raise ChainError(msg)
            whole = sum(weight for _, weight in offered)
            if not math.isfinite(whole):
                most = max(weight for _, weight in offered)
                msg = f"Weights must have a finite sum; got {len(offered)} up to {most} (Draft.split). Scale them down."
                raise SettingError(msg)
            divided += [(pool, share.role, share.quota * (weight / whole)) for pool, weight in offered]
        return self._round(divided, "split")

    def _round(self, parts: Sequence[tuple[Pool, Role, float]], step: str) -> Draft | Choice:
        """Return the draft of the given parts, or a choice over the ways to round their quotas."""
        rounding = Rounding.of([target for _, _, target in parts])

        def rounded(outcome: int) -> Draft:
            quotas = rounding.quotas(outcome).tolist()
            shares = [Share(pool, quota, role) for (pool, role, _), quota in zip(parts, quotas, strict=True) if quota]
            return attrs.evolve(self, shares=tuple(shares), done=self.done | {step})

        return rounded(0) if rounding.probabilities.size == 1 else Choice(rounding.probabilities, rounded)

    def require_before(self, step: str, *later: str) -> None:
        """Raise a `ChainError` if a kind of step has been taken that must come after `step`."""
        require_order(self.done, step, later)


def require_order(done: Iterable[str], step: str, later: Iterable[str]) -> None:
    """Raise a `ChainError` if a kind of step in `later`, which must come after `step`, was done before it."""
    for other in later:
        if other in done:
            way_out = "Leave one of them out." if other == step else "Move the stage forward in the list of stages."
            msg = (
                "The order of a chain is filters, selections, then splits and at most one leak, and at most one "
                f"window after all splits; got a {step} after a {other} (Draft.{step}). {way_out}"
            )
            raise ChainError(msg)


def require_selection(done: Iterable[str], shares: int) -> None:
    """Raise a `ChainError` if rows are to leak into a draft of so many shares and nothing was selected before."""
    if "select" not in done:
        msg = (
            f"A leak must come after a selection, since it brings rows from outside it; got none before it in a "
            f"draft of {shares} share(s) (Draft.leak). Put a selector, such as ExperimentSelector, first."
        )
        raise ChainError(msg)


def _filled(parts: Iterable[tuple[Pool, float]]) -> list[tuple[Pool, float]]:
    """Return the parts of a split that have rows and weight."""
    offered = list(parts)
    for _, weight in offered:
        if not 0 <= weight < np.inf:
            msg = (
                f"The weights of a split must be finite and not negative; got {weight} among {len(offered)} "
                "(Draft.split). Leave a part out, or give it weight 0, to take no rows from it."
            )
            raise SettingError(msg)
    return [(pool, weight) for pool, weight in offered if pool and weight > 0]


def _probabilities(weights: ArrayLike) -> NDArray[np.float64]:
    try:
        values = np.asarray(weights, dtype=np.float64)
    except (TypeError, ValueError) as error:
        msg = f"The weights of a choice must be numbers; got {weights!r} (Choice). Offer one for each alternative."
        raise SettingTypeError(msg) from error
    with np.errstate(over="ignore"):
        total = values.sum()
    if values.ndim != 1 or not np.isfinite(values).all() or (values < 0).any() or not 0 < total < np.inf:
        msg = (
            f"The weights of a choice must be finite, not negative and not all zero; got {values.size} weights with "
            f"sum {total} (Choice). Offer at least one alternative with a positive weight."
        )
        raise SettingError(msg)
    probabilities: NDArray[np.float64] = values / total
    return probabilities


@attrs.frozen(eq=False)
class Choice:
    """Weighted alternatives for a draft, made on demand.

    Parameters
    ----------
    weights
        One finite, non-negative number an alternative, not all zero; kept as probabilities that sum to 1:
        float64, shape (K,).
    child
        Maps ``k`` in ``0 .. K - 1`` to the k-th alternative: a draft, or a further choice. Pure.

    Raises
    ------
    SettingError, SettingTypeError
        If the weights cannot be made probabilities.
    """

    weights: NDArray[np.float64] = attrs.field(converter=_probabilities)
    child: Callable[[int], Outcome]


Outcome = Draft | Choice


def require_outcome(outcome: Any, who: str) -> Outcome:
    """Return what a stage made of a draft, or raise a `ChainError` if it is neither a draft nor a choice."""
    if not isinstance(outcome, Draft | Choice):
        msg = (
            f"A stage must return a Draft or a Choice, and a choice must offer such; got {outcome!r} ({who}). "
            "Return the next draft."
        )
        raise ChainError(msg)
    return outcome
