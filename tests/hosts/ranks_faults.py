"""Run by torchrun, three times: rank 1 is killed in mid-epoch, then rank 0 in a save, then training ends."""

import os
import signal
import sys
from pathlib import Path

import torch
from lives import PAGE, Diary
from screen import Net, Rows, make_sampler
from torch.utils.data import DataLoader

EPOCHS = 3
folder, life = Path(sys.argv[1]), int(sys.argv[2])
torch.distributed.init_process_group("gloo")
rank, ranks = torch.distributed.get_rank(), torch.distributed.get_world_size()


def die(*_: str) -> None:
    """End as if killed from outside, and leave word of it."""
    (folder / f"killed-{life}-{rank}").touch()
    os.kill(os.getpid(), signal.SIGKILL)


class CommonDiary(Diary):
    """A model that writes down what all ranks are trained on."""

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        """Return a loss of this rank's rows."""
        parts = [torch.empty_like(rows) for _ in range(ranks)]
        torch.distributed.all_gather(parts, rows)
        if (life, rank, int(self.written)) == (0, 1, 18):  # In the tenth of 18 rounds.
            die()
        for part in parts:
            self.write_down(part)
        return Net.forward(self, rows)


loader = DataLoader(Rows(), batch_sampler=make_sampler(), num_workers=2)
rounds = EPOCHS * len(loader)
if (life, rank) == (1, 0):
    os.replace = die
diary = CommonDiary(rounds * ranks)
PAGE.train_ranks(diary, loader, EPOCHS, folder / "run.pt", every=2)
torch.distributed.destroy_process_group()
