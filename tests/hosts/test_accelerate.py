"""accelerate, alone and in two processes started for real."""

from pathlib import Path

import pytest
from launch import read, run
from screen import STEPS, Batch, make_sampler, planned

SCRIPT = str(Path(__file__).with_name("ranks_accelerate.py"))


@pytest.fixture(scope="module", params=[1, 2])
def ranks(request: pytest.FixtureRequest) -> int:
    return request.param


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    """Let one process and two train all cases, and return where each left what it saw."""
    places = {ranks: tmp_path_factory.mktemp(f"ranks{ranks}") for ranks in (1, 2)}
    for ranks, folder in places.items():
        run(SCRIPT, str(folder), ranks=ranks if ranks > 1 else 0)
    return places


def steps_from(start: int, rank: int, ranks: int, **settings: int) -> list[Batch]:
    """Return what a rank has to see of epoch 1 from a step on, and of all epoch 2."""
    sampler = make_sampler(**{"num_batches": STEPS + 1} | settings)
    ends = [(1, start), (2, 0)]
    rounds = {epoch: range(begin, settings.get("num_batches", STEPS), ranks) for epoch, begin in ends}
    return [sampler.batch(step + rank, epoch) for epoch, steps in rounds.items() for step in steps]


@pytest.mark.parametrize("case", ["whole", "stop", "stop-workers", "twice"])
def test_each_rank_sees_its_part_of_every_epoch(folders: dict[int, Path], ranks: int, case: str) -> None:
    """Undisturbed, stopped and resumed by `seek`, with workers, and prepared once more: the same two epochs."""
    for rank, seen in enumerate(read(folders[ranks], case, ranks)):
        assert seen == planned(range(2), rank, ranks)


@pytest.mark.parametrize("case", ["skip", "stateful"])
def test_skipping_and_states_resume_exactly(folders: dict[int, Path], ranks: int, case: str) -> None:
    """`skip_first_batches` and the state of a loader with a worker go on in epoch 1, and then with epoch 2."""
    for rank, seen in enumerate(read(folders[ranks], case, ranks)):
        assert seen == planned(range(1, 3), rank, ranks)


@pytest.mark.parametrize("case", ["sought", "sought-stateful"])
def test_a_sampler_that_stands_elsewhere_is_prepared_there(folders: dict[int, Path], ranks: int, case: str) -> None:
    """What was sought before preparing holds, though accelerate counts epochs from 0 and asks for a state at once."""
    for rank, seen in enumerate(read(folders[ranks], case, ranks)):
        assert seen == steps_from(4, rank, ranks)


def test_accelerate_divides_batches_alike(folders: dict[int, Path], ranks: int) -> None:
    """With `num_replicas=1` and `prepare`, batches lie on the same ranks, also from the middle of an epoch on."""
    for rank, seen in enumerate(read(folders[ranks], "accelerate", ranks)):
        assert seen == steps_from(4, rank, ranks, num_batches=12)


def test_accelerate_keeps_the_state_of_what_it_divides(folders: dict[int, Path], ranks: int) -> None:
    """Its own stateful loader goes on in the middle of the epoch that was set before it was prepared."""
    for rank, seen in enumerate(read(folders[ranks], "accelerate-stateful", ranks)):
        assert seen == steps_from(0, rank, ranks, num_batches=12)


def test_the_number_of_processes_may_change(folders: dict[int, Path]) -> None:
    """Two processes, then one, then two again train on every batch of the epoch once, and on the next epoch."""
    first = zip(*read(folders[2], "from-0", 2), strict=True)
    last = zip(*read(folders[2], "from-9", 2), strict=True)
    seen = [batch for pair in first for batch in pair] + read(folders[1], "from-6")[0]
    seen += [batch for pair in last for batch in pair]
    epochs = zip(*(planned(range(1, 2), rank, 2) for rank in range(2)), strict=True)
    assert seen == planned(range(1)) + [batch for pair in epochs for batch in pair]


def test_limits_are_as_the_page_says(folders: dict[int, Path], ranks: int) -> None:
    """The sampler itself is one batch of each rank ahead, and the last round is cut for metrics."""
    assert read(folders[ranks], "ahead", ranks) == [4 * ranks] * ranks
    full = [8 * ranks] * (-(-STEPS // ranks) - 1)
    assert read(folders[ranks], "gathered", ranks) == [[*full, 60 % 8]] * ranks


def test_what_goes_wrong_in_two_processes_is_refused(folders: dict[int, Path]) -> None:
    """Dividing twice, filling up, all on the same, joining, cutting, preparing twice, a sampler that would be lost."""
    texts = ["batches of one rank", "repeats batches", "got num_replicas=1", "joins batches", "into 2 parts"]
    texts += ["got a DataLoaderShard over a PipelineSampler", "got a DataLoader over a NoneType"]
    for said in read(folders[2], "refusals", 2):
        assert all(text in message for text, message in zip(texts, said, strict=True)), said


def test_one_process_refuses_what_is_wrong_there(folders: dict[int, Path]) -> None:
    """Alone, nothing is divided; only what was prepared or would be lost is refused."""
    (said,) = read(folders[1], "refusals")
    assert said[:5] == [""] * 5
    assert all("must be prepared 1 time" in message for message in said[5:])
