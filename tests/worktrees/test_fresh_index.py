"""A worktree's index after its checkout: it knows every file, so that a status reads none."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from ctui.git.repository.repository import open_repository
from ctui.worktrees.create import create_worktree
from ctui.worktrees.fresh_index import settle
from ctui.worktrees.model import WorktreeRecord
from ctui.worktrees.owner import TASK_UID
from tests.conftest import git

_ENTRY = re.compile(
    rb"(?P<name>[^\0]+)\0  ctime: (?P<ctime>\d+:\d+)\n  mtime: (?P<mtime>\d+:\d+)\n"
    rb"  dev: \d+\tino: (?P<ino>\d+)\n  uid: (?P<uid>\d+)\tgid: (?P<gid>\d+)\n"
    rb"  size: (?P<size>\d+)\tflags: [0-9a-f]+\n"
)
_HOSTILE = [b"bytes \xff", b"new\nline", "umlaut ä".encode(), b"deep/" * 3 + b"file"]


def entries(tree: Path) -> Iterator[tuple[bytes, dict[str, str]]]:
    """What the index has of each file, as git itself reads it."""
    command = ["git", "-c", "safe.directory=*", "ls-files", "--debug", "-z"]
    said = subprocess.run(command, cwd=tree, capture_output=True, check=True).stdout
    for found in _ENTRY.finditer(said):
        yield found["name"], {key: os.fsdecode(text) for key, text in found.groupdict().items()}


def as_index(path: bytes) -> dict[str, str]:
    """What a file is, in the words of `git ls-files --debug`."""
    found = os.lstat(path)
    return {
        "ctime": "{}:{}".format(*divmod(found.st_ctime_ns, 10**9)),
        "mtime": "{}:{}".format(*divmod(found.st_mtime_ns, 10**9)),
        "ino": str(found.st_ino & 0xFFFFFFFF),
        "uid": str(found.st_uid),
        "gid": str(found.st_gid),
        "size": str(found.st_size),
    }


def unknown(tree: Path, index: Path) -> list[bytes]:
    """The files that a status would have to read."""
    written = index.stat().st_mtime_ns // 10**9
    found = []
    for name, kept in entries(tree):
        now = as_index(os.fsencode(tree) + b"/" + name)
        racy = int(kept["mtime"].split(":")[0]) >= written
        if racy or any(kept[key] != text for key, text in now.items()):
            found.append(name)
    return found


async def made(repository: Path, tmp_path: Path) -> tuple[WorktreeRecord, Path]:
    record = await create_worktree(open_repository(repository), tmp_path / "worktrees", name="new")
    return record, Path(record.metadata) / "index"


def fill(repository: Path) -> list[bytes]:
    """Commit files of every kind, and return their names."""
    for number, name in enumerate(_HOSTILE):
        path = repository / os.fsdecode(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x" * number)
    (repository / "link").symlink_to("nowhere")
    (repository / "run.sh").write_text("exit\n")
    (repository / "run.sh").chmod(0o755)
    git(repository, "add", "-A")
    git(repository, "commit", "-q", "-m", "Add all kinds")
    return [*_HOSTILE, b"link", b"run.sh", b"hello.txt"]


async def test_it_knows_every_file(repository: Path, tmp_path: Path) -> None:
    names = fill(repository)
    record, index = await made(repository, tmp_path)
    tree = Path(record.path)
    assert sorted(name for name, _ in entries(tree)) == sorted(names)
    assert unknown(tree, index) == []
    assert git(tree, "fsck", "--no-dangling") == ""
    assert git(tree, "status", "--porcelain") == ""
    found = os.lstat(tree / "run.sh")
    assert found.st_mode & 0o777 == 0o755


async def test_what_changes_in_the_same_second_is_seen(repository: Path, tmp_path: Path) -> None:
    """Of the same size, and although git compares times by the second."""
    record, _ = await made(repository, tmp_path)
    tree = Path(record.path)
    text = (tree / "hello.txt").read_text()
    (tree / "hello.txt").write_text(text.upper())
    assert git(tree, "status", "--porcelain") == "M hello.txt"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
async def test_all_of_it_belongs_to_tasks(repository: Path, tmp_path: Path) -> None:
    fill(repository)
    record, _ = await made(repository, tmp_path)
    tree = Path(record.path)
    owners = {(path.lstat().st_uid, path.lstat().st_gid) for path in (tree, *tree.rglob("*"))}
    assert owners == {(TASK_UID, TASK_UID)}


@pytest.mark.parametrize("settings", [("index.version", "4"), ("feature.manyFiles", "true")])
async def test_an_index_of_another_kind_is_left_alone(
    repository: Path, tmp_path: Path, settings: tuple[str, str]
) -> None:
    git(repository, "config", *settings)
    record, index = await made(repository, tmp_path)
    tree = Path(record.path)
    before = index.read_bytes()
    assert not settle(index, tree, None)
    assert index.read_bytes() == before
    assert git(tree, "status", "--porcelain") == ""
    if os.geteuid() == 0:
        assert os.lstat(tree / "hello.txt").st_uid == TASK_UID


async def test_files_that_are_not_checked_out_stay_away(repository: Path, tmp_path: Path) -> None:
    """A sparse checkout has extended flags, and entries without a file."""
    fill(repository)
    record, index = await made(repository, tmp_path)
    tree = Path(record.path)
    git(tree, "sparse-checkout", "set", "--no-cone", "/run.sh")
    assert settle(index, tree, None)
    assert [path.name for path in tree.iterdir() if path.name != ".git"] == ["run.sh"]
    assert git(tree, "status", "--porcelain") == ""


async def test_a_name_longer_than_its_field(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name of 4,095 bytes and more has no length in the index, and no file."""
    parts = [f"{number:0>200}" for number in range(21)]
    blob = git(repository, "hash-object", "-w", "hello.txt")
    name = "/".join(parts)
    git(repository, "update-index", "--add", "--cacheinfo", f"100644,{blob},{name}")
    index = tmp_path / "index"
    index.write_bytes((repository / ".git" / "index").read_bytes())
    assert settle(index, repository, None)
    monkeypatch.setenv("GIT_INDEX_FILE", str(index))
    assert sorted(git(repository, "ls-files").split()) == sorted([name, "hello.txt"])
