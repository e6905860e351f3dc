"""``batchwright draw``: batches as a table of rows."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from batchwright._checks import check_integer
from batchwright.cli.arguments import chain_of
from batchwright.cli.output import require_place
from batchwright.cli.progress import watched
from batchwright.cli.tables import read_table, require_batch
from batchwright.errors import SettingError, TableError
from batchwright.index import MetadataIndex
from batchwright.sampler import PipelineSampler

__all__ = ["run"]

_OWN = ("epoch", "step", "row")


def run(arguments: argparse.Namespace) -> int:
    """Write batches; return the exit code."""
    _check_names(arguments.columns, arguments.out)
    require_place(arguments.out)
    columns = list(dict.fromkeys(arguments.columns))
    chain = chain_of(arguments)
    table = read_table(arguments.table, chain, columns, arguments.repeat)
    require_batch(table, arguments.batch_size)
    sampler = PipelineSampler(table, chain, arguments.batch_size, seed=arguments.seed)
    drawn = _draw(sampler, arguments.batches, arguments.epoch)
    if columns:
        drawn = pd.concat([drawn, _values(table, columns, drawn["row"])], axis=1)
    _write(drawn, arguments.out)
    return 0


def _draw(sampler: PipelineSampler, batches: int, epoch: int) -> pd.DataFrame:
    """Return so many batches from the start of an epoch on, as training would see them: a row for each row drawn."""
    number = check_integer(batches, "batches", "draw", 1, "Ask for one at least.")
    first = check_integer(epoch, "epoch", "draw", 0, "Count epochs from 0.") * sampler.num_batches
    addresses = [divmod(each, sampler.num_batches) for each in range(first, first + number)]
    rows = [sampler.batch(step, epoch) for epoch, step in watched(addresses, "batches")]
    at = np.repeat(np.array(addresses), [len(batch) for batch in rows], axis=0)
    return pd.DataFrame({"epoch": at[:, 0], "step": at[:, 1], "row": np.concatenate(rows)})


def _values(table: pd.DataFrame | MetadataIndex, columns: list[str], rows: pd.Series[int]) -> pd.DataFrame:
    if isinstance(table, MetadataIndex):
        msg = (
            f"An index does not have the columns of its table; {len(columns)} are asked for (--columns). "
            "Name the table that it was made of."
        )
        raise TableError(msg)
    return table.iloc[rows.to_numpy()][columns].reset_index(drop=True)


def _check_names(columns: list[str], out: Path | None) -> None:
    taken = [name for name in columns if name in _OWN]
    if taken:
        msg = f"A column that is added must not be named as one of ours; got {taken[0]!r} (--columns). Rename it first."
        raise SettingError(msg)
    if out is not None and out.suffix not in (".csv", ".parquet"):
        msg = f"Batches are written as *.csv or *.parquet; got {str(out)!r} (--out). Name such a file."
        raise SettingError(msg)


def _write(drawn: pd.DataFrame, out: Path | None) -> None:
    if out is None or out.suffix == ".csv":
        target: Any = sys.stdout if out is None else out
        drawn.to_csv(target, index=False)
        return
    try:
        drawn.to_parquet(out, index=False)
    except ImportError as error:
        msg = f"Parquet is written by pyarrow; 0 versions of it are there ({out}). Install batchwright[parquet] first."
        raise SettingError(msg) from error
