"""``batchwright index``: a table read once, saved in a folder. It needs no torch."""

from __future__ import annotations

import argparse

from batchwright.cli.arguments import chain_of
from batchwright.cli.progress import is_watched
from batchwright.cli.tables import index_of, is_index, is_parquet, read_table
from batchwright.errors import TableError
from batchwright.index import MetadataIndex
from batchwright.pipeline import Pipeline

__all__ = ["run"]


def run(arguments: argparse.Namespace) -> int:
    """Build the index of a table, save it, and say what it holds; return the exit code."""
    if is_index(arguments.table):
        msg = f"An index is made of a table; got an index ({arguments.table}). Name the table, or copy the folder."
        raise TableError(msg)
    index = _build(arguments, chain_of(arguments))
    print(f"{index} saved in {str(arguments.out)!r}")
    return 0


def _build(arguments: argparse.Namespace, chain: Pipeline) -> MetadataIndex:
    if is_parquet(arguments.table) and arguments.repeat is None:
        columns = [*chain.key_columns, *arguments.by]
        # Of Parquet files some rows at a time are held, so the table may be larger than memory.
        return MetadataIndex.from_parquet(
            arguments.table, columns, chain.order_column, arguments.out, progress=is_watched()
        )
    index = index_of(read_table(arguments.table, chain, arguments.by, arguments.repeat), chain, arguments.by)
    index.save(arguments.out)
    return index
