"""Training runs that are killed at random, and checkpoints that are cut off, altered or of another run."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import lives
import pytest
import torch
from launch import read, run
from screen import Net, make_sampler, planned
from torch.optim import SGD

from batchwright.errors import StateError

HERE = Path(__file__).parent


@pytest.mark.parametrize(("kind", "kills"), [("plain", 100), ("stateful", 40)])
def test_killed_runs(kind: str, kills: int, tmp_path: Path) -> None:
    """Runs that are killed again and again train on what an undisturbed one does, batch by batch, and end alike."""
    undisturbed = lives.train(kind, tmp_path / "undisturbed.pt", workers=0)
    run(str(HERE / "kill_runs.py"), str(tmp_path), kind, str(kills))
    (told,) = read(tmp_path, "killed")
    print(kind, told)
    assert told["in_saves"]
    for number in range(told["runs"]):
        diary = lives.train(kind, tmp_path / f"{number}.pt", workers=2)
        assert diary.pages.tolist() == lives.planned()
        assert torch.equal(diary.weight, undisturbed.weight)


def test_a_rank_is_killed(tmp_path: Path) -> None:
    """One of two ranks is killed in mid-epoch, then one in a save; the others fail, and nothing is lost or repeated."""
    for life in range(3):
        run(str(HERE / "ranks_faults.py"), str(tmp_path), str(life), ranks=2, fails=life < 2)
        if life == 1:
            assert (tmp_path / "run.pt.new").exists()
    assert sorted(path.name for path in tmp_path.glob("killed-*")) == ["killed-0-1", "killed-1-0"]
    parts = [planned(range(3), rank, 2) for rank in (0, 1)]
    together = [batch for turn in zip(*parts, strict=True) for batch in turn]
    assert torch.load(tmp_path / "run.pt")["model"]["pages"].tolist() == together


def altered(content: bytes, every_bit: bool = True) -> Iterator[bytes]:
    """Yield the content cut off before each byte, and with each of its bits turned, or some of every byte."""
    for at, byte in enumerate(content):
        yield content[:at]
        for mask in (1 << bit for bit in range(8)) if every_bit else (0x55,):
            yield content[:at] + bytes([byte ^ mask]) + content[at + 1 :]


def test_altered_states() -> None:
    """A state in JSON, cut off or altered anywhere, is an error that leaves the sampler alone, or is the same state."""
    sampler = make_sampler()
    before, state = sampler.state_dict(), sampler.state_at(epoch=2, step=4)
    found = Counter[str]()
    for content in altered(json.dumps(state).encode()):
        try:
            sampler.load_state_dict(json.loads(content))
        except ValueError as error:  # Ours, JSON's own, or that of text which is none.
            found[type(error).__name__] += 1
            assert sampler.state_dict() == before
        else:
            assert sampler.state_dict() == state == json.loads(content)
            sampler.seek(0, 0)
    assert next(iter(sampler)) == sampler.batch(0, 0)
    assert set(found) == {"StateError", "JSONDecodeError", "UnicodeDecodeError"}
    print(found)


def test_altered_checkpoints(tmp_path: Path) -> None:
    """A checkpoint that is cut off or altered anywhere never sets another position, and if cut off, sets nothing."""
    path, net, sampler = tmp_path / "run.pt", Net(), make_sampler()
    optimizer = SGD(net.parameters(), lr=0.1)
    before, state = sampler.state_dict(), sampler.state_at(epoch=2, step=4)
    lives.PAGE.save(path, net, optimizer, state)
    whole = path.read_bytes()
    found = Counter[str]()
    for content in altered(whole, every_bit=False):
        path.write_bytes(content)
        try:
            lives.PAGE.load(path, Net(), optimizer, sampler)
        except Exception as error:  # noqa: BLE001 - whatever torch raises.
            found[type(error).__name__] += 1
        else:
            assert len(content) == len(whole)
            assert sampler.state_dict() == state
        assert sampler.state_dict() in (before, state)
        sampler.seek(0, 0)
    assert found["StateError"]
    print(found)


@pytest.mark.parametrize("other", [{"seed": 8}, {"batch_size": 6}, {"num_batches": 12}])
def test_checkpoints_of_other_runs(other: dict[str, int], tmp_path: Path) -> None:
    """A position of another run is refused before the model is loaded."""
    path, net, sampler = tmp_path / "run.pt", Net(), make_sampler()
    optimizer = SGD(net.parameters(), lr=0.1)
    lives.PAGE.save(path, net, optimizer, make_sampler(**other).state_at(epoch=2, step=4))
    with torch.no_grad():
        net.weight.fill_(3)
    with pytest.raises(StateError, match="1 entries differ"):
        lives.PAGE.load(path, net, optimizer, sampler)
    assert net.weight == 3
    assert next(iter(sampler)) == sampler.batch(0, 0)
