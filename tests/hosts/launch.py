"""Start a script in several processes, as torchrun does, and read back what each rank wrote."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

SECONDS = 480  # Far more than any script takes on a busy machine.


def run(*command: str, fails: bool = False, ranks: int = 0) -> str:
    """Run Python with these arguments, under torchrun if ranks are asked for; return all it printed."""
    torchrun = ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={ranks}"] if ranks else []
    # One thread a process: tiny models on few cores are slower with more.
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    arguments = [sys.executable, "-W", "ignore", *torchrun, *command]
    process = subprocess.Popen(
        arguments, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    )
    try:
        said, _ = process.communicate(timeout=SECONDS)
    except subprocess.TimeoutExpired:
        # All that it has started ends with it: torchrun is given the time to stop its ranks.
        os.killpg(process.pid, signal.SIGTERM)
        said, _ = process.communicate(timeout=SECONDS)
        msg = f"{' '.join(command)} did not end within {SECONDS} s:\n{said[-6000:]}"
        raise AssertionError(msg) from None
    if (process.returncode != 0) is not fails:
        msg = f"{' '.join(command)} ended with {process.returncode}:\n{said[-6000:]}"
        raise AssertionError(msg)
    return said


def write(folder: str | Path, name: str, rank: int, value: Any) -> None:
    """Leave what a rank has to say, as JSON."""
    (Path(folder) / f"{name}-{rank}.json").write_text(json.dumps(value))


def read(folder: str | Path, name: str, ranks: int = 1) -> list[Any]:
    """Return what each rank has left under a name, in order of ranks."""
    return [json.loads((Path(folder) / f"{name}-{rank}.json").read_text()) for rank in range(ranks)]
