"""The way home of a task's work, from a directory that lies."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest

from ctui.git import advance
from ctui.git.imports import ImportResult, import_work
from ctui.git.private import PrivateRepository, create_private
from ctui.git.repository import open_repository
from ctui.worktrees.create import create_worktree
from ctui.worktrees.model import WorktreeRecord
from tests.conftest import git

BRANCH = "ctui/work"


class Place(NamedTuple):
    """A repository, a worktree of it, and the private directory of a task in it."""

    repository: Path
    record: WorktreeRecord
    private: PrivateRepository

    @property
    def git_dir(self) -> Path:
        return self.private.git_dir

    def in_task(self, *arguments: str) -> str:
        """Git as the task runs it: private directory, the worktree's files."""
        environ = {**os.environ, "GIT_DIR": str(self.git_dir), "GIT_WORK_TREE": self.record.path}
        done = subprocess.run(
            ["git", "-c", "safe.directory=*", *arguments],
            cwd=self.record.path,
            env=environ,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.strip()

    def commit(self, name: str) -> str:
        (Path(self.record.path) / name).write_text(name)
        self.in_task("add", name)
        self.in_task("commit", "-q", "-m", f"Add {name}")
        return self.in_task("rev-parse", "HEAD")

    async def bring(self) -> ImportResult:
        return await import_work(self.private, "t1", self.record.branch, self.record.base)

    def host(self, *arguments: str) -> str:
        return git(Path(self.record.path), *arguments)


@pytest.fixture
async def place(repository: Path, tmp_path: Path) -> Place:
    found = open_repository(repository)
    record = await create_worktree(found, tmp_path / "worktrees", name="work")
    folder = tmp_path / "task"
    folder.mkdir()
    status = Path(record.path).stat()
    private = await create_private(
        found,
        Path(record.metadata),
        folder,
        record.branch,
        record.base,
        (status.st_uid, status.st_gid),
    )
    return Place(repository, record, private)


async def test_nothing_done_means_nothing_imported(place: Place) -> None:
    assert await place.bring() == ImportResult()


async def test_a_commit_moves_the_branch_and_the_index_and_no_file(place: Place) -> None:
    tip = place.commit("new")
    (Path(place.record.path) / "unsaved").write_text("mine")
    result = await place.bring()
    assert result.branch == "advanced"
    assert git(place.repository, "rev-parse", BRANCH) == tip
    assert place.host("status", "--porcelain") == "?? unsaved"
    assert (await place.bring()).branch == "unchanged"


async def test_the_fingerprint_changes_with_every_ref(place: Place) -> None:
    seen = {place.private.fingerprint()}
    steps: list[Callable[[], object]] = [
        lambda: place.commit("a"),
        lambda: place.in_task("branch", "side"),
        lambda: place.in_task("pack-refs", "--all"),
        lambda: place.in_task("checkout", "-q", "--detach"),
    ]
    for number, step in enumerate(steps):
        step()
        seen.add(place.private.fingerprint())
        assert len(seen) == number + 2


async def test_commits_on_a_detached_head_and_packed_refs_come_home(place: Place) -> None:
    place.in_task("checkout", "-q", "--detach")
    tip = place.commit("detached")
    place.in_task("branch", "side")
    place.in_task("pack-refs", "--all")
    place.in_task("gc", "-q")
    result = await place.bring()
    assert {ref.name: ref.commit for ref in result.refs} == {
        "refs/ctui/t1/head": tip,
        "refs/ctui/t1/heads/side": tip,
    }
    git(place.repository, "fsck", "--strict")


async def test_a_branch_renamed_below_its_old_name_comes_home_and_the_old_tip_stays(
    place: Place,
) -> None:
    place.in_task("checkout", "-q", "-b", "side")
    first = place.commit("one")
    await place.bring()
    place.in_task("branch", "-m", "side", "side/more")
    second = place.commit("two")

    result = await place.bring()

    assert result.problem == ""
    assert place.host("rev-parse", "refs/ctui/t1/heads/side/more") == second
    assert place.host("rev-parse", f"refs/ctui/t1/gone/{first}") == first

    place.in_task("branch", "-m", "side/more", "side")
    assert (await place.bring()).problem == ""
    assert place.host("rev-parse", "refs/ctui/t1/heads/side") == second


async def test_a_ref_that_the_task_deleted_stays_imported(place: Place) -> None:
    place.in_task("branch", "side")
    place.in_task("checkout", "-q", "side")
    tip = place.commit("side-work")
    await place.bring()
    place.in_task("checkout", "-q", BRANCH)
    place.in_task("branch", "-D", "side")
    await place.bring()
    assert git(place.repository, "rev-parse", "refs/ctui/t1/heads/side") == tip


@pytest.mark.parametrize("change", ["commit", "stage", "switch", "rewrite"])
async def test_what_changed_on_the_host_is_never_moved(place: Place, change: str) -> None:
    await place.bring()
    if change == "rewrite":
        place.in_task("commit", "-q", "--amend", "-m", "Another root of it")
    else:
        place.commit("new")
    if change == "commit":
        place.host("commit", "-q", "--allow-empty", "-m", "By hand")
    elif change == "stage":
        (Path(place.record.path) / "hello.txt").write_text("staged\n")
        place.host("add", "hello.txt")
    elif change == "switch":
        place.host("symbolic-ref", "HEAD", "refs/heads/elsewhere")
    before = (git(place.repository, "rev-parse", BRANCH), place.host("ls-files", "-s"))
    result = await place.bring()
    assert result.branch == "diverged"
    assert result.reason
    assert (git(place.repository, "rev-parse", BRANCH), place.host("ls-files", "-s")) == before


@pytest.mark.parametrize("moved", [False, True])
async def test_an_advance_that_a_crash_cut_off_is_completed(place: Place, moved: bool) -> None:
    tip = place.commit("new")
    metadata = Path(place.record.metadata)
    (metadata / "index.lock").write_bytes(b"ctui\n")
    note = advance._Advance(BRANCH, place.record.base or "", tip)
    (place.private.folder / "advance.json").write_bytes(msgspec.json.encode(note))
    if moved:
        objects = place.repository / ".git" / "objects"
        shutil.copytree(place.git_dir / "objects", objects, dirs_exist_ok=True)
        (objects / "info" / "alternates").unlink()
        git(place.repository, "update-ref", f"refs/heads/{BRANCH}", tip)
    result = await place.bring()
    assert result.problem == ""
    assert git(place.repository, "rev-parse", BRANCH) == tip
    assert place.host("status", "--porcelain") == ""
    assert not (metadata / "index.lock").exists()


async def test_a_lock_of_another_git_is_left_alone(place: Place) -> None:
    place.commit("new")
    lock = Path(place.record.metadata) / "index.lock"
    lock.write_bytes(b"")
    assert (await place.bring()).branch == "diverged"
    assert lock.exists()
    lock.unlink()
    assert (await place.bring()).branch == "advanced"


async def test_objects_of_another_repository_cannot_be_pulled_in(
    place: Place, tmp_path: Path
) -> None:
    secret = tmp_path / "secret"
    secret.mkdir()
    git(secret, "init", "-q")
    (secret / "password").write_text("hunter2")
    git(secret, "add", ".")
    git(secret, "commit", "-q", "-m", "Secret")
    oid = git(secret, "rev-parse", "HEAD")
    alternates = place.git_dir / "objects" / "info" / "alternates"
    alternates.write_text(alternates.read_text() + f"{secret}/.git/objects\n")
    (place.git_dir / "refs" / "heads" / "leak").write_text(f"{oid}\n")
    result = await place.bring()
    assert result.problem
    with pytest.raises(subprocess.CalledProcessError):
        git(place.repository, "cat-file", "-e", oid)


Trick = Callable[[Path, Path], None]
"""Gets the task's git directory and a folder outside of it."""


def _fifo(*parts: str) -> Trick:
    def trick(git_dir: Path, _outside: Path) -> None:
        path = git_dir.joinpath(*parts)
        path.parent.mkdir(exist_ok=True)
        path.unlink(missing_ok=True)
        os.mkfifo(path)

    return trick


def _link(name: str, target: str) -> Trick:
    def trick(git_dir: Path, outside: Path) -> None:
        path = git_dir / name
        if path.exists():
            path.rename(git_dir / "moved-away")
        path.symlink_to(outside / target)

    return trick


def _nonsense_pack(git_dir: Path, _outside: Path) -> None:
    pack = git_dir / "objects" / "pack" / f"pack-{'a' * 40}.pack"
    pack.write_bytes(b"PACK" * 99)
    pack.with_suffix(".idx").write_bytes(b"\xfftOc" * 99)


def _huge_packed_refs(git_dir: Path, _outside: Path) -> None:
    os.truncate(git_dir / "packed-refs", 1 << 40)


def _names_that_leave(git_dir: Path, _outside: Path) -> None:
    lines = f"{'1' * 40} refs/heads/../../../evil\n{'1' * 40} refs/heads/x.lock\n"
    (git_dir / "packed-refs").write_text(lines)


def _no_directory(git_dir: Path, _outside: Path) -> None:
    git_dir.rename(git_dir.with_name("moved"))


HOSTILE: dict[str, Trick] = {
    "a fifo as a ref": _fifo("refs", "heads", "fifo"),
    "a fifo as HEAD": _fifo("HEAD"),
    "a fifo as packed-refs": _fifo("packed-refs"),
    "a fifo as an object": _fifo("objects", "ab", "c" * 38),
    "a link as refs": _link("refs", ""),
    "a link as a ref": _link("refs/heads/link", "password"),
    "a link as objects": _link("objects", ""),
    "a link as a pack": _link(f"objects/pack/pack-{'a' * 40}.pack", "password"),
    "a pack of nonsense": _nonsense_pack,
    "a huge packed-refs": _huge_packed_refs,
    "names that leave": _names_that_leave,
    "a loop of folders": _link("refs/heads/loop", "../task/git/refs/heads"),
    "no directory": _no_directory,
}


@pytest.mark.parametrize("name", HOSTILE)
async def test_a_hostile_directory_neither_hangs_nor_leads_out(
    place: Place, tmp_path: Path, name: str
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "password").write_text("1" * 40)
    place.commit("new")
    refs = git(place.repository, "for-each-ref")
    HOSTILE[name](place.git_dir, outside)
    result = await place.bring()
    allowed = {"refs/ctui/t1/heads/ctui/work", "refs/heads/ctui/work"}
    after = git(place.repository, "for-each-ref", "--format=%(refname)").splitlines()
    before = [line.split()[-1] for line in refs.splitlines()]
    assert set(after) - set(before) <= allowed
    assert result.branch in {"advanced", "unchanged"} or result.problem
    git(place.repository, "fsck", "--strict")


async def test_settings_of_the_task_run_nothing_here(place: Place, tmp_path: Path) -> None:
    marker = tmp_path / "executed"
    for key in ("core.fsmonitor", "core.sshCommand", "uploadpack.packObjectsHook", "core.pager"):
        place.in_task("config", key, f"touch {marker}")
    place.in_task("config", "filter.x.clean", f"touch {marker}")
    place.in_task("config", "filter.x.smudge", f"touch {marker}")
    (Path(place.record.path) / ".gitattributes").write_text("* filter=x\n")
    hook = place.git_dir / "hooks" / "reference-transaction"
    hook.parent.mkdir()
    hook.write_text(f"#!/bin/sh\ntouch {marker}\n")
    hook.chmod(0o755)
    tip = place.host("commit-tree", "HEAD^{tree}", "-p", "HEAD", "-m", "x")
    (place.git_dir / "refs/heads/ctui").mkdir(exist_ok=True)
    (place.git_dir / "refs/heads/ctui/work").write_text(f"{tip}\n")
    marker.unlink(missing_ok=True)
    assert (await place.bring()).branch == "advanced"
    assert not marker.exists()


async def test_a_new_gitlink_is_told(place: Place) -> None:
    place.in_task("update-index", "--add", "--cacheinfo", f"160000,{'2' * 40},nested")
    place.in_task("commit", "-q", "-m", "Link")
    assert (await place.bring()).gitlinks == ("nested",)


async def test_the_checkout_s_own_branch_is_never_moved(repository: Path, tmp_path: Path) -> None:
    found = open_repository(repository)
    folder = tmp_path / "task"
    folder.mkdir()
    head = git(repository, "rev-parse", "HEAD")
    private = await create_private(found, None, folder, "main", head, (os.getuid(), os.getgid()))
    record = WorktreeRecord(
        name="main",
        path=str(repository),
        repository=str(found.common_dir),
        metadata="",
        device=0,
        inode=0,
        branch="main",
        base=head,
        created=0,
    )
    tip = Place(repository, record, private).commit("new")
    result = await import_work(private, "t1", "main", head)
    assert result.branch == "untouched"
    assert git(repository, "rev-parse", "main") == head
    assert git(repository, "rev-parse", "refs/ctui/t1/heads/main") == tip
