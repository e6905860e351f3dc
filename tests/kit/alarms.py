"""False alarms: the whole kit, over the built-in chains, with many random seeds; none may fail.

``python tests/kit/alarms.py --seeds 200`` prints each chain with the number of checks that were run, and what failed.
"""

from __future__ import annotations

import argparse
import copy
import logging
import secrets
import sys
import time
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from functools import lru_cache, partial

from subjects import CHAINS, TABLE

from batchwright import PipelineSampler
from batchwright.testing import Outcome, run_checks


def run(name: str, seed: int) -> list[Outcome]:
    """Return what became of all checks of a chain with one seed."""
    # The table has a group that is too small on purpose; once is enough to hear of it.
    logging.disable(logging.WARNING)
    built = CHAINS[name]
    make = lru_cache(built.factory())

    def factory(seed: int, num_replicas: int = 1, rank: int = 0) -> PipelineSampler:
        # A copy is made much faster than a sampler, which looks at its plan first.
        return copy.deepcopy(make(seed, num_replicas, rank))

    return run_checks(factory, table=TABLE, claims=built.claims(), seeds=[seed])


def report(name: str, outcomes: Iterable[list[Outcome]]) -> int:
    """Print what became of a chain; return the number of alarms."""
    start = time.perf_counter()
    flat = [outcome for run_ in outcomes for outcome in run_]
    alarms = [outcome for outcome in flat if not outcome.passed]
    print(f"{name}: {len(flat)} checks, {len(alarms)} alarms, {time.perf_counter() - start:.0f} s", flush=True)
    for outcome in alarms:
        print(f"    {outcome.check}: {outcome.reason}")
    return len(alarms)


def main() -> int:
    """Run the kit; return 1 if there was an alarm."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=200, help="number of random seeds")
    parser.add_argument("--processes", type=int, default=2)
    arguments = parser.parse_args()
    seeds = [secrets.randbelow(2**63) for _ in range(arguments.seeds)]
    with ProcessPoolExecutor(arguments.processes) as executor:
        alarms = sum(report(name, executor.map(partial(run, name), seeds)) for name in CHAINS)
    return int(alarms > 0)


if __name__ == "__main__":
    sys.exit(main())
