"""`Share`: so many rows of the batch come from this pool."""

from __future__ import annotations

from typing import Literal, get_args

import attrs

from batchwright.errors import SettingError
from batchwright.pool import Pool

__all__ = ["Role", "Scope", "Share"]

Role = Literal["primary", "leak"]
Scope = Literal["primary", "leak", "all"]

_ROLES = get_args(Role)


@attrs.frozen
class Share:
    """So many rows of the batch come from this pool.

    Parameters
    ----------
    pool
        Where the rows come from; not empty.
    quota
        How many of them; positive. It may exceed the size of the pool: rows then repeat evenly.
    role
        ``"primary"`` for rows of the selection, ``"leak"`` for rows from outside it.

    Raises
    ------
    SettingError
        If the pool is empty, the quota not positive or the role unknown.
    """

    pool: Pool
    quota: int
    role: Role = "primary"

    def __attrs_post_init__(self) -> None:
        if self.quota <= 0 or not self.pool or self.role not in _ROLES:
            msg = (
                f"A share must take at least 1 row from a pool that is not empty, as 'primary' or 'leak'; got "
                f"quota {self.quota} from {self.pool.size} rows as {self.role!r} (Share). Leave such a share out."
            )
            raise SettingError(msg)

    def within(self, scope: Scope) -> bool:
        """Tell whether a stage of that scope works on this share."""
        return scope in ("all", self.role)
