"""Audit a structured sampler: what stands in its batches, as a page and as a picture.

python examples/audit.py --html report.html --picture batches.svg
"""

from __future__ import annotations

import argparse
from pathlib import Path

import matplotlib as mpl

from batchwright import ConditionBalancer, Drawer, ExperimentSelector, LeakMixer, PipelineSampler
from batchwright.datasets import time_lapse_screen
from batchwright.report import audit


def main() -> None:
    """Build the sampler, look at its batches, and write what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--html", type=Path, help="file for the page")
    parser.add_argument("--picture", type=Path, help="file for a picture of the first batches, .svg")
    arguments = parser.parse_args()

    table = time_lapse_screen()
    chain = [ExperimentSelector(by="experiment"), LeakMixer(0.2), ConditionBalancer(by="condition"), Drawer()]
    found = audit(PipelineSampler(table, chain, batch_size=128), table)
    print(found)
    print(found.table.round(2).to_string(index=False))
    if arguments.html:
        found.to_html(arguments.html)
    if arguments.picture:
        # Text stays text, and the same picture is the same file.
        with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "audit"}):
            found.figures()["composition"].savefig(arguments.picture, metadata={"Date": None})


if __name__ == "__main__":
    main()
