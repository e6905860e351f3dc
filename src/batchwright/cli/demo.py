"""``batchwright demo``: batches of a table that is made up, beside those of plain shuffling."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from batchwright._checks import check_integer
from batchwright.chainfile import dump_chain
from batchwright.datasets import time_lapse_screen
from batchwright.errors import StorageError
from batchwright.pipeline import Pipeline
from batchwright.sampler import PipelineSampler
from batchwright.stages import ConditionBalancer, Drawer, ExperimentSelector, LeakMixer, TemporalEnricher

__all__ = ["run"]

_CHAIN = Pipeline(
    [
        ExperimentSelector("experiment"),
        LeakMixer(0.2),
        ConditionBalancer("condition"),
        TemporalEnricher("hours_post_infection", half_width=2),
        Drawer(),
    ]
)
_BATCH_SIZE = 128
_SHOWN = 5


def run(arguments: argparse.Namespace) -> int:
    """Show batches of a chain, and save its table and the chain if asked; return the exit code."""
    rows = check_integer(arguments.rows, "rows", "demo", _BATCH_SIZE, "A batch has 128 rows.")
    table = time_lapse_screen(rows=rows)
    if arguments.save is not None:
        _save(table, arguments.save)
    sampler = PipelineSampler(table, _CHAIN, _BATCH_SIZE)
    generator = np.random.default_rng(0)
    print(f"A screen that is made up: {sampler.plan.index}\n\nA chain, as a file has it:\n\n{dump_chain(_CHAIN)}")
    print(f"Its batches of {_BATCH_SIZE}: rows of the largest experiment, of others, and of each condition\n")
    print(_composition(table, [sampler.batch(step) for step in range(min(_SHOWN, len(sampler)))]))
    print("\nBatches of plain shuffling\n")
    print(_composition(table, [generator.choice(rows, _BATCH_SIZE, replace=False) for _ in range(_SHOWN)]))
    if arguments.save is not None:
        folder = arguments.save
        print(f"\nSaved. Go on with: batchwright explain {folder}/table.csv --chain {folder}/chain.json")
    return 0


def _composition(table: pd.DataFrame, batches: Sequence[Sequence[int] | np.ndarray]) -> str:
    lines = []
    for batch in batches:
        rows = table.iloc[np.asarray(batch)]
        experiments = rows["experiment"].value_counts()
        largest = {"experiment": experiments.index[0], "of it": experiments.iloc[0], "of others": experiments[1:].sum()}
        lines.append(largest | rows["condition"].value_counts().sort_index().to_dict())
    return pd.DataFrame(lines).fillna(0).astype({"of others": int}).to_string(index=False, float_format="%.0f")


def _save(table: pd.DataFrame, folder: Path) -> None:
    try:
        folder.mkdir(parents=True)
    except FileExistsError as error:
        msg = f"A folder must be new to be filled; {str(folder)!r} is there (--save). Name another one."
        raise StorageError(msg) from error
    table.to_csv(folder / "table.csv", index=False)
    (folder / "chain.json").write_text(dump_chain(_CHAIN), encoding="utf-8")
