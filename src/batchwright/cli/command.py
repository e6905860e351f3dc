"""`main`: the command that is asked for, and how it ends."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import import_module

from batchwright.cli.arguments import make_parser
from batchwright.errors import BatchwrightError

__all__ = ["main"]

_WRONG = 2
# As shells say of a process that was interrupted.
_INTERRUPTED = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    argv
        The arguments; by default those of the process.

    Returns
    -------
    int
        The exit code: 0 where all is fine, 1 where ``--strict`` was asked for and there are findings, 2 where the
        arguments or the data cannot be used, which is then said on standard error.
    """
    arguments = make_parser().parse_args(argv)
    try:
        # Loaded here, so that what is not asked for, such as torch, need not be.
        code: int = import_module(f"batchwright.cli.{arguments.command}").run(arguments)
        # Where standard output is closed there is nothing to flush.
        print(end="", flush=True)
    except BrokenPipeError:
        # Whoever reads, such as `head`, has enough; nothing shall be written when the process ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return _INTERRUPTED
    except BatchwrightError as error:
        return _complain(str(error), *getattr(error, "__notes__", []))
    except UnicodeEncodeError as error:
        return _complain(
            f"Standard output must take all text; its encoding, {error.encoding}, lacks "
            f"{error.object[error.start : error.end]!a} (batchwright). Set PYTHONIOENCODING=utf-8."
        )
    except OSError as error:
        return _complain(f"A file must be there and writable; 1 is not: {error} (batchwright). Name another one.")
    return code


def _complain(message: str, *notes: str) -> int:
    print(f"batchwright: error: {message}", *notes, sep="\n  ", file=sys.stderr)
    return _WRONG
