"""torchrun and DistributedDataParallel, two processes started for real."""

from pathlib import Path

from launch import read, run
from screen import planned

SCRIPT = str(Path(__file__).with_name("ranks_ddp.py"))


def test_each_rank_sees_its_part_of_every_epoch(tmp_path: Path) -> None:
    """What a rank was trained on is what stands at its addresses, in order, epoch by epoch."""
    run(SCRIPT, str(tmp_path), ranks=2)
    for rank, seen in enumerate(read(tmp_path, "seen", ranks=2)):
        assert seen == planned(range(2), rank, 2)
