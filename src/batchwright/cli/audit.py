"""``batchwright audit``: what batches hold, beside what they should."""

from __future__ import annotations

import argparse

from batchwright.cli.arguments import chain_of
from batchwright.cli.output import code_of, print_json, require_place
from batchwright.cli.progress import is_watched
from batchwright.cli.tables import read_table, require_batch
from batchwright.report import audit
from batchwright.sampler import PipelineSampler

__all__ = ["run"]

_SHOWN = 60


def run(arguments: argparse.Namespace) -> int:
    """Print an audit, and write it as a page if asked; return the exit code."""
    require_place(arguments.html)
    chain = chain_of(arguments)
    table = read_table(arguments.table, chain, arguments.by or [], arguments.repeat)
    require_batch(table, arguments.batch_size)
    sampler = PipelineSampler(table, chain, arguments.batch_size, seed=arguments.seed)
    audited = audit(sampler, table, n_batches=arguments.batches, by=arguments.by, progress=is_watched())
    if arguments.json:
        print_json(audited.to_dict())
    else:
        print(audited, audited.table.to_string(index=False, max_rows=_SHOWN), sep="\n\n")
    if arguments.html is not None:
        audited.to_html(arguments.html)
    return code_of(audited.explanation.findings if audited.explanation else (), strict=arguments.strict)
