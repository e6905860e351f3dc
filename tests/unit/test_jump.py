"""The measurement at full scale works at a million rows."""

import subprocess
import sys
from pathlib import Path

import jump
import numpy as np
import pytest

from batchwright import MetadataIndex

ROWS = 1_000_000
needs_folders = pytest.mark.skipif(not hasattr(MetadataIndex, "open"), reason="an index cannot be kept in files yet")


def test_counts_have_the_shape_of_the_dataset() -> None:
    """Twelve sources, 2,400 plates, the right number of cells, and types of which none stands in half as many."""
    counts = jump.read_counts(None)
    assert counts["source"].nunique() == 12
    assert len(counts) == 2400
    assert counts["n_cells_est"].sum() == jump.CELLS
    by_type = counts.groupby("plate_type")["n_cells_est"].sum()
    assert by_type.max() > 100 * by_type.min()
    assert counts.drop_duplicates(jump.BY).shape[0] < 12 * 8


def test_plates_without_an_estimate_are_left_out(tmp_path: Path) -> None:
    """An empty count is no cell, and thinning keeps the sum exact."""
    (tmp_path / "plates.csv").write_text("source,plate_type,n_cells_est\na,x,10\nb,x,\na,y,20\n")
    counts = jump.read_counts(tmp_path / "plates.csv", rows=10)
    assert counts.to_dict("list") == {"source": ["a", "a"], "plate_type": ["x", "y"], "n_cells_est": [3, 7]}


def test_chunks_hold_all_cells_in_proportion() -> None:
    """As many cells as there are, of each source nearly its part, and the same ones each time."""
    counts = jump.read_counts(None, ROWS)
    found = sum(chunk["source"].value_counts() for chunk in jump.chunks(counts, 300_000))
    assert found.sum() == ROWS
    expected = counts.groupby("source")["n_cells_est"].sum()
    # Five standard deviations, below half of the square root of the number of cells each.
    assert np.abs(found - expected).max() < 2500
    assert next(jump.chunks(counts, 9)).equals(next(jump.chunks(counts, 9)))


def test_counts_make_the_index_of_the_plates() -> None:
    """In plate order the counts are all that the index needs."""
    counts = jump.read_counts(None, ROWS)
    assert MetadataIndex.from_counts(counts, by=jump.BY, count="n_cells_est").size == ROWS


@pytest.mark.parametrize("where", ["--in-memory", pytest.param("--folder=.", marks=needs_folders)])
def test_both_ways(where: str, tmp_path: Path) -> None:
    """Both ways deliver batches, and a row each is printed."""
    command = [sys.executable, jump.__file__, "--rows", str(ROWS), where]
    # It is our own script.
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=tmp_path)  # noqa: S603
    printed = done.stdout
    assert [line.split(" | ")[:2] for line in printed.splitlines()[2:]] == [
        ["| plate order", "1,000,000"],
        ["| random order", "1,000,000"],
    ]
