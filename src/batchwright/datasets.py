"""A table to try things on, made here and now: a time-lapse screen with unequal groups."""

from __future__ import annotations

import numpy as np
import pandas as pd

__all__ = ["time_lapse_screen"]

_CONDITIONS = ("mock", "virus", "virus+drug", "drug")
_SHARES = (0.1, 0.6, 0.25, 0.05)


def time_lapse_screen(rows: int = 20_000, experiments: int = 6, seed: int = 0) -> pd.DataFrame:
    """Return the metadata of an imagined infection screen, one row a cell image.

    Each experiment has about two thirds of the rows of the one before it, conditions are far from balanced,
    the last experiment has no drug, and images were taken every half hour for two days.

    Parameters
    ----------
    rows
        Number of rows.
    experiments
        Number of experiments.
    seed
        Seed of the random generator.

    Returns
    -------
    pandas.DataFrame
        Columns ``experiment`` and ``condition`` (str) and ``hours_post_infection`` (float64, hours).

    Examples
    --------
    >>> screen = time_lapse_screen(rows=1000)
    >>> sorted(screen["condition"].unique())
    ['drug', 'mock', 'virus', 'virus+drug']
    """
    rng = np.random.default_rng(seed)
    sizes = (2 / 3) ** np.arange(experiments)
    experiment = rng.choice(experiments, rows, p=sizes / sizes.sum())
    condition = rng.choice(len(_CONDITIONS), rows, p=_SHARES)
    condition[(experiment == experiments - 1) & (condition == _CONDITIONS.index("drug"))] = 0
    names = np.array([f"2026-03-{day + 1:02d}" for day in range(experiments)])
    return pd.DataFrame(
        {
            "experiment": names[experiment],
            "condition": np.array(_CONDITIONS)[condition],
            "hours_post_infection": rng.integers(0, 97, rows) / 2,
        }
    )
