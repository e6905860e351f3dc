"""A saved index: what comes back, what is refused, and what is left of a writer that was killed."""

import errno
import json
import os
import pickle
import signal
import subprocess
import sys
import tracemalloc
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from torch.utils.data import DataLoader, Dataset

from batchwright import (
    Drawer,
    ExperimentSelector,
    MetadataIndex,
    PipelineSampler,
    SettingTypeError,
    StorageError,
    spill,
    timecount,
)
from batchwright.archive import fingerprint_of
from batchwright.storage import _checksum_of_header
from refusals import refused

TABLE = {"plate": ["b", "a", "b", "c", "a", "b"], "hours": [2.0, 1.0, 0.5, None, 2.0, 2.0]}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return the folder of a small saved index."""
    MetadataIndex.from_table(TABLE, "plate", "hours").save(tmp_path / "index")
    return tmp_path / "index"


def pickled(value: Any) -> Any:
    return pickle.loads(pickle.dumps(value))  # noqa: S301 - what is loaded was made on the line itself.


def rewrite_header(folder: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    """Change a header and give it the checksum that it then needs."""
    path = folder / "header.json"
    header = json.loads(path.read_text())
    change(header)
    path.write_text(json.dumps(header | {"checksum": _checksum_of_header(header)}))


def test_an_index_comes_back_mapped(folder: Path) -> None:
    """The arrays of an opened index are read-only pages of its files, and it draws the same batches."""
    index, opened = MetadataIndex.from_table(TABLE, "plate", "hours"), MetadataIndex.open(folder)
    assert isinstance(opened.order, np.ndarray)
    assert isinstance(opened.order.base, np.memmap)
    assert not opened.order.flags.writeable
    assert opened.fingerprint == index.fingerprint
    assert repr(opened) == repr(index)
    chain = [ExperimentSelector(by="plate"), Drawer()]
    made, expected = (PipelineSampler(table, chain, batch_size=2, seed=3) for table in (opened, index))
    assert list(made) == list(expected)


@pytest.mark.parametrize(
    "labels",
    [
        ["b", "ä\n", ""],
        [3, -1, 2**62],
        [True, False],
        [0.1, -0.0, float("inf")],
        [date(2024, 2, 29), date(1, 1, 1)],
        list(pd.to_datetime(["2024-01-01 00:00:00.000000001", "1990-01-01 00:00:00.0"])),
        list(pd.to_datetime(["2024-10-27 00:30", "2024-10-27 01:30"]).tz_localize("UTC").tz_convert("Europe/Berlin")),
        list(pd.to_datetime(["2024-01-01"]).tz_localize("UTC")),
        list(pd.to_datetime(["2024-01-01"]).tz_localize("+05:30")),
    ],
    ids=["text", "integers", "truth", "floats", "dates", "times", "zone", "utc", "offset"],
)
def test_labels_keep_their_type(labels: list[Any], tmp_path: Path) -> None:
    """A label is equal, of the same type and in the same zone, the hour that a zone repeats included."""
    index = MetadataIndex.from_table({"k": labels}, "k")
    index.save(tmp_path / "index")
    opened = MetadataIndex.open(tmp_path / "index")
    assert repr(opened.labels) == repr(index.labels)
    assert [type(label) for label in opened.labels[0]] == [type(label) for label in index.labels[0]]
    assert [getattr(label, "unit", None) for label in opened.labels[0]] == [
        getattr(label, "unit", None) for label in index.labels[0]
    ]
    assert opened.labels == index.labels
    assert opened.fingerprint == index.fingerprint


def test_other_labels_are_refused(tmp_path: Path) -> None:
    """What JSON cannot bring back as it is, is refused before anything is written."""
    durations = pd.to_timedelta([1, 2], unit="h")
    with refused(StorageError, "Labels must be str, int, bool, float, date, Timestamp to be saved, ...; 'k' has 1 ..."):
        MetadataIndex.from_table({"k": durations}, "k").save(tmp_path / "index")
    with refused(StorageError, "Columns must have names of text to be saved; 1 is 7 of type int. "):
        MetadataIndex.from_table(pd.DataFrame({7: [1]}), [7]).save(tmp_path / "index")  # type: ignore[list-item]
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("columns", [[], ["plate"]])
def test_an_index_in_order_keeps_no_order(columns: list[str], tmp_path: Path) -> None:
    """The identity and blocks come back as such; an index without columns has one cell."""
    for number, plates in enumerate((["a", "a", "b"], ["b"] * 5000 + ["a"] * 5000)):
        index = MetadataIndex.from_table({"plate": plates}, columns)
        index.save(tmp_path / str(number))
        opened = MetadataIndex.open(tmp_path / str(number))
        assert type(opened.order) is type(index.order)
        assert opened.fingerprint == index.fingerprint
        assert opened.rows(np.arange(3)).tolist() == index.rows(np.arange(3)).tolist()


def test_a_trillion_rows_are_a_small_folder(tmp_path: Path) -> None:
    """What is saved grows with the groups, not with the rows."""
    index = MetadataIndex.from_counts({"plate": ["b", "a"], "count": [10**12, 1]})
    index.save(tmp_path / "index")
    assert sum(path.stat().st_size for path in (tmp_path / "index").iterdir()) < 4000
    assert MetadataIndex.open(tmp_path / "index").size == 10**12 + 1


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


def test_what_is_no_index_is_refused(tmp_path: Path) -> None:
    """A place without a header, a header of something else and one cut short are told apart."""
    for path in (tmp_path / "nothing", tmp_path):
        with refused(StorageError, "A stored index is a folder with a header.json; there are 0 that can be read: ..."):
            MetadataIndex.open(path)
    (tmp_path / "header.json").write_text("[1]")
    with refused(StorageError, "A header must be of format 'batchwright index'; this is 1 of another ("):
        MetadataIndex.open(tmp_path)
    with refused(StorageError, "A stored index is a folder with a header.json; there are 0 that can be read: ..."):
        MetadataIndex.open(tmp_path / "header.json")
    (tmp_path / "header.json").write_text('{"format": "batch')
    with refused(StorageError, "A header must be whole; the 17 bytes of this one are no JSON: ..."):
        MetadataIndex.open(tmp_path)
    with refused(SettingTypeError, "verify must be True or False; got 1 (MetadataIndex.open). "):
        MetadataIndex.open(tmp_path, verify=1)  # type: ignore[arg-type]


@pytest.mark.parametrize("verify", [True, False])
def test_a_folder_that_was_altered_is_refused(folder: Path, verify: bool) -> None:
    """Sizes, types, shapes, versions and the header are checked always."""
    path = folder / "order.npy"
    whole = path.read_bytes()
    path.write_bytes(whole[:-1])
    with refused(StorageError, "A stored index must stay as it was saved; size in bytes is 151, and was 152 (..."):
        MetadataIndex.open(folder, verify=verify)
    path.write_bytes(whole.replace(b"<u4", b"<f4"))
    with refused(StorageError, "A stored index must stay as it was saved; checksum of the head is ..., and was ..."):
        MetadataIndex.open(folder, verify=verify)
    path.write_bytes(whole)
    text = (folder / "header.json").read_text()
    rewrite_header(folder, lambda header: header["arrays"]["order"].update(shape=[3, 2]))
    with refused(StorageError, "A stored index must stay as it was saved; form is ['<u4', [6], True], and was ..."):
        MetadataIndex.open(folder, verify=verify)
    (folder / "header.json").write_text(text)
    path.unlink()
    with refused(StorageError, "Every array of a header must be there; 1 cannot be read: ..."):
        MetadataIndex.open(folder, verify=verify)
    header = folder / "header.json"
    header.write_text(header.read_text().replace('"plate"', '"plane"'))
    with refused(StorageError, "A stored index must stay as it was saved; checksum is ..., and was ..."):
        MetadataIndex.open(folder, verify=verify)
    for version, way_out in [(1, "Make the index again and save it in a new folder."), (3, "Upgrade batchwright, ...")]:
        rewrite_header(folder, lambda header, version=version: header.update(version=version))
        with refused(StorageError, f"A stored index must be of version 2; this one has {version} (...). {way_out}"):
            MetadataIndex.open(folder, verify=verify)


def test_only_verifying_reads_the_arrays(folder: Path) -> None:
    """A value that was altered shows in the checksum, and costs nothing to one who does not ask for it."""
    path = folder / "order.npy"
    data = bytearray(path.read_bytes())
    data[-4] ^= 1
    path.write_bytes(data)
    assert MetadataIndex.open(folder, verify=False).size == 6
    with refused(StorageError, "A stored index must stay as it was saved; checksum is ..., and was ..."):
        MetadataIndex.open(folder)


SAVED = ["header.json", "cells.npy", "offsets.npy", "order.npy", "times.npy", "time_keys.npy", "time_starts.npy"]


@given(name=st.sampled_from(SAVED), place=st.floats(0, 1, exclude_max=True), value=st.integers(0, 255))
def test_no_byte_can_change_the_index(
    name: str, place: float, value: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Whatever byte of whatever file becomes another, the folder is refused or opens as the very index."""
    folder = tmp_path_factory.mktemp("altered") / "index"
    index = MetadataIndex.from_table(TABLE, "plate", "hours")
    index.save(folder)
    assert {path.name for path in folder.iterdir()} == set(SAVED)
    data = bytearray((folder / name).read_bytes())
    data[int(place * len(data))] = value
    (folder / name).write_bytes(data)
    try:
        opened = MetadataIndex.open(folder)
    except StorageError:
        return
    assert fingerprint_of(opened) == index.fingerprint


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


class Batches(Dataset[list[int]]):
    """The batches of a sampler, made where they are asked for."""

    def __init__(self, sampler: PipelineSampler) -> None:
        self.sampler = sampler

    def __getitem__(self, step: int) -> list[int]:
        return self.sampler.batch(step, 0)

    def __len__(self) -> int:
        return 4


def test_processes_share_the_folder(tmp_path: Path) -> None:
    """An opened index goes to another process as the name of its folder, and draws the same batches there."""
    rng = np.random.default_rng(0)
    MetadataIndex.from_table({"plate": rng.integers(0, 3, 100_000)}, "plate").save(tmp_path / "index")
    opened = MetadataIndex.open(tmp_path / "index")
    assert len(pickle.dumps(opened)) < 1000
    assert pickled(opened).order.base.filename == tmp_path / "index" / "order.npy"
    sampler = PipelineSampler(opened, [ExperimentSelector(by="plate"), Drawer()], batch_size=4)
    assert len(pickle.dumps(sampler)) < 10_000
    loader = DataLoader(Batches(sampler), batch_size=None, num_workers=1, multiprocessing_context="spawn")
    assert list(loader) == [sampler.batch(step, 0) for step in range(4)]


def test_a_folder_that_changed_meanwhile_is_refused(folder: Path) -> None:
    """A process that gets another index, or none, says so."""
    sent = pickle.dumps(MetadataIndex.open(folder))
    folder.rename(folder.with_name("former"))
    with refused(StorageError, "A stored index is a folder with a header.json; there are 0 that can be read: ..."):
        pickle.loads(sent)  # noqa: S301 - made above.
    MetadataIndex.from_table({"plate": ["a"]}, "plate").save(folder)
    with refused(StorageError, "A folder must keep the index that was opened; its fingerprint is ..., and was ..."):
        pickle.loads(sent)  # noqa: S301 - made above.


def peak_of(rows: int, order_by: str | None, folder: Path) -> int:
    """Return the most bytes that were held while an index of so many rows was built on disk; pages are not counted."""
    rng = np.random.default_rng(0)
    chunk = {"plate": rng.integers(0, 500, 1 << 18), "hours": rng.integers(0, 4, 1 << 18)}
    tracemalloc.start()
    try:
        MetadataIndex.from_chunks((chunk for _ in range(rows >> 18)), "plate", order_by, folder)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(("order_by", "most"), [(None, 0), ("hours", 0), ("hours", 1 << 20)])
def test_memory_does_not_grow_with_the_rows(
    order_by: str | None, most: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twice as many rows, whose order alone would take 32 MB more, are built in hardly more memory."""
    monkeypatch.setattr(timecount, "_MOST", most)
    few, many = (peak_of(rows, order_by, tmp_path / str(rows)) for rows in (1 << 23, 1 << 24))
    assert many - few < 2**22


def test_a_spill_is_read_in_larger_arrays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Arrays are joined until they have so many entries, and nothing is left behind."""
    monkeypatch.setattr(spill, "_ENTRIES_READ", 5)
    put_by = spill.Spill(tmp_path / "some.spill")
    for start in range(0, 14, 2):
        put_by.append(np.arange(start, start + 2))
    assert [array.tolist() for array in put_by.drain()] == [[*range(6)], [*range(6, 12)], [12, 13]]
    assert not [*tmp_path.iterdir()]


@pytest.mark.parametrize("order_by", [None, "hours"])
@pytest.mark.parametrize("size", [1, 5, 1000])
def test_lots_are_joined_on_disk(
    order_by: str | None, size: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many rows are placed at a time, the index is that of the table, also where times become floats midway."""
    monkeypatch.setattr(spill, "_ENTRIES_READ", size)
    rng = np.random.default_rng(size)
    table = pd.DataFrame({"plate": rng.integers(0, 9, 100), "hours": rng.integers(0, 4, 100)})
    chunks = [table[start : start + 3].astype({"hours": float if start > 50 else int}) for start in range(0, 100, 3)]
    made = MetadataIndex.from_chunks(chunks, "plate", order_by, tmp_path / "index")
    assert made.fingerprint == MetadataIndex.from_table(table.astype({"hours": float}), "plate", order_by).fingerprint


def test_a_root_is_no_place_for_an_index() -> None:
    """A root stands there already, as any folder that was not made for the index."""
    index = MetadataIndex.from_table({"k": ["a"]}, "k")
    with refused(
        StorageError, "An index is saved where nothing stands, so that none is lost; 1 folder or file is there"
    ):
        index.save("/")


needs_fallocate = pytest.mark.skipif(not hasattr(os, "posix_fallocate"), reason="the system gives no room beforehand")


@pytest.mark.parametrize(
    "what", [pytest.param("os.posix_fallocate", marks=needs_fallocate), "numpy.save", "pathlib.Path.open"]
)
def test_a_full_disk_is_an_error(what: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Whatever is written first, nothing is left, and the process goes on."""

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(what, full)
    with refused(StorageError, "All files of an index must be written; 1 could not be: ...No space left"):
        MetadataIndex.from_chunks([{"plate": np.arange(5000) % 7}], "plate", folder=tmp_path / "index")
    assert list(tmp_path.iterdir()) == []


@needs_fallocate
def test_the_rows_of_an_index_have_room_before_they_come(tmp_path: Path) -> None:
    """A file with holes would end the process where a full disk cannot fill them."""
    spill.new_array(tmp_path, "order", np.uint32, 1 << 20)
    assert (tmp_path / "order.npy").stat().st_blocks * 512 >= 4 << 20


@needs_fallocate
def test_rooms_that_cannot_be_made_are_done_without(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Some file systems cannot say beforehand whether there is room."""

    def unsupported(*_: object) -> None:
        raise OSError(errno.EOPNOTSUPP, "Operation not supported")

    monkeypatch.setattr(os, "posix_fallocate", unsupported)
    made = MetadataIndex.from_chunks([TABLE], "plate", folder=tmp_path / "index")
    assert made.fingerprint == MetadataIndex.from_table(TABLE, "plate").fingerprint


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
