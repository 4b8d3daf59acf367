from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from ctui.files import create_file, replace_file


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


@pytest.mark.parametrize("before", [None, b"old"])
def test_a_file_is_replaced_with_the_mode_that_was_asked_for(
    tmp_path: Path, before: bytes | None
) -> None:
    path = tmp_path / "file"
    if before is not None:
        path.write_bytes(before)
        path.chmod(0o777)
    replace_file(path, b"new", mode=0o640)
    assert path.read_bytes() == b"new"
    assert mode_of(path) == 0o640
    assert names(tmp_path) == ["file"]


def test_a_replaced_file_can_keep_mode_and_owner(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    path.chmod(0o754)
    if os.geteuid() == 0:
        os.chown(path, 1234, 2345)
    before = path.stat()
    replace_file(path, b"new", like=before)
    after = path.stat()
    assert (after.st_mode, after.st_uid, after.st_gid) == (
        before.st_mode,
        before.st_uid,
        before.st_gid,
    )


def test_a_link_is_replaced_and_not_followed(tmp_path: Path) -> None:
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_bytes(b"precious")
    link.symlink_to(target)
    replace_file(link, b"new")
    assert target.read_bytes() == b"precious"
    assert not link.is_symlink()
    assert link.read_bytes() == b"new"


def test_what_a_killed_writer_left_is_neither_followed_nor_kept(tmp_path: Path) -> None:
    path, precious = tmp_path / "file", tmp_path / "precious"
    precious.write_bytes(b"precious")
    (tmp_path / "file.new").symlink_to(precious)
    replace_file(path, b"new", suffix="new")
    assert names(tmp_path) == ["file", "precious"]
    assert precious.read_bytes() == b"precious"


def test_a_file_that_cannot_be_written_is_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    code = (
        "import pathlib, resource, signal, sys\n"
        "from ctui.files import replace_file\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "replace_file(pathlib.Path(sys.argv[1]), bytes(2000))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=False
    )
    assert "File too large" in done.stderr
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["file"]


def test_what_is_no_file_is_left(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    with pytest.raises(OSError, match="directory"):
        replace_file(folder, b"new")
    assert names(tmp_path) == ["folder"]


def test_the_first_of_many_creators_wins_and_all_see_a_whole_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    start = threading.Barrier(8)
    won: list[int] = []

    def create(number: int) -> None:
        start.wait(30)
        try:
            create_file(path, bytes([number]) * 4096)
        except FileExistsError:
            return
        won.append(number)

    threads = [threading.Thread(target=create, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1
    assert path.read_bytes() == bytes(won) * 4096
    assert mode_of(path) == 0o600
    assert names(tmp_path) == ["file"]


@pytest.mark.parametrize("there", ["file", "folder", "dangling link"])
def test_nothing_that_is_there_is_replaced_by_a_new_file(tmp_path: Path, there: str) -> None:
    path = tmp_path / "file"
    if there == "file":
        path.write_bytes(b"old")
    elif there == "folder":
        path.mkdir()
    else:
        path.symlink_to(tmp_path / "nowhere")
    with pytest.raises(FileExistsError):
        create_file(path, b"new")
    assert names(tmp_path) == ["file"]
