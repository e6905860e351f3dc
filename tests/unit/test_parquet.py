"""An index of Parquet files: which files, which rows, and what is refused."""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from batchwright import MetadataIndex, SettingError, SettingTypeError, TableError
from batchwright.parquet import find_files
from refusals import refused

pytest.importorskip("pyarrow")

TABLE = pd.DataFrame(
    {"plate": ["b", "a", "b", "c", "a"], "hours": [2.0, None, 1.0, 0.0, 1.0], "unread": [{"x": 1}] * 5}
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder in which the table stands in two files; a third has no rows, and a hidden one is begun."""
    path = tmp_path / "wells"
    path.mkdir()
    TABLE[:3].to_parquet(path / "1.parquet")
    TABLE[3:3].to_parquet(path / "2.parquet")
    TABLE[3:].to_parquet(path / "3.parquet", row_group_size=1)
    (path / "_SUCCESS").touch()
    (path / ".4.parquet").touch()
    return path


@pytest.mark.parametrize("order_by", [None, "hours"])
@pytest.mark.parametrize("by", ["plate", []])
def test_files_make_the_index_of_the_table(folder: Path, order_by: str | None, by: str | list[str]) -> None:
    """A folder, a pattern and a list of files give the index of their rows, in memory and on disk."""
    expected = MetadataIndex.from_table(TABLE, by, order_by)
    files = sorted(folder.glob("[!.]*.parquet"))
    for number, paths in enumerate(
        (folder, str(folder), f"{folder}/?.parquet", f"{folder.parent}/**/**/*.parquet", files)
    ):
        made = MetadataIndex.from_parquet(paths, by, order_by)
        assert made.fingerprint == expected.fingerprint
        mapped = MetadataIndex.from_parquet(paths, by, order_by, folder=folder.parent / str(number))
        assert mapped.fingerprint == expected.fingerprint
        assert np.array_equal(mapped.rows(np.arange(5)), expected.rows(np.arange(5)))


def test_the_order_of_files_is_that_of_rows(folder: Path) -> None:
    """Files that are listed count as listed; one file is itself, whatever characters its name has."""
    files = [folder / "3.parquet", folder / "1.parquet"]
    made = MetadataIndex.from_parquet(files, "plate")
    assert made.fingerprint == MetadataIndex.from_table(pd.concat([TABLE[3:], TABLE[:3]]), "plate").fingerprint
    odd = folder / "x[1].parquet"
    TABLE.to_parquet(odd)
    assert find_files(odd) == [str(odd)]
    assert MetadataIndex.from_parquet(iter([odd]), ["plate", "plate"]).size == 5


def test_a_bar_counts_the_rows(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A bar goes to the error stream, and only where it is asked for."""
    pytest.importorskip("tqdm")
    MetadataIndex.from_parquet(folder, "plate", progress=True)
    assert "5.00/5.00" in capsys.readouterr().err
    MetadataIndex.from_parquet(folder, "plate")
    assert not capsys.readouterr().err


def test_damaged_files_are_refused(tmp_path: Path) -> None:
    """Also where the damage is found when rows are read, the file is named."""
    path = tmp_path / "1.parquet"
    pd.DataFrame({"plate": np.random.default_rng(0).integers(0, 99, 10_000)}).to_parquet(path)
    content = bytearray(path.read_bytes())
    content[100:2000] = b"\7" * 1900
    path.write_bytes(content)
    with refused(TableError, f"A Parquet file must be readable; 1 is not: ... ('{path}'). "):
        MetadataIndex.from_parquet(path, "plate")


def test_files_that_cannot_be_read_are_refused(folder: Path) -> None:
    """Each refusal names the file, before a row is read."""
    with refused(TableError, f"Parquet files must be there; '{folder}/no*' names 0 (from_parquet). "):
        MetadataIndex.from_parquet(f"{folder}/no*", "plate")
    with refused(TableError, "Parquet files must be there; [] names 0 (from_parquet). "):
        MetadataIndex.from_parquet([], "plate")
    with refused(TableError, "Parquet files must be there; '' names 0 (from_parquet). "):
        MetadataIndex.from_parquet("", "plate")
    with refused(SettingTypeError, "Files must have an order, in which their rows count; got {...} (from_parquet). "):
        MetadataIndex.from_parquet({folder / "1.parquet"}, "plate")
    with refused(TableError, f"A Parquet file must be readable; 1 is not: ... ('{folder}/_SUCCESS'). "):
        MetadataIndex.from_parquet([folder / "1.parquet", folder / "_SUCCESS"], "plate")
    with refused(TableError, f"A Parquet file must be readable; 1 is not: ... ('{folder}/4.parquet'). "):
        MetadataIndex.from_parquet([folder / "4.parquet"], "plate")
    TABLE[["hours"]].to_parquet(folder / "9.parquet")
    text = f"Every file must have each column that is named, once; 'plate' stands 0 times in '{folder}/9.parquet', ..."
    with refused(TableError, text):
        MetadataIndex.from_parquet(folder, "plate", "hours", folder=folder / "index")
    assert not list(folder.glob("*index*"))
    with refused(SettingTypeError, "progress must be True or False; got 1 (from_parquet). "):
        MetadataIndex.from_parquet(folder / "1.parquet", "plate", progress=1)  # type: ignore[arg-type]


def test_missing_libraries_are_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What to install is said where it is missing."""
    monkeypatch.setitem(sys.modules, "tqdm", None)
    with refused(SettingError, "Progress is shown by tqdm; 0 versions of it are there (from_parquet). "):
        MetadataIndex.from_parquet(folder, "plate", progress=True)
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with refused(TableError, "Parquet is read by pyarrow; 0 versions of it are there (from_parquet). "):
        MetadataIndex.from_parquet(folder, "plate")
