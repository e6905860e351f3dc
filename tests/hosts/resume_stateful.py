"""Run in a process of its own: go on from every state in a folder, and leave what was seen."""

import sys
from pathlib import Path

import torch
from launch import write
from test_stateful import CASES, finish

folder = Path(sys.argv[1])
write(folder, "after", 0, [finish(case, torch.load(folder / f"{number}.pt")) for number, case in enumerate(CASES)])
