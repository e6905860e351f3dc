"""`DraftStack`: many drafts as arrays."""

from __future__ import annotations

from collections.abc import Sequence

import attrs
import numpy as np
from numpy.typing import NDArray

from batchwright.draft import Draft, require_order
from batchwright.errors import ChainError
from batchwright.index import MetadataIndex
from batchwright.pool import Pool
from batchwright.pools import Pools
from batchwright.ragged import bounds_of, gather, lengths, owners, totals
from batchwright.share import Role, Share

__all__ = ["DraftStack", "with_step"]

Integers = NDArray[np.int64]

_ROLES = "<U7"  # As text of fixed length, long enough for either role.


@attrs.frozen(eq=False)
class DraftStack:
    """Many drafts over one index as arrays: what a stage gets that can work them out all at once.

    Parameters
    ----------
    index
        The table.
    universe
        All rows that may stand in a batch, the same for every draft.
    primary
        For each of the K drafts the rows that its selection left.
    bounds
        int64, shape (K + 1,): the shares of draft k are ``bounds[k] : bounds[k + 1]``.
    pools, quotas, roles
        The pool of each share, how many rows it takes, int64, positive, and its role, as text.
    done
        For each draft the kinds of step taken so far: objects, shape (K,), as `Draft.done` has them.
    """

    index: MetadataIndex
    universe: Pool
    primary: Pools
    bounds: Integers
    pools: Pools
    quotas: Integers
    roles: NDArray[np.str_]
    done: NDArray[np.object_]

    @classmethod
    def of(cls, drafts: Sequence[Draft]) -> DraftStack:
        """Return some drafts, at least one, as a stack.

        Raises
        ------
        ChainError
            If their universes differ.
        """
        first = drafts[0]
        strangers = [draft for draft in drafts if draft.universe != first.universe]
        if strangers:
            msg = (
                f"A filter must be the same for every batch; got one that keeps {first.universe.size} rows, and one "
                f"that keeps {strangers[0].universe.size} (DraftStack). Select instead of filtering."
            )
            raise ChainError(msg)
        shares = [share for draft in drafts for share in draft.shares]
        done = np.empty(len(drafts), dtype=object)
        done[:] = [draft.done for draft in drafts]
        return cls(
            index=first.index,
            universe=first.universe,
            primary=Pools.of([draft.primary for draft in drafts], first.index.size),
            bounds=bounds_of([len(draft.shares) for draft in drafts]),
            pools=Pools.of([share.pool for share in shares], first.index.size),
            quotas=np.array([share.quota for share in shares], dtype=np.int64),
            roles=np.array([share.role for share in shares], dtype=_ROLES),
            done=done,
        )

    @classmethod
    def join(cls, parts: Sequence[DraftStack]) -> DraftStack:
        """Return the drafts of several stacks of one universe, at least one, one behind the other."""
        return attrs.evolve(
            parts[0],
            primary=Pools.join([part.primary for part in parts]),
            bounds=bounds_of(np.concatenate([lengths(part.bounds) for part in parts])),
            pools=Pools.join([part.pools for part in parts]),
            quotas=np.concatenate([part.quotas for part in parts]),
            roles=np.concatenate([part.roles for part in parts]),
            done=np.concatenate([part.done for part in parts]),
        )

    def __len__(self) -> int:
        return len(self.primary)

    def __getitem__(self, k: int) -> Draft:
        numbers = range(self.bounds[k], self.bounds[k + 1])
        roles: list[Role] = self.roles.tolist()
        shares = tuple(Share(self.pools[s], int(self.quotas[s]), roles[s]) for s in numbers)
        return Draft(self.index, self.universe, self.primary[k], shares, self.done[k])

    @property
    def owners(self) -> Integers:
        """The number of the draft that each share belongs to: int64, sorted."""
        return owners(self.bounds)

    @property
    def batch_sizes(self) -> Integers:
        """Sum of the quotas of each draft: int64, shape (K,)."""
        return totals(self.quotas, self.bounds)

    def within(self, scope: str) -> NDArray[np.bool_]:
        """Tell for each share whether a stage of that scope works on it."""
        return np.ones(self.quotas.size, dtype=bool) if scope == "all" else self.roles == scope

    def require_before(self, step: str, *later: str) -> None:
        """Raise a `ChainError` if some draft has seen a kind of step that must come after `step`."""
        for done in set(self.done.tolist()):
            require_order(done, step, later)

    def take(self, k: Integers) -> DraftStack:
        """Return some of the drafts, in the given order."""
        at, bounds = gather(self.bounds, k)
        return attrs.evolve(
            self,
            primary=self.primary.take(k),
            bounds=bounds,
            pools=self.pools.take(at),
            quotas=self.quotas[at],
            roles=self.roles[at],
            done=self.done[k],
        )

    def select(self, drafts: Integers, pools: Pools) -> DraftStack:
        """Take some drafts, and in each all rows from the given pool, which must be part of its primary one."""
        self.require_before("select", "leak", "split", "window")
        return attrs.evolve(
            self,
            primary=pools,
            bounds=np.arange(drafts.size + 1),
            pools=pools,
            quotas=self.batch_sizes[drafts],
            roles=np.full(drafts.size, "primary", dtype=_ROLES),
            done=with_step(self.done[drafts], "select"),
        )

    def fill(self, drafts: Integers, shares: Integers, bounds: Integers, quotas: Integers) -> DraftStack:
        """Return some drafts with some of their shares, draft after draft by `bounds`, those that have a quota."""
        kept = quotas > 0
        return attrs.evolve(
            self,
            primary=self.primary.take(drafts),
            bounds=bounds_of(totals(kept.astype(np.int64), bounds)),
            pools=self.pools.take(shares[kept]),
            quotas=quotas[kept],
            roles=self.roles[shares[kept]],
            done=self.done[drafts],
        )


def with_step(done: NDArray[np.object_], step: str) -> NDArray[np.object_]:
    """Add a kind of step to what was done to each draft."""
    kinds = {steps: steps | {step} for steps in set(done.tolist())}
    added = np.empty_like(done)
    if len(kinds) == 1:
        added.fill(*kinds.values())
    else:
        added[:] = [kinds[steps] for steps in done.tolist()]
    return added
