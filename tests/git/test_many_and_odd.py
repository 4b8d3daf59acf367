"""Very many refs, and names that are not UTF-8, through everything that a task does."""

from __future__ import annotations

import asyncio
import os
import subprocess
import time
from pathlib import Path

import pytest

from ctui.errors import Refused
from ctui.git.repository.repository import open_repository
from ctui.git.submodules.submodules import submodules_of
from ctui.worktrees.landing.checkouts import linked_checkout
from ctui.worktrees.landing.land import land
from ctui.worktrees.trash.restore import restore_worktree
from tests.conftest import git
from tests.git.conftest import BRANCH, Place, place_in
from tests.worktrees.looking import remove_worktree, worktree_status

pytestmark = pytest.mark.usefixtures("known_person")

REFS = 40_000
ODD = b"\xff\xe9 name"


@pytest.fixture
def crowded(repository: Path) -> Path:
    """A repository with 40,000 branches, remote branches and tags, some of them not UTF-8."""
    commits = git(repository, "rev-list", "main").split()
    kinds = (b"refs/heads/b", b"refs/remotes/origin/r", b"refs/tags/t")
    names = [b"%s/%d" % (kinds[number % 3], number) for number in range(REFS)]
    names += [b"refs/heads/\xff\xe9", b"refs/tags/\xe9", b"refs/heads/main"]
    lines = [b"%s %s\n" % (commits[len(name) % 2].encode(), name) for name in sorted(names)]
    (repository / ".git" / "packed-refs").write_bytes(
        b"# pack-refs with: peeled fully-peeled sorted \n" + b"".join(lines)
    )
    return repository


async def test_forty_thousand_refs(crowded: Path, tmp_path: Path) -> None:
    """G5-G11: a task has all of them, and only what it made itself is new when it comes home."""
    begun = time.process_time()
    place = await place_in(crowded, tmp_path)
    listed = place.in_task("for-each-ref", "--format=x").splitlines()
    assert len(listed) == REFS + 4
    place.commit("new.txt")
    place.in_task("pack-refs", "--all")
    result = await place.bring()
    assert (result.branch, result.problem) == ("advanced", "")
    assert [ref.name for ref in result.refs] == [f"refs/ctui/t1/heads/{BRANCH}"]
    status = await worktree_status(open_repository(crowded), place.record)
    assert status.problem is None
    assert time.process_time() - begun < 30


def _raw(place: Place, *arguments: str | bytes) -> bytes:
    environ = {**os.environ, "GIT_DIR": str(place.git_dir), "GIT_WORK_TREE": place.record.path}
    command = ["git", "-c", "safe.directory=*", *arguments]
    return subprocess.run(
        command, cwd=place.record.path, env=environ, capture_output=True, check=True
    ).stdout


async def test_names_that_are_not_utf8_come_home_and_land(repository: Path, tmp_path: Path) -> None:
    """G5-G11: files and branches of any bytes, in a sparse checkout that leaves some out."""
    for folder in (b"in", b"out"):
        (repository / os.fsdecode(folder + ODD)).mkdir()
        (repository / os.fsdecode(folder + ODD) / "old").write_text("old\n")
    git(repository, "add", ".")
    git(repository, "commit", "-q", "-m", "Odd")
    patterns = b"/*\n!/out*/\n"
    git(repository, "sparse-checkout", "set", "--no-cone", *patterns.decode().split())
    place = await place_in(repository, tmp_path)
    path = Path(place.record.path)
    names = sorted(os.fsencode(entry.name) for entry in path.iterdir())
    assert names == [b".git", b"hello.txt", b"in" + ODD]
    (path / os.fsdecode(b"in" + ODD) / os.fsdecode(ODD)).write_text("new\n")
    (path / os.fsdecode(b"out" + ODD)).mkdir()
    (path / os.fsdecode(b"out" + ODD) / os.fsdecode(ODD)).write_text("new\n")
    _raw(place, "add", "--sparse", "-A")
    _raw(place, "commit", "-q", "-m", "New")
    _raw(place, "branch", b"side/\xff")

    result = await place.bring()

    assert (result.branch, result.problem) == ("advanced", "")
    assert {ref.name for ref in result.refs} >= {"refs/ctui/t1/heads/side/%FF"}
    checkout = linked_checkout(open_repository(repository), Path(place.record.metadata))
    await land(open_repository(repository), checkout)
    assert (repository / os.fsdecode(b"in" + ODD) / os.fsdecode(ODD)).exists()
    assert not (repository / os.fsdecode(b"out" + ODD)).exists()
    assert git(repository, "status", "--porcelain") == ""
    status = await worktree_status(open_repository(repository), place.record)
    entry = await remove_worktree(open_repository(repository), status, place.record, force=True)
    await restore_worktree(open_repository(repository), entry.id)
    assert (path / os.fsdecode(b"in" + ODD) / os.fsdecode(ODD)).exists()


async def test_a_submodule_at_a_path_that_is_not_utf8(repository: Path, tmp_path: Path) -> None:
    """G9: it stays empty, and everything else goes on."""
    git(tmp_path, "init", "-q", "-b", "main", "inner")
    git(tmp_path / "inner", "commit", "-q", "--allow-empty", "-m", "Inner")
    oid = git(tmp_path / "inner", "rev-parse", "main")
    (repository / ".gitmodules").write_bytes(
        b'[submodule "\xe9"]\n\tpath = \xe9\n\turl = ../inner\n'
        b'[submodule "ok"]\n\tpath = ok\n\turl = ../inner\n'
    )
    listing = b"160000 %s\t\xe9\0" % oid.encode() + b"160000 %s\tok\0" % oid.encode()
    await asyncio.to_thread(
        subprocess.run,
        ["git", "update-index", "-z", "--index-info"],
        cwd=repository,
        input=listing,
        check=True,
    )
    git(repository, "add", ".gitmodules")
    git(repository, "commit", "-q", "-m", "Link")
    git(repository, "clone", "-q", "--bare", str(tmp_path / "inner"), ".git/modules/ok")
    found = await submodules_of(repository / ".git", "main", [repository / ".git"])
    assert [(module.path, module.source is not None) for module in found] == [("ok", True)]
    place = await place_in(repository, tmp_path)
    assert git(Path(place.record.path) / "ok", "rev-parse", "HEAD") == oid
    status = await worktree_status(open_repository(repository), place.record)
    assert (status.status, status.problem) == ("clean", None)


def test_a_bare_layout_at_a_path_that_is_not_utf8(repository: Path, tmp_path: Path) -> None:
    """G7: git's own files could not name it for a task: one line says so."""
    folder = tmp_path / os.fsdecode(ODD)
    folder.mkdir()
    git(folder, "clone", "-q", "--bare", str(repository), ".bare")
    (folder / ".git").write_text("gitdir: ./.bare\n")
    with pytest.raises(Refused, match="is not UTF-8") as caught:
        open_repository(folder)
    assert caught.value.hint == "rename the folder"


async def test_a_home_at_a_path_that_is_not_utf8(repository: Path, tmp_path: Path) -> None:
    """G6: so it is for a link that leads to such a folder."""
    folder = tmp_path / os.fsdecode(ODD)
    folder.mkdir()
    await asyncio.to_thread((tmp_path / "link").symlink_to, folder)
    (folder / "r").symlink_to(repository)
    assert open_repository(tmp_path / "link" / "r").common_dir == repository / ".git"
    git(folder, "clone", "-q", str(repository), "clone")
    with pytest.raises(Refused, match="is not UTF-8"):
        open_repository(tmp_path / "link" / "clone")
