"""torchrun and DistributedDataParallel, in processes started for real, and in other numbers of them."""

from pathlib import Path

import pytest
from launch import read, run
from screen import STEPS, Batch, make_sampler, planned

HERE = Path(__file__).parent
PHASES = ((1, 1), (2, 2), (4, 1), (3, 5))  # Ranks and rounds: of two epochs, the second one is run on three ranks.


@pytest.fixture(scope="module")
def two_ranks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder where two ranks have left what they saw."""
    folder = tmp_path_factory.mktemp("ddp")
    run(str(HERE / "ranks_ddp.py"), str(folder), ranks=2)
    return folder


@pytest.fixture(scope="module")
def phases(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder where ranks have left what they saw, in four phases of one training run."""
    folder = tmp_path_factory.mktemp("elastic")
    for phase, (ranks, rounds) in enumerate(PHASES):
        run(str(HERE / "ranks_elastic.py"), str(folder), str(phase), str(rounds), ranks=ranks)
    return folder


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("built", ["early", "late"])
def test_each_rank_sees_its_part_of_every_epoch(two_ranks: Path, built: str, workers: int) -> None:
    """A sampler built before or after the process group gives each rank the batches of its addresses, in order."""
    for rank, seen in enumerate(read(two_ranks, f"{built}-{workers}", ranks=2)):
        assert seen == planned(range(2), rank, 2)


def test_lengths(two_ranks: Path) -> None:
    """Without a process group there is one process; with it, all ranks have the same length if they are evened out."""
    assert read(two_ranks, "lengths", ranks=2) == [[STEPS, 6, 6], [STEPS, 6, 5]]


def test_given_ranks_win(two_ranks: Path) -> None:
    """Numbers that are given are taken, whatever the process group says."""
    assert read(two_ranks, "given", ranks=2) == [[planned(range(1)), planned(range(1), 3, 4)]] * 2


def test_uneven_ranks(two_ranks: Path) -> None:
    """In torch's `Join`, six and five batches are trained on without waiting, and the models stay the same."""
    for rank, seen in enumerate(read(two_ranks, "uneven", ranks=2)):
        assert seen == [make_sampler().batch(step, epoch) for epoch in (0, 1) for step in range(rank, STEPS, 2)]
    first, second = read(two_ranks, "weight", ranks=2)
    assert first == second != 1


@pytest.mark.parametrize("way", ["state", "count", "seek"])
def test_other_numbers_of_ranks(phases: Path, way: str) -> None:
    """On 1, 2, 4 and 3 ranks in turn, each epoch is trained on once and in order, but for what fills its last round."""
    turns: list[Batch] = []
    for phase, (ranks, _) in enumerate(PHASES):
        parts = read(phases, f"{way}-{phase}", ranks)
        turns += [batch for turn in zip(*parts, strict=True) for batch in turn]
    assert [batch for at, batch in enumerate(turns) if at % (STEPS + 1) != STEPS] == planned(range(2))
    # Eleven steps leave one place in the last round of each epoch: it is the batch that a longer epoch goes on with.
    assert turns[STEPS :: STEPS + 1] == [make_sampler(num_batches=STEPS + 1).batch(STEPS, epoch) for epoch in (0, 1)]
