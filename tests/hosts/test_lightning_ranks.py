"""Lightning on two processes, which it starts itself, and on another number of them when a run is resumed."""

from pathlib import Path

import pytest
from launch import read, run
from ranks_lightning import EPOCHS, every, fit, kept
from screen import STEPS, Batch, make_sampler, planned

SCRIPT = str(Path(__file__).with_name("ranks_lightning.py"))
ROUNDS = -(-STEPS // 2)
# Where one process stopped, for two to go on. The first of these runs begins in the middle of a round and is resumed.
STOPS = (3, 1, 10, 11, 12, 21)


def rest(epoch: int, step: int, rank: int = 0, ranks: int = 1) -> list[Batch]:
    """Return what a rank has to see from a step on: its part of what is left of the epoch, and all later epochs."""
    filled = make_sampler(num_batches=STEPS + ranks)
    rounds = -(-(STEPS - step) // ranks)
    left = [filled.batch(step + rank + k * ranks, epoch) for k in range(rounds)]
    return (left if epoch < EPOCHS else []) + planned(range(epoch + 1, EPOCHS), rank, ranks)


def place(path: Path, trained: int) -> tuple[int, int]:
    """Return the epoch and the step after so many batches, which were trained on two processes or on one."""
    return (
        (trained // STEPS, trained % STEPS)
        if path.parent.name == "alone"
        else (trained // ROUNDS, trained % ROUNDS * 2)
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with what two processes saw, and checkpoints of theirs and of one process."""
    folder = tmp_path_factory.mktemp("lightning")
    fit(None, every(folder / "alone", every_n_train_steps=1))
    alone = kept(folder / "alone")
    run(SCRIPT, str(folder), *(str(alone[stop]) for stop in STOPS))
    return folder


def test_each_rank_sees_its_part_of_every_epoch(folder: Path) -> None:
    """The sampler was built before Lightning made its processes, and ranks are evened out."""
    for rank, seen in enumerate(read(folder, "seen", ranks=2)):
        assert seen == planned(range(EPOCHS), rank, 2)


@pytest.mark.parametrize("made", ["pair", "alone"])
def test_two_processes_go_on(made: str, folder: Path) -> None:
    """From a checkpoint of two processes or of one, they share what is left of the epoch."""
    checkpoints = kept(folder if made == "pair" else folder / "alone")
    for rank, resumed in enumerate(read(folder, "resumed", ranks=2)):
        runs = {trained: resumed[str(path)] for trained, path in checkpoints.items() if str(path) in resumed}
        assert len(runs) == (ROUNDS * EPOCHS if made == "pair" else len(STOPS))
        for trained, seen in runs.items():
            assert seen == rest(*place(checkpoints[trained], trained), rank, 2)


@pytest.mark.parametrize("num_workers", [0, 2])
def test_one_process_goes_on_where_two_stopped(num_workers: int, folder: Path) -> None:
    """It does all that is left of the epoch."""
    for trained, path in kept(folder).items():
        if not num_workers or trained in (1, ROUNDS - 1, ROUNDS, ROUNDS + 1):
            assert fit(path, num_workers=num_workers) == rest(*place(path, trained))


def test_one_process_goes_on_where_two_went_on_where_one_stopped(folder: Path) -> None:
    """Positions stay right where two processes began in the middle of a round, so that no count of batches shows it."""
    begun = STOPS[0]
    rounds = -(-(STEPS - begun) // 2)
    for trained, path in kept(folder / "again").items():
        first = (0, begun + trained * 2) if trained < rounds else place(path, trained - rounds + ROUNDS)
        assert fit(path) == rest(*first)


def test_what_lightning_would_divide_among_ranks_is_refused(folder: Path) -> None:
    """By Lightning itself, or by the callback where it would divide the batches of a rank once more."""
    for said in read(folder, "refusals", ranks=2):
        assert "TypeError:  Lightning can't inject a (distributed) sampler" in said[0]
        assert "LoaderError" in said[1]
        assert "DistributedSamplerWrapper deals batches out among 2 processes" in said[1]


def test_torchrun_may_start_the_processes(tmp_path: Path) -> None:
    """It makes no difference who does."""
    run(SCRIPT, str(tmp_path), ranks=2)
    for rank, seen in enumerate(read(tmp_path, "seen", ranks=2)):
        assert seen == planned(range(EPOCHS), rank, 2)


def test_processes_may_be_spawned(tmp_path: Path) -> None:
    """A sampler that has been used is sent to them, and begins where the trainer does."""
    run(SCRIPT, "spawn", str(tmp_path))
    for rank, seen in enumerate(read(tmp_path, "spawned", ranks=2)):
        assert seen == planned(range(EPOCHS), rank, 2)
