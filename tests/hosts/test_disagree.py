"""Two ranks that mean different samplers do not train, not one step."""

import json
from pathlib import Path
from typing import Any

import pytest
from launch import run

SCRIPT = str(Path(__file__).with_name("ranks_disagree.py"))


@pytest.mark.parametrize("difference", [{"seed": 8}, {"batch_size": 4}], ids=str)
def test_nothing_is_trained_where_ranks_differ(tmp_path: Path, difference: dict[str, Any]) -> None:
    """One rank says what differs, and no rank finishes a step."""
    said = run(SCRIPT, str(tmp_path), json.dumps(difference), ranks=2, fails=True)
    assert "All ranks must begin with the same table, chain, seed and position" in said
    assert list(tmp_path.iterdir()) == []


def test_equal_ranks_train(tmp_path: Path) -> None:
    """The same script trains to the end where nothing differs."""
    run(SCRIPT, str(tmp_path), "{}", ranks=2)
    assert {path.name: json.loads(path.read_text()) for path in tmp_path.iterdir()} == {
        "trained-0.json": 11,
        "trained-1.json": 11,
    }
