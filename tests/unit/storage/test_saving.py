"""Where an index is saved: as a whole or not at all, whoever is killed and whatever is full."""

import errno
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from saved import TABLE, needs_fallocate

from batchwright import MetadataIndex, StorageError
from refusals import refused


def test_what_stands_there_is_kept(folder: Path, tmp_path: Path) -> None:
    """A folder, even an empty one, and a file are never replaced; a missing parent is not made."""
    index = MetadataIndex.open(folder)
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("mine")
    for taken in (folder, tmp_path / "empty", tmp_path / "file"):
        with refused(
            StorageError, "An index is saved where nothing stands, so that none is lost; 1 folder or file ..."
        ):
            index.save(taken)
    with refused(StorageError, "An index is written beside its place; 0 folders could be made there: ..."):
        index.save(tmp_path / "nowhere" / "index")
    assert MetadataIndex.open(folder).fingerprint == index.fingerprint
    assert {path.name for path in tmp_path.iterdir()} == {"index", "empty", "file"}


def test_the_first_of_two_writers_wins(tmp_path: Path) -> None:
    """What comes to stand there while an index is made is kept, and nothing else is left."""

    def chunks() -> Iterator[Any]:
        yield TABLE
        MetadataIndex.from_table({"plate": ["x"]}, "plate").save(tmp_path / "index")

    with refused(StorageError, "An index is saved where nothing stands, so that none is lost; 1 folder or file ..."):
        MetadataIndex.from_chunks(chunks(), "plate", folder=tmp_path / "index")
    assert [path.name for path in tmp_path.iterdir()] == ["index"]
    assert MetadataIndex.open(tmp_path / "index").labels == (("x",),)


# A writer that kills itself before the given line of storage.py; each runs in a fork, which costs no import.
WRITER = """
import os, signal, sys
from batchwright import MetadataIndex

def save_and_die(target, deadline):
    count = 0
    def trace(frame, event, _):
        nonlocal count
        if not frame.f_code.co_filename.endswith("storage.py"):
            return None
        count += event == "line"
        if count == deadline:
            os.kill(os.getpid(), signal.SIGKILL)
        return trace
    index = MetadataIndex.from_table({"k": ["b", "a", "b"]}, "k")
    sys.settrace(trace)
    index.save(target)
    sys.settrace(None)
    os._exit(0)

for deadline in range(1, 1000):
    child = os.fork()
    if child == 0:
        save_and_die(os.path.join(sys.argv[1], str(deadline)), deadline)
    status = os.waitpid(child, 0)[1]
    print(deadline, os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0)
    if not os.WIFSIGNALED(status):
        break
"""


def test_a_killed_writer_leaves_nothing_or_all(tmp_path: Path) -> None:
    """Killed before any line whatever, a writer has left no folder in its place, or one that opens."""
    run = subprocess.run(  # noqa: S603 - our own interpreter and code.
        [sys.executable, "-c", WRITER, str(tmp_path)], check=True, capture_output=True, text=True
    )
    deaths = [tuple(map(int, line.split())) for line in run.stdout.splitlines()]
    assert len(deaths) > 50
    assert [number for _, number in deaths] == [signal.SIGKILL] * (len(deaths) - 1) + [0]
    there = [deadline for deadline, _ in deaths if (tmp_path / str(deadline)).exists()]
    assert len(there) > 1
    assert there == list(range(there[0], len(deaths) + 1))
    for deadline in there:
        assert MetadataIndex.open(tmp_path / str(deadline)).labels == (("a", "b"),)
    # What a killed one leaves beside the place is hidden and bears its name.
    rest = {path.name for path in tmp_path.iterdir()} - {str(deadline) for deadline in there}
    assert all(name.startswith(".") and name.endswith(".partial") for name in rest)


def test_a_root_is_no_place_for_an_index() -> None:
    """A root stands there already, as any folder that was not made for the index."""
    index = MetadataIndex.from_table({"k": ["a"]}, "k")
    with refused(
        StorageError, "An index is saved where nothing stands, so that none is lost; 1 folder or file is there"
    ):
        index.save("/")


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """Let the system write no more to any file."""
    resource = pytest.importorskip("resource")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


@pytest.mark.parametrize("size", [100, 400, 2050, 2127])
def test_a_file_that_cannot_be_written_whole_is_an_error(size: int, tmp_path: Path) -> None:
    """Also where only its last bytes do not fit, of an array that is saved and of rows that are put by."""
    index = MetadataIndex.from_table({"plate": np.arange(500) % 2}, "plate")
    with (
        files_of_at_most(size),
        refused(StorageError, "All files of an index must be written; 1 could not be: ...File too large"),
    ):
        index.save(tmp_path / "index")
    chunks = [{"plate": np.arange(100) % 7}] * 50
    with (
        files_of_at_most(size),
        refused(StorageError, "All files of an index must be written; 1 could not be: ...File too large"),
    ):
        MetadataIndex.from_chunks(chunks, "plate", folder=tmp_path / "index")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("number", [errno.EACCES, errno.EINVAL, errno.EIO], ids=errno.errorcode.get)
def test_a_place_need_not_be_readable(number: int, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Names in a folder cannot be synced where it may only be written to, or on some systems; a fault is told."""
    synced, index = os.fsync, MetadataIndex.open(folder)

    def refuse(file: int) -> None:
        if stat.S_ISDIR(os.fstat(file).st_mode):
            raise OSError(number, os.strerror(number))
        synced(file)

    monkeypatch.setattr(os, "fsync", refuse)
    if number == errno.EIO:
        with refused(StorageError, "All files of an index must be written; 1 could not be: ..."):
            index.save(folder / "copy")
        assert not list(folder.glob("*copy*"))
    else:
        index.save(folder / "copy")
        assert MetadataIndex.open(folder / "copy").fingerprint == index.fingerprint


@pytest.mark.parametrize("what", [pytest.param("os.posix_fallocate", marks=needs_fallocate), "pathlib.Path.open"])
def test_a_full_disk_is_an_error(what: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Whatever is written first, nothing is left, and the process goes on."""

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(what, full)
    with refused(StorageError, "All files of an index must be written; 1 could not be: ...No space left"):
        MetadataIndex.from_chunks([{"plate": np.arange(5000) % 7}], "plate", folder=tmp_path / "index")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_is_found_where_it_was_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Also where the rows are looked for somewhere else in the meantime."""
    (tmp_path / "rows").mkdir()
    monkeypatch.chdir(tmp_path)

    def chunks() -> Iterator[Any]:
        monkeypatch.chdir(tmp_path / "rows")
        yield TABLE

    index = MetadataIndex.from_chunks(chunks(), "plate", folder="index")
    assert index.fingerprint == MetadataIndex.open(tmp_path / "index").fingerprint


def test_a_place_that_cannot_be_taken_is_told_from_one_that_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A disk that is full, or rights that are missing, are not said to be a folder that is there."""

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    index = MetadataIndex.from_table({"k": ["a"]}, "k")
    monkeypatch.setattr(Path, "rename", full)
    with refused(StorageError, "An index is written beside its place; 0 folders could be made there: ...No space"):
        index.save(tmp_path / "index")
    assert list(tmp_path.iterdir()) == []
