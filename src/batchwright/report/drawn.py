"""`DrawnBatches`: the batches that anybody's sampler delivers, one after the other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

import attrs
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from batchwright._checks import check_flag, import_extra
from batchwright.errors import SettingError, SettingTypeError
from batchwright.plan import Plan

__all__ = ["DrawnBatches", "plan_of"]

Integers = NDArray[np.int64]

_WAY_OUT = "Pass lists of row numbers; put a sampler of single rows into torch.utils.data.BatchSampler first."


def plan_of(sampler: Any) -> Plan | None:
    """Return the plan of a sampler of this library, and None for any other source of batches."""
    plan = getattr(sampler, "plan", None)
    return plan if isinstance(plan, Plan) else None


@attrs.frozen(eq=False)
class DrawnBatches:
    """Some batches, in the order in which they came.

    Parameters
    ----------
    rows
        int64: the rows of all batches, one batch after the other.
    sizes
        int64, shape (n,): the rows of each batch, none of which is empty.
    """

    rows: Integers
    sizes: Integers

    @classmethod
    def take(cls, sampler: Any, n_batches: int, total: int, *, progress: bool) -> DrawnBatches:
        """Take so many batches, or what one pass delivers if that is less.

        A sampler of this library is asked for its batches by address, so its position does not change, and epochs
        follow each other.

        Parameters
        ----------
        sampler
            A sampler of batches, or any iterable of lists of row numbers.
        n_batches
            How many batches to take at most.
        total
            Rows of the table.
        progress
            Whether to show a bar.
        """
        source = islice(_batches_of(sampler), n_batches)
        shown = _show(source, n_batches) if check_flag(progress, "progress", "audit") else source
        batches = [_read_batch(batch, number, total) for number, batch in enumerate(shown)]
        if not batches:
            msg = (
                f"There must be a batch to look at; {sampler!r} delivered 0 (audit). "
                "Pass a sampler that can begin anew."
            )
            raise SettingError(msg)
        return cls(np.concatenate(batches), np.array([batch.size for batch in batches]))

    def __len__(self) -> int:
        return self.sizes.size

    @property
    def owners(self) -> Integers:
        """The batch of each of `rows`: int64, sorted."""
        return np.repeat(np.arange(self.sizes.size), self.sizes)

    def repeats(self) -> Integers:
        """Return how many rows of each batch stand in it already: int64, shape (n,)."""
        order = np.lexsort((self.rows, self.owners))
        rows, owners = self.rows[order], self.owners[order]
        again = (rows[1:] == rows[:-1]) & (owners[1:] == owners[:-1])
        return np.bincount(owners[1:][again], minlength=len(self))

    def coverage(self) -> pd.DataFrame:
        """Return after each batch how many rows were drawn so far, and how many distinct ones."""
        first = np.unique(self.rows, return_index=True)[1]
        new = np.bincount(self.owners[first], minlength=len(self))
        columns = {"batches": np.arange(1, len(self) + 1), "drawn": self.sizes.cumsum(), "distinct": new.cumsum()}
        return pd.DataFrame(columns)


def _batches_of(sampler: Any) -> Iterator[Any]:
    if plan_of(sampler) is not None:
        return _by_address(sampler)
    if not isinstance(sampler, Iterable):
        name = type(sampler).__name__
        msg = f"A source of batches must be iterable; got {sampler!r} of type {name} (audit). {_WAY_OUT}"
        raise SettingTypeError(msg)
    return iter(sampler)


def _by_address(sampler: Any) -> Iterator[list[int]]:
    epoch = sampler.epoch
    while True:
        for step in range(sampler.num_batches):
            yield sampler.batch(step, epoch)
        epoch += 1


def _read_batch(batch: Any, number: int, total: int) -> Integers:
    try:
        rows = np.asarray(batch)
    except ValueError:  # Lists of unequal length within the batch.
        rows = np.empty(0)
    if rows.ndim != 1 or not rows.size or rows.dtype.kind not in "iu":
        msg = (
            f"A batch must be a list of row numbers; number {number} is {batch!r:.80} of type {type(batch).__name__} "
            f"(audit). {_WAY_OUT}"
        )
        raise SettingTypeError(msg)
    outside = rows[(rows < 0) | (rows >= total)]
    if outside.size:
        msg = (
            f"Row numbers must be in [0, {total}), the rows of the table; batch {number} holds {outside[0]} (audit). "
            "Pass the table that the sampler was made for."
        )
        raise SettingError(msg)
    return rows.astype(np.int64)


def _show(source: Iterator[Any], total: int) -> Iterable[Any]:
    tqdm = import_extra("tqdm", "Progress is shown by tqdm", "audit", "progress")
    bar: Iterable[Any] = tqdm.tqdm(source, total=total, unit=" batches")
    return bar
