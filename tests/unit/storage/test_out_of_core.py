"""An index in a folder is built in little memory, and its pages are shared by processes."""

import errno
import os
import pickle
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from saved import TABLE, needs_fallocate
from torch.utils.data import DataLoader, Dataset

from batchwright import Drawer, ExperimentSelector, MetadataIndex, PipelineSampler, StorageError, spill, timecount
from refusals import refused


def pickled(value: Any) -> Any:
    return pickle.loads(pickle.dumps(value))  # noqa: S301 - what is loaded was made on the line itself.


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
