"""A table and a chain over it, drawn together."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from batchwright.testing.strategies import chains, tables


def with_chain(max_cells: int = 6) -> Callable[..., Any]:
    """Return a strategy of a table and a chain over it."""
    return tables(max_cells=max_cells).flatmap(lambda table: st.tuples(st.just(table), chains(table)))
