"""``batchwright explain``: what a chain will do to a table. It needs no torch."""

from __future__ import annotations

import argparse

from batchwright._checks import check_integer
from batchwright.cli.arguments import chain_of
from batchwright.cli.output import code_of, print_json
from batchwright.cli.tables import index_of, read_table
from batchwright.plan import Plan

__all__ = ["run"]


def run(arguments: argparse.Namespace) -> int:
    """Print the explanation of a plan; return the exit code."""
    chain = chain_of(arguments)
    table = read_table(arguments.table, chain, repeat=arguments.repeat)
    batch_size = check_integer(arguments.batch_size, "batch_size", "explain", 1, "Pass the number of rows of a batch.")
    plan = Plan(chain, index_of(table, chain), batch_size)
    explanation = plan.explain()
    if arguments.json:
        print_json(explanation.to_dict())
    else:
        print(explanation)
    return code_of(explanation.findings, strict=arguments.strict)
