"""`Steps`: how many steps an epoch has, and which of them are those of a rank."""

from __future__ import annotations

import sys

import attrs

from batchwright._checks import check_integer
from batchwright.errors import SettingError

__all__ = ["Steps"]


@attrs.frozen
class Steps:
    """The steps of an epoch, the same in every epoch.

    Parameters
    ----------
    count
        Number of steps, over all ranks.
    remainder
        Rows of the last batch if it is smaller than the others, else 0.
    even_batches
        Whether the last round is filled, so that all ranks have the same number of batches.
    """

    count: int
    remainder: int
    even_batches: bool

    @classmethod
    def of(
        cls, rows: int, batch_size: int, num_batches: int | None, *, drop_last: bool, even_batches: bool, who: str
    ) -> Steps:
        """Return the steps that the arguments of a sampler mean.

        Raises
        ------
        SettingError
            If an epoch would have no batch.
        """
        if num_batches is not None:
            way_out = "Pass the number of steps of an epoch."
            steps = check_integer(num_batches, "num_batches", who, 1, way_out)
            if steps > sys.maxsize:
                msg = f"num_batches must be at most {sys.maxsize}; got {steps} ({who}). {way_out}"
                raise SettingError(msg)
            return cls(steps, 0, even_batches)
        steps, remainder = divmod(rows, batch_size)
        if remainder and not drop_last:
            return cls(steps + 1, remainder, even_batches)
        if steps == 0:
            msg = (
                f"An epoch must have at least one batch; {rows} rows make no batch of {batch_size} ({who}). Lower "
                "batch_size, set drop_last=False for one smaller batch, or num_batches for full batches that repeat "
                "rows."
            )
            raise SettingError(msg)
        return cls(steps, 0, even_batches)

    def of_rank(self, start: int, rank: int, num_replicas: int) -> range:
        """Return the steps of a rank from a global step on; those that fill the last round lie past the epoch."""
        rounds = -(-(self.count - start) // num_replicas)
        stop = start + rounds * num_replicas if self.even_batches else self.count
        return range(start + rank, stop, num_replicas)
