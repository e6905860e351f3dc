"""The Trainer of transformers, alone and in two processes started for real."""

from pathlib import Path

import pytest
from launch import read, run
from screen import STEPS, planned

SCRIPT = str(Path(__file__).with_name("ranks_transformers.py"))


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    """Let one process and two train all cases, and return where each left what it saw."""
    places = {ranks: tmp_path_factory.mktemp(f"ranks{ranks}") for ranks in (1, 2)}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_HUB_OFFLINE", "1")
        for ranks, folder in places.items():
            two_steps_into_epoch_1 = -(-STEPS // ranks) + 2
            run(SCRIPT, str(folder), str(two_steps_into_epoch_1), ranks=ranks if ranks > 1 else 0)
    return places


@pytest.mark.parametrize("ranks", [1, 2])
@pytest.mark.parametrize(
    "case", ["whole", "in-epoch-0", "in-epoch-1", "workers", "at-the-end-of-epoch-0", "accumulated"]
)
def test_each_rank_is_trained_on_its_part(folders: dict[int, Path], ranks: int, case: str) -> None:
    """Undisturbed, and stopped and resumed from a checkpoint anywhere: the same two epochs."""
    for rank, seen in enumerate(read(folders[ranks], case, ranks)):
        assert seen == planned(range(2), rank, ranks)
