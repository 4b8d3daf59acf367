"""Snapshots of a worktree with a random history are what was in it, each time."""

from __future__ import annotations

import asyncio
import os
import shutil
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ctui.git.repository.repository import open_repository
from ctui.worktrees.create import create_worktree
from tests.conftest import make_repository
from tests.worktrees.conftest import Place
from tests.worktrees.snapshots.conftest import Shots, repository_of

_NAMES = ("a", "b", "a/b", "a/b/c", "d e/\n", "x/.gitignore", ".gitignore", "b/.gitattributes")
_CONTENTS = (b"", b"one", b"two", b"b\n", b"a/\n!a/b\n", b"* text eol=crlf\n", b"1\r\n2\n")

_ACTIONS = ("write", "forge", "link", "program", "remove", "commit", "stage", "folder", "snap")

Action = tuple[str, str, bytes]
_actions = st.lists(
    st.tuples(
        st.sampled_from((*_ACTIONS, "snap", "write")),
        st.sampled_from(_NAMES),
        st.sampled_from(_CONTENTS),
    ),
    min_size=4,
    max_size=25,
)


def _do(shots: Shots, action: Action) -> None:
    what, name, content = action
    path = shots.path / name
    if what in {"commit", "stage"}:
        shots.place.git("add", "-A")
        if what == "commit":
            shots.place.git("commit", "--allow-empty", "-m", "x")
        return
    if what == "remove":
        _remove(path)
        return
    for parent in reversed(path.relative_to(shots.path).parents):
        if parent != Path():
            _make_folder(shots.path / parent)
    if what == "folder":
        _make_folder(path)
    elif what == "link":
        _remove(path)
        path.symlink_to("b")
    else:
        _write(path, content, program=what == "program", forge=what == "forge")


def _write(path: Path, content: bytes, *, program: bool, forge: bool) -> None:
    before = path.lstat() if path.is_file() and not path.is_symlink() else None
    if before is None:
        _remove(path)
    path.write_bytes(content)
    path.chmod(0o755 if program else 0o644)
    if forge and before is not None:
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def _remove(path: Path) -> None:
    if path.is_symlink() or path.is_file():
        path.unlink()
    elif path.is_dir():
        shutil.rmtree(path)


def _make_folder(path: Path) -> None:
    if path.is_symlink() or path.is_file():
        path.unlink()
    path.mkdir(exist_ok=True)


async def _run(shots: Shots, actions: list[Action]) -> None:
    taken = []
    for number, action in enumerate([*actions, ("snap", "a", b"")]):
        if action[0] != "snap":
            _do(shots, action)
            continue
        snapshot = await shots.take(f"refs/turns/{number}")
        taken.append((snapshot, shots.there()))
        assert shots.kept(snapshot) == taken[-1][1]
    for snapshot, there in taken:
        assert shots.kept(snapshot) == there


@given(_actions)
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_each_snapshot_is_what_was_there(tmp_path: Path, actions: list[Action]) -> None:
    folder = tmp_path / "one"
    folder.mkdir()
    try:
        repository = open_repository(make_repository(folder))
        record = asyncio.run(create_worktree(repository, folder / "worktrees", name="work"))
        place = Place(repository, record)
        asyncio.run(_run(Shots(place, repository_of(place, folder / "snapshots")), actions))
    finally:
        shutil.rmtree(folder)
