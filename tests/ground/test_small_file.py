from __future__ import annotations

import os
from pathlib import Path

import pytest

from ctui.small_file import read_small_file


def test_a_small_file_is_read_also_behind_a_link(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"1234")
    (tmp_path / "link").symlink_to("file")
    assert read_small_file(tmp_path / "link", 4) == b"1234"


def test_a_larger_one_is_refused_however_large(tmp_path: Path) -> None:
    with (tmp_path / "sparse").open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(OSError, match="larger than 1 KB"):
        read_small_file(tmp_path / "sparse", 1 << 10)


def test_nothing_but_a_file_is_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "device").symlink_to("/dev/zero")
    for path in (tmp_path / "fifo", tmp_path / "device", tmp_path):
        with pytest.raises(OSError, match="no regular file"):
            read_small_file(path, 10)


@pytest.mark.parametrize("name", ["nul\0", "half\ud83d", "long" * 2000, "loop", "nothing"])
def test_what_cannot_be_opened_raises_one_kind_of_error(tmp_path: Path, name: str) -> None:
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(OSError, match=r"\w"):
        read_small_file(tmp_path / name, 10)
