"""The training script runs on a file of one's own."""

import subprocess
import sys
from pathlib import Path

import pytest

from batchwright.datasets import time_lapse_screen

SCRIPT = Path(__file__).parents[2] / "examples" / "train.py"


def test_training_on_a_file(tmp_path: Path) -> None:
    """A CSV with other column names and a count of repeats is read, balanced and trained on."""
    table = time_lapse_screen(rows=500).rename(columns={"experiment": "donor", "condition": "drug"})
    table.assign(cells=3).to_csv(tmp_path / "table.csv")
    arguments = [
        "--experiment",
        "donor",
        "--condition",
        "drug",
        "--repeat",
        "cells",
        "--epochs",
        "1",
        "--steps",
        "2",
        "--batch-size",
        "20",
    ]
    command = [sys.executable, str(SCRIPT), "--table", str(tmp_path / "table.csv"), *arguments]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout  # noqa: S603 - our own script.
    assert "1500 rows in 23 cells" in printed
    assert "epoch 0: 2 batches, mean loss" in printed
    assert "a batch, over an epoch of 75: structured" in printed


def test_an_audit_is_written(tmp_path: Path) -> None:
    """The script that audits prints the numbers and writes the page and the picture."""
    pytest.importorskip("matplotlib")
    files = ["--html", str(tmp_path / "page.html"), "--picture", str(tmp_path / "batches.svg")]
    command = [sys.executable, str(SCRIPT.with_name("audit.py")), *files]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout  # noqa: S603 - our own script.
    assert "0 of 10 labels deviate" in printed
    assert (tmp_path / "page.html").read_text().startswith("<!DOCTYPE html>")
    assert "<svg" in (tmp_path / "batches.svg").read_text()
