"""Ray Train, two workers started for real."""

import os
from pathlib import Path

import pytest
from launch import read, run
from screen import planned

SCRIPT = Path(__file__).with_name("ranks_ray.py")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Let two workers train, and return where they left what they saw."""
    place = tmp_path_factory.mktemp("ray")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_AUTH_MODE", "disabled")  # It would leave a token in the home folder.
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        # Workers import the harness by name.
        patch.setenv("PYTHONPATH", os.pathsep.join([str(SCRIPT.parent), os.environ.get("PYTHONPATH", "")]))
        run(str(SCRIPT), str(place))
    return place


def test_workers_that_fail_go_on_where_they_were(folder: Path) -> None:
    """Ray starts them anew in the middle of epoch 1, and both epochs are what was planned, each batch once."""
    assert read(folder, "runs", 2) == ["resumed", "resumed"]
    for rank, seen in enumerate(read(folder, "seen", 2)):
        assert seen == planned(range(2), rank, 2)


def test_a_loader_prepared_by_default_is_found(folder: Path) -> None:
    """Ray puts single rows in the place of the batches."""
    for said in read(folder, "refusal", 2):
        assert "0 of them stand behind this one" in said
        assert "add_dist_sampler=False" in said
