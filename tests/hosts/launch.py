"""Start a script in several processes, as torchrun does, and read back what each rank wrote."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

SECONDS = 240


def run(*command: str, fails: bool = False, ranks: int = 0) -> str:
    """Run Python with these arguments, under torchrun if ranks are asked for; return all it printed."""
    torchrun = ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={ranks}"] if ranks else []
    # One thread a process: tiny models on few cores are slower with more.
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    arguments = [sys.executable, "-W", "ignore", *torchrun, *command]
    done = subprocess.run(arguments, env=environment, capture_output=True, text=True, timeout=SECONDS, check=False)
    said = done.stdout + done.stderr
    if (done.returncode != 0) is not fails:
        msg = f"{' '.join(command)} ended with {done.returncode}:\n{said[-6000:]}"
        raise AssertionError(msg)
    return said


def write(folder: str | Path, name: str, rank: int, value: Any) -> None:
    """Leave what a rank has to say, as JSON."""
    (Path(folder) / f"{name}-{rank}.json").write_text(json.dumps(value))


def read(folder: str | Path, name: str, ranks: int = 1) -> list[Any]:
    """Return what each rank has left under a name, in order of ranks."""
    return [json.loads((Path(folder) / f"{name}-{rank}.json").read_text()) for rank in range(ranks)]
