"""Scripts that do not come to their end leave nothing behind."""

from pathlib import Path

import launch
import pytest

HANGS = """
import os, sys, time
from pathlib import Path
if "RANK" not in os.environ:
    os.environ["RANK"] = str(int(os.fork() > 0))
Path(sys.argv[1], os.environ["RANK"]).write_text(str(os.getpid()))
time.sleep(600)
"""


def runs(number: str) -> bool:
    """Return whether a process is there, and not only waits for its parent to take note of its end."""
    status = Path("/proc", number, "status")
    return status.exists() and "State:\tZ" not in status.read_text()


@pytest.mark.parametrize("ranks", [0, 2])
def test_what_a_script_that_hangs_has_started_ends_with_it(
    ranks: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that was forked and ranks of torchrun are gone when the time is over."""
    monkeypatch.setattr(launch, "SECONDS", 10)
    script, left = tmp_path / "hangs.py", tmp_path / "left"
    script.write_text(HANGS)
    left.mkdir()
    with pytest.raises(AssertionError, match="did not end within 10 s"):
        launch.run(str(script), str(left), ranks=ranks)
    assert not any(runs(path.read_text()) for path in left.iterdir())
