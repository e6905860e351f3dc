"""Run the test kit over samplers of other libraries, with the claims of their own documentation; print a table.

    python tests/peers/table.py

A peer that is not there, or that cannot be made here, is listed as not run.
"""

from __future__ import annotations

import textwrap
import warnings
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version

from batchwright.testing import CheckFailure, Outcome, run_checks
from peers import PEERS, Peer

HEAD = """| peer | version | claims checked | passed | failed |
| --- | --- | --- | --- | --- |"""


def cells(peer: Peer) -> Iterator[str]:
    """Yield the cells of a peer's row."""
    yield f"`{peer.name}`"
    yield f"{peer.distribution} {installed(peer.distribution)}"
    try:
        peer.make()
    except Exception as error:  # noqa: BLE001 - whatever keeps a peer from being made here is to be told.
        yield from ("-", "-", f"not run: {short(f'{type(error).__name__}: {error}')}")
        return
    outcomes = run_checks(peer.make, claims=peer.claims, table=peer.table, batch_size=peer.batch_size)
    yield ", ".join(peer.claims.made)
    yield f"{sum(outcome.passed for outcome in outcomes)} of {len(outcomes)}"
    yield "<br>".join(reason(outcome) for outcome in outcomes if not outcome.passed)


def reason(outcome: Outcome) -> str:
    """Return in a line why a check failed."""
    failure = outcome.failure
    found = f"{failure.found} ({failure.where})" if isinstance(failure, CheckFailure) else outcome.reason
    return f"`{outcome.check}`: {short(found)}"


def installed(distribution: str) -> str:
    """Return the version of a distribution, without its build."""
    try:
        return version(distribution).partition("+")[0]
    except PackageNotFoundError:
        return "(not installed)"


def short(text: str) -> str:
    """Return the beginning of a text, in one line of a table."""
    return textwrap.shorten(text, 160, placeholder=" ...").replace("|", "/")


def main() -> None:
    """Print the table, a row as soon as it is known."""
    # What peers warn of is theirs to say, and no part of a table.
    warnings.simplefilter("ignore")
    print(HEAD)
    for peer in PEERS:
        print(f"| {' | '.join(cells(peer))} |", flush=True)


if __name__ == "__main__":
    main()
