"""Strategies of hypothesis: tables that are ugly on purpose, and pools, drafts, chains and samplers over them.

All of them shrink to few rows, few stages and simple settings.
"""

from batchwright.testing.strategies._chains import chains, samplers, stages
from batchwright.testing.strategies._drafts import drafts
from batchwright.testing.strategies._tables import indices, pools, tables, weights

__all__ = ["chains", "drafts", "indices", "pools", "samplers", "stages", "tables", "weights"]
