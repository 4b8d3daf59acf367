"""Random states of a worktree, removed and restored: the same, to the last bit."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ctui.git.repository.repository import open_repository
from ctui.worktrees.create import create_worktree
from ctui.worktrees.trash.restore import restore_worktree
from tests.conftest import git
from tests.worktrees.conftest import Place
from tests.worktrees.snapshot import collect_garbage, is_whole, pins, raw_git, snapshot

pytestmark = pytest.mark.slow

_BAD = (b"", b".", b"..", b".git", b".GIT")
_name = st.one_of(
    st.sampled_from([b"hello.txt", b"a", b"b", b"folder"]),
    st.binary(min_size=1, max_size=12).map(
        lambda raw: raw.replace(b"/", b"_").replace(b"\0", b"0")
    ),
).filter(lambda name: name.lower() not in _BAD and not name.lower().startswith(b"git~"))
_path = st.lists(_name, min_size=1, max_size=3).map(b"/".join)
_content = st.binary(max_size=40)
_step = st.one_of(
    st.tuples(st.just("write"), _path, _content),
    st.tuples(st.just("link"), _path, _content),
    st.tuples(st.just("hard link"), _path, _path),
    st.tuples(st.just("mode"), _path, st.sampled_from([0o600, 0o755, 0o444, 0o000, 0o700])),
    st.tuples(st.just("time"), _path, st.integers(0, 4_000_000_000_000_000_000)),
    st.tuples(st.just("folder"), _path, st.none()),
    st.tuples(st.just("fifo"), _path, st.none()),
    st.tuples(st.just("delete"), _path, st.none()),
    st.tuples(st.just("stage"), _path, st.none()),
    st.tuples(
        st.just("git"),
        st.none(),
        st.sampled_from(
            [
                "add --all",
                "commit --quiet --allow-empty -m Work",
                "commit --quiet --allow-empty --amend -m Again",
                "reset --quiet --soft HEAD~",
                "merge side",
                "rebase side",
                "cherry-pick side",
                "stash",
                "checkout --quiet --detach",
                "checkout --quiet --orphan fresh",
                "update-index --split-index",
                "bisect start",
            ]
        ),
    ),
)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository whose branch `side` is in conflict with main."""
    folder = tmp_path_factory.mktemp("template") / "repository"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    for branch, text in (("main", "base"), ("side", "side"), ("main", "main")):
        if text != "base":
            git(folder, "checkout", "-q", "-B", branch, *(["main"] if branch == "side" else []))
        (folder / "hello.txt").write_text(text)
        git(folder, "add", ".")
        git(folder, "commit", "-q", "-m", text)
        if text == "side":
            git(folder, "checkout", "-q", "main")
    return folder


def _check(template: Path, steps: list[tuple[str, bytes | None, object]], *, branch: bool) -> None:
    with tempfile.TemporaryDirectory() as name:
        asyncio.run(_removed_and_restored(template, Path(name), steps, branch=branch))


async def _removed_and_restored(
    template: Path,
    folder: Path,
    steps: list[tuple[str, bytes | None, object]],
    *,
    branch: bool,
) -> None:
    shutil.copytree(template, folder / "repository")
    repository = open_repository(folder / "repository")
    place = Place(repository, await create_worktree(repository, folder / "w", name="work"))
    for kind, path, value in steps:
        try:
            _ACTIONS[kind](place.path, path or b"", value)
        except (OSError, subprocess.CalledProcessError):
            continue  # the state that it left is a state too
    before = snapshot(place.path)
    entry = await place.remove(delete_branch=branch)
    collect_garbage(place.folder)
    await restore_worktree(repository, entry.id)
    after = snapshot(place.path)
    assert after.files == before.files
    assert after == before
    assert pins(place.folder) == []
    is_whole(place.path)


def _full(root: Path, path: bytes) -> bytes:
    full = os.path.join(os.fsencode(root), path)  # noqa: PTH118 - raw bytes
    os.makedirs(os.path.dirname(full), exist_ok=True)  # noqa: PTH103, PTH120 - raw bytes
    return full


def _write(root: Path, path: bytes, value: object) -> None:
    assert isinstance(value, bytes)
    with Path(os.fsdecode(_full(root, path))).open("wb") as file:
        file.write(value)


def _mode(root: Path, path: bytes, value: object) -> None:
    assert isinstance(value, int)
    full = Path(os.fsdecode(_full(root, path)))
    if not full.is_symlink():
        full.chmod(value)


def _link(root: Path, path: bytes, value: object) -> None:
    assert isinstance(value, bytes)
    # Never out of the worktree: later steps write through it.
    target = value.translate(bytes.maketrans(b"\0/", b"0_")).replace(b"..", b".") or b"."
    os.symlink(target, _full(root, path))  # noqa: PTH211 - raw bytes


def _hard_link(root: Path, path: bytes, value: object) -> None:
    assert isinstance(value, bytes)
    os.link(_full(root, value), _full(root, path), follow_symlinks=False)


def _time(root: Path, path: bytes, value: object) -> None:
    assert isinstance(value, int)
    os.utime(_full(root, path), ns=(value, value), follow_symlinks=False)


_ACTIONS: dict[str, Callable[[Path, bytes, object], object]] = {
    "write": _write,
    "link": _link,
    "hard link": _hard_link,
    "mode": _mode,
    "time": _time,
    "folder": lambda root, path, _: os.makedirs(_full(root, path)),  # noqa: PTH103 - raw bytes
    "fifo": lambda root, path, _: os.mkfifo(_full(root, path)),
    "delete": lambda root, path, _: os.unlink(_full(root, path)),  # noqa: PTH108 - raw bytes
    "stage": lambda root, path, _: raw_git(root, "add", "--", os.fsdecode(path)),
    "git": lambda root, _, command: raw_git(root, *str(command).split()),
}

_checked = given(steps=st.lists(_step, min_size=1, max_size=12), branch=st.booleans())
_QUIET = (HealthCheck.function_scoped_fixture, HealthCheck.too_slow)


@settings(max_examples=30, derandomize=True, suppress_health_check=_QUIET)
@_checked
def test_any_state_comes_back(
    template: Path, steps: list[tuple[str, bytes | None, object]], *, branch: bool
) -> None:
    _check(template, steps, branch=branch)


@pytest.mark.soak
@settings(max_examples=2000, suppress_health_check=_QUIET)
@_checked
def test_any_of_many_states_comes_back(
    template: Path, steps: list[tuple[str, bytes | None, object]], *, branch: bool
) -> None:
    _check(template, steps, branch=branch)
