"""An index in a folder."""

from pathlib import Path

import pytest
from saved import TABLE

from batchwright import MetadataIndex


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return the folder of a small saved index."""
    MetadataIndex.from_table(TABLE, "plate", "hours").save(tmp_path / "index")
    return tmp_path / "index"
