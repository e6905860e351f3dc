"""The command line: what a chain will do to a table, what its batches hold, and the batches themselves."""

from batchwright.cli.command import main

__all__ = ["main"]
