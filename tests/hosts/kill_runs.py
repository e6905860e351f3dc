"""Kill a training run at random moments, again and again, and leave how often that was in the middle of a save."""

import multiprocessing
import os
import random
import signal
import sys
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import lives
from launch import write
from torch.nn.modules.module import register_module_forward_pre_hook
from torch.optim import SGD

# Nothing was trained in this process, so its copies are as good as new ones, and are there at once.
CONTEXT = multiprocessing.get_context("fork")


def live(kind: str, path: Path, steps: Connection) -> None:
    """Train, and say so at each step."""
    os.setpgid(0, 0)  # So that its workers are killed with it.
    register_module_forward_pre_hook(lambda *_: steps.send(None))
    lives.train(kind, path, workers=2)


def killed(kind: str, path: Path, steps: int, seconds: float) -> bool:
    """Let a run live so many steps and so long, and kill it with its workers; return whether it was still running."""
    told, tells = CONTEXT.Pipe()
    life: Any = CONTEXT.Process(target=live, args=(kind, path, tells))
    life.start()
    tells.close()
    with suppress(EOFError):  # It has come to its end.
        for _ in range(1 + steps):
            told.recv()
    life.join(seconds)
    if life.is_alive():
        os.killpg(life.pid, signal.SIGKILL)
    life.join()
    # It may have come to its end just before it was killed: how it ended says which of the two it was.
    if life.exitcode not in (0, -signal.SIGKILL):
        raise RuntimeError(life.exitcode)
    return life.exitcode != 0


def main(folder: Path, kind: str, kills: int) -> None:
    """Kill so often; a run that comes to its end is followed by another one."""
    numbers = random.Random(0)  # noqa: S311 - no secret.
    runs = in_saves = 0
    while kills:
        path = folder / f"{runs}.pt"
        if killed(kind, path, numbers.randrange(20), numbers.uniform(0, 0.02)):
            kills -= 1
            in_saves += path.with_suffix(".pt.new").exists()
        else:
            runs += 1
    write(folder, "killed", 0, {"runs": runs + 1, "in_saves": in_saves})


# What a first save brings in takes seconds, which the copies of this process save.
diary = lives.Diary(steps=1)
lives.PAGE.save(Path(sys.argv[1]) / "first.pt", diary, SGD(diary.parameters()), {})
main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
