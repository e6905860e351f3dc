"""A saved index comes back as it was, and what was altered is refused."""

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from saved import TABLE

from batchwright import Drawer, ExperimentSelector, MetadataIndex, PipelineSampler, SettingTypeError, StorageError
from batchwright.archive import fingerprint_of
from batchwright.storage import _checksum_of_header
from refusals import refused


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
    chunks = iter([pd.DataFrame({7: [1]})])
    with refused(StorageError, "Columns must have names of text to be saved; 1 is 7 of type int. "):
        MetadataIndex.from_chunks(chunks, [7], folder=tmp_path / "index")  # type: ignore[list-item]
    assert len([*chunks]) == 1
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
    for text in ('{"format": "batch', "[" * 100_000):
        (tmp_path / "header.json").write_text(text)
        with refused(StorageError, f"A header must be whole; the {len(text)} bytes of this one are no JSON: ..."):
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
