"""Measuring what a task wrote, with everything that a task can put into the way."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from ctui.tasks.disk_usage import measure

MANY = 10_000


def _descriptors() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def test_what_is_allocated_counts_and_not_what_is_promised(tmp_path: Path) -> None:
    """T5: a neighbour: a file of a terabyte that is one hole takes nothing of the disk."""
    with (tmp_path / "hole").open("wb") as file:
        file.truncate(1 << 40)
    (tmp_path / "real").write_bytes(os.urandom(3 << 20))
    found = measure(tmp_path, entries=MANY)
    assert found.files == 2
    assert 3 << 20 <= found.bytes < 4 << 20


def test_a_file_with_many_names_counts_once(tmp_path: Path) -> None:
    """T5: a neighbour: hard links."""
    (tmp_path / "file").write_bytes(os.urandom(1 << 20))
    for number in range(20):
        (tmp_path / f"name-{number}").hardlink_to(tmp_path / "file")
    found = measure(tmp_path, entries=MANY)
    assert found.files == 1
    assert 1 << 20 <= found.bytes < 2 << 20


def test_no_link_leads_out(tmp_path: Path) -> None:
    """T5: a neighbour: links to a folder and to a file elsewhere, and a folder that is a link."""
    inside, outside = tmp_path / "in", tmp_path / "out"
    for folder in (inside, outside):
        folder.mkdir()
    (outside / "big").write_bytes(os.urandom(5 << 20))
    (inside / "folder").symlink_to(outside)
    (inside / "file").symlink_to(outside / "big")
    assert measure(inside, entries=MANY).bytes < 1 << 20
    assert measure(inside / "folder", entries=MANY) == (0, 0, "")


def test_a_hundred_and_fifty_thousand_files_are_not_counted_to_the_end(tmp_path: Path) -> None:
    """T5: beyond the limit the figure is a lower bound, and costs no more."""
    for number in range(3000):
        (tmp_path / str(number)).touch()
    assert measure(tmp_path, entries=MANY).files == 3000
    assert measure(tmp_path, entries=1000).files == 1000


def test_folders_alone_count_as_files_do(tmp_path: Path) -> None:
    """T5: a neighbour: an inode is one, whatever it is of."""
    for number in range(500):
        (tmp_path / str(number)).mkdir()
    assert measure(tmp_path, entries=MANY).files == 500


def test_what_is_nested_too_deep_to_be_measured_is_said(tmp_path: Path) -> None:
    """T5: a neighbour: nothing is hidden below more folders than there are descriptors."""
    folder = os.open(tmp_path, os.O_RDONLY)
    for _ in range(400):
        os.mkdir("d", dir_fd=folder)
        below = os.open("d", os.O_RDONLY, dir_fd=folder)
        os.close(folder)
        folder = below
    os.close(folder)
    found = measure(tmp_path, entries=MANY)
    assert found.unmeasured.startswith("d/d/d")
    shutil.rmtree(tmp_path / "d")


CLOSED = """
import os, sys, tempfile
from pathlib import Path
os.setgid(65534), os.setuid(65534)
from ctui.tasks.disk_usage import measure
with tempfile.TemporaryDirectory() as folder:
    closed = Path(folder, "closed")
    closed.mkdir(mode=0)
    print(measure(Path(folder), entries=100).unmeasured)
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_a_folder_of_the_task_s_own_that_cannot_be_read_is_said() -> None:
    """T5: a neighbour: `chmod 000` hides no file from the limit."""
    done = subprocess.run(
        [sys.executable, "-c", "import ctui.tasks.disk_usage\n" + CLOSED],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("closed\n", "")


def test_what_changes_while_it_is_measured_does_no_harm(tmp_path: Path) -> None:
    """T5: a neighbour: files that grow, and folders that come, go and become links."""
    over = threading.Event()
    target = tmp_path / "outside"
    target.mkdir()
    (target / "big").write_bytes(os.urandom(5 << 20))
    place = tmp_path / "place"
    place.mkdir()

    def change() -> None:
        while not over.is_set():
            with (place / "grows").open("ab") as file:
                file.write(b"x")
            (place / "folder").mkdir()
            (place / "folder").rmdir()
            (place / "folder").symlink_to(target)
            (place / "folder").unlink()

    thread = threading.Thread(target=change)
    before = _descriptors()
    thread.start()
    try:
        found = [measure(place, entries=MANY) for _ in range(300)]
    finally:
        over.set()
        thread.join()
    assert max(usage.bytes for usage in found) < 4 << 20
    assert not any(usage.unmeasured for usage in found)
    assert _descriptors() <= before


def test_a_worktree_that_is_gone_takes_nothing(tmp_path: Path) -> None:
    """T5: a neighbour: what is missing is said elsewhere."""
    assert measure(tmp_path / "gone", entries=MANY) == (0, 0, "")
