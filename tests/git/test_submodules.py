"""Submodules: filled without the network, worked in by a task, and clean when they are clean."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from ctui.client.tasks.new_task import NewTask
from ctui.client.tasks.start_notes import start_notes
from ctui.errors import Refused
from ctui.git.exchange.private_modules import (
    create_modules,
    follow_gitlinks,
    import_modules,
    module_mounts,
    open_modules,
)
from ctui.git.private.private import create_private
from ctui.git.repository.repository import open_repository
from ctui.worktrees.create import create_worktree
from ctui.worktrees.landing.checkouts import linked_checkout
from ctui.worktrees.landing.land import land
from ctui.worktrees.model import WorktreeStatus
from ctui.worktrees.trash.restore import restore_worktree
from tests.conftest import git
from tests.git.conftest import Place, place_in
from tests.worktrees.looking import remove_worktree, worktree_status

pytestmark = pytest.mark.usefixtures("known_person")

ALLOWED = ("-c", "protocol.file.allow=always")


def make(folder: Path, name: str) -> Path:
    made = folder / name
    git(folder, "init", "-q", "-b", "main", name)
    (made / f"{name}.txt").write_text(f"{name}\n")
    git(made, "add", ".")
    git(made, "commit", "-q", "-m", name)
    return made


@pytest.fixture
def world(tmp_path: Path) -> Path:
    """A clone whose `libs/outer` (relative URL) has `deep/inner`; its origin is gone."""
    hosts = tmp_path / "hosts"
    hosts.mkdir()
    for name in ("inner", "outer", "app"):
        make(hosts, name)
    add = (*ALLOWED, "submodule", "--quiet", "add")
    git(hosts / "outer", *add, str(hosts / "inner"), "deep/inner")
    git(hosts / "outer", "commit", "-q", "-m", "Nest")
    git(hosts / "app", "remote", "add", "origin", str(hosts / "app"))
    git(hosts / "app", *add, "--name", "the lib", "../outer", "libs/outer")
    git(hosts / "app", "commit", "-q", "-m", "Link")
    clone = tmp_path / "clone"
    git(tmp_path, *ALLOWED, "clone", "-q", "--recurse-submodules", str(hosts / "app"), "clone")
    hosts.rename(tmp_path / "unreachable")
    return clone


class Sub(NamedTuple):
    """A task's place with its submodules, as the driver provides them."""

    place: Place

    @property
    def path(self) -> Path:
        return Path(self.place.record.path)

    def in_module(self, path: str, *arguments: str) -> str:
        """Git as the task runs it in a submodule."""
        [found] = [module for at, module in open_modules(self.place.private) if at == path]
        environ = {
            **os.environ,
            "GIT_DIR": str(found.git_dir),
            "GIT_WORK_TREE": str(self.path / path),
        }
        done = subprocess.run(
            ["git", "-c", "safe.directory=*", *arguments],
            cwd=self.path / path,
            env=environ,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.strip()

    async def bring(self) -> str:
        inside = await import_modules(self.place.private, "t1")
        result = await self.place.bring()
        await follow_gitlinks(self.place.private)
        assert (inside, result.problem) == ("", "")
        return result.reason

    async def look(self) -> WorktreeStatus:
        return await worktree_status(open_repository(self.place.repository), self.place.record)


async def _work(repository: Path, tmp_path: Path) -> Sub:
    place = await place_in(repository, tmp_path)
    status = Path(place.record.path).stat()
    owner = (status.st_uid, status.st_gid)
    await create_modules(place.private, Path(place.record.path), owner, isolated=False)
    return Sub(place)


@pytest.fixture
async def work(world: Path, tmp_path: Path) -> Sub:
    return await _work(world, tmp_path)


async def test_submodules_are_there_without_the_network(work: Sub) -> None:
    """G9: with a relative URL, and one in another; each is a repository of its own."""
    assert (work.path / "libs/outer/outer.txt").read_text() == "outer\n"
    assert (work.path / "libs/outer/deep/inner/inner.txt").read_text() == "inner\n"
    assert work.place.host("status", "--porcelain") == ""
    states = work.place.host("submodule", "status", "--recursive").splitlines()
    assert [line.split()[1] for line in states] == ["libs/outer", "libs/outer/deep/inner"]
    assert not [line for line in states if line[0] in "+-U"]
    assert git(work.path / "libs/outer", "log", "-1", "--format=%s") == "Nest"
    status = await work.look()
    assert (status.status, status.problem) == ("clean", None)


async def test_a_task_sees_them_clean(work: Sub) -> None:
    """G9: the task's own git finds their history, and its mounts lie over their links."""
    assert work.in_module("libs/outer", "status", "--porcelain", "--ignore-submodules") == ""
    assert work.in_module("libs/outer/deep/inner", "log", "-1", "--format=%s") == "inner"
    mounts = {mount.target: mount for mount in module_mounts(work.place.private, work.path)}
    assert mounts["/workspace/libs/outer/.git"].read_only
    assert mounts["/workspace/libs/outer/deep/inner/.git"].source.read_text() == (
        "gitdir: /ctui/modules/1\n"
    )
    assert not mounts["/ctui/modules/1"].read_only
    # Links and directories of both, their objects, and what those borrow.
    assert len(mounts) == 4 + 2 * 2


async def test_work_in_a_submodule_is_unclean_until_it_is_elsewhere(work: Sub) -> None:
    """G9: files and commits inside count as changes of the worktree."""
    (work.path / "libs/outer/deep/inner/inner.txt").write_text("changed\n")
    status = await work.look()
    assert (status.status, status.problem) == ("unclean", None)
    assert status.changes is not None
    assert status.changes.modified == 1
    work.in_module("libs/outer/deep/inner", "commit", "-q", "-a", "-m", "Change")
    await work.bring()
    status = await work.look()
    assert (status.status, status.problem) == ("unclean", None)
    with pytest.raises(Refused, match="uncommitted changes"):
        await remove_worktree(open_repository(work.place.repository), status, work.place.record)


async def test_a_task_moves_a_gitlink(work: Sub) -> None:
    """G9: the commit comes home with the one that names it, and the change is shown as one."""
    (work.path / "libs/outer/new.txt").write_text("new\n")
    old = work.in_module("libs/outer", "rev-parse", "HEAD")
    work.in_module("libs/outer", "add", "new.txt")
    work.in_module("libs/outer", "commit", "-q", "-m", "Add new")
    new = work.in_module("libs/outer", "rev-parse", "HEAD")
    work.place.in_task("update-index", "--cacheinfo", f"160000,{new},libs/outer")
    work.place.in_task("commit", "-q", "-m", "Take the new outer")

    reason = await work.bring()

    assert reason.endswith(f"submodules: libs/outer goes from {old[:9]} to {new[:9]}")
    assert git(work.path / "libs/outer", "rev-parse", "HEAD") == new
    assert work.place.host("status", "--porcelain") == ""
    status = await work.look()
    assert status.problem is None
    repository = open_repository(work.place.repository)
    checkout = linked_checkout(repository, Path(work.place.record.metadata))
    with pytest.raises(Refused, match=f"libs/outer goes from {old[:9]} to {new[:9]}"):
        await land(repository, checkout)


async def test_other_work_beside_submodules_lands(work: Sub) -> None:
    """G9: what leaves them alone is as in any repository, and the worktree is merged then."""
    work.place.commit("new.txt")
    await work.bring()
    repository = open_repository(work.place.repository)
    await land(repository, linked_checkout(repository, Path(work.place.record.metadata)))
    assert (work.place.repository / "new.txt").exists()
    status = await work.look()
    assert (status.status, status.problem) == ("merged", None)
    entry = await remove_worktree(repository, status, work.place.record)
    await restore_worktree(repository, entry.id)
    assert (await work.look()).status == "merged"


async def test_objects_that_are_not_here(world: Path, tmp_path: Path) -> None:
    """G9: without its commit a submodule stays empty, is clean, and is named at the start."""
    (world / ".git/modules/the lib").rename(tmp_path / "lost")
    work = await _work(world, tmp_path)
    assert list((work.path / "libs/outer").iterdir()) == []
    status = await work.look()
    assert (status.status, status.problem) == ("clean", None)
    notes = await start_notes(
        open_repository(world), NewTask(prompt="x"), work.place.record.base, trusted=True
    )
    assert any("libs/outer (`git submodule update --init" in note for note in notes)


async def test_an_inner_one_that_is_not_here(world: Path, tmp_path: Path) -> None:
    """G9: of a nest the part that is there is filled."""
    (world / ".git/modules/the lib/modules/deep/inner").rename(tmp_path / "lost")
    work = await _work(world, tmp_path)
    assert (work.path / "libs/outer/outer.txt").exists()
    assert list((work.path / "libs/outer/deep/inner").iterdir()) == []
    assert (await work.look()).status == "clean"


def _replace_link(work: Sub, marker: Path) -> None:
    module = work.path / "libs/outer"
    (module / ".git").unlink()
    git(module, "init", "-q", ".")
    git(module, "config", "core.fsmonitor", f"touch {marker}; true")
    git(module, "config", "filter.x.clean", f"touch {marker}; cat")
    (module / ".gitattributes").write_text("* filter=x\n")


def _put_a_link(work: Sub, _marker: Path) -> None:
    (work.path / "libs/outer").rename(work.path / "elsewhere")
    (work.path / "libs/outer").symlink_to("../elsewhere")


def _lead_elsewhere(work: Sub, marker: Path) -> None:
    evil = make(marker.parent, "evil")
    git(evil, "config", "core.fsmonitor", f"touch {marker}; true")
    (work.path / "libs/outer/.git").write_text(f"gitdir: {evil}/.git\n")


async def _attack(work: Sub, tmp_path: Path, attack: Callable[[Sub, Path], None]) -> WorktreeStatus:
    marker = tmp_path / "marker"
    attack(work, marker)
    (work.path / "libs/outer/outer.txt").write_text("changed\n")
    status = await work.look()
    await work.bring()
    assert not marker.exists()
    return status


@pytest.mark.parametrize("attack", [_replace_link, _put_a_link, _lead_elsewhere])
async def test_a_repository_that_a_task_made_is_never_opened(
    work: Sub, tmp_path: Path, attack: Callable[[Sub, Path], None]
) -> None:
    """G9: git of the host believes the metadata, and nothing in the worktree."""
    status = await _attack(work, tmp_path, attack)
    assert (status.status, status.problem) == ("unclean", "submodules-unchecked")


def _names() -> list[str]:
    return ["../../../evil", "/tmp/evil", "a/../../b", ".git/x", "-x"]


@pytest.mark.parametrize("name", _names())
async def test_names_that_lead_out(world: Path, tmp_path: Path, name: str) -> None:
    """G9: a `.gitmodules` of a commit can name anything; such submodules stay empty."""
    (world / ".gitmodules").write_text(
        f'[submodule "{name}"]\n\tpath = libs/outer\n\turl = ../outer\n'
    )
    git(world, "add", ".gitmodules")
    git(world, "commit", "-q", "-m", "Evil")
    before = sorted(path for path in tmp_path.rglob("*") if "evil" in path.name)
    work = await _work(world, tmp_path)
    assert list((work.path / "libs/outer").iterdir()) == []
    assert sorted(path for path in tmp_path.rglob("*") if "evil" in path.name) == before


async def test_a_shallow_submodule(world: Path, tmp_path: Path) -> None:
    """G9: with G5, a submodule that was fetched with depth 1."""
    outer = tmp_path / "unreachable" / "outer"
    git(outer, "commit", "-q", "--allow-empty", "-m", "More")
    module = world / ".git/modules/the lib"
    git(world / "libs/outer", *ALLOWED, "fetch", "-q", "--depth=1", f"file://{outer}", "main")
    git(world / "libs/outer", "checkout", "-q", "FETCH_HEAD")
    assert (module / "shallow").exists()
    git(world, "commit", "-q", "-a", "-m", "Bump")
    work = await _work(world, tmp_path)
    assert work.in_module("libs/outer", "log", "-1", "--format=%s") == "More"
    assert (await work.look()).status == "clean"


async def test_a_submodule_that_the_person_moved_stays(work: Sub) -> None:
    """G9: HEAD of a submodule follows a task only from where ctui left it."""
    mine = git(work.path / "libs/outer", "rev-parse", "HEAD~1")
    (work.path / "libs/outer/new.txt").write_text("new\n")
    work.in_module("libs/outer", "add", "new.txt")
    work.in_module("libs/outer", "commit", "-q", "-m", "Add new")
    new = work.in_module("libs/outer", "rev-parse", "HEAD")
    git(work.path / "libs/outer", "update-ref", "--no-deref", "HEAD", mine)
    work.place.in_task("update-index", "--cacheinfo", f"160000,{new},libs/outer")
    work.place.in_task("commit", "-q", "-m", "Take the new outer")
    await work.bring()
    assert git(work.path / "libs/outer", "rev-parse", "HEAD") == mine
    status = await work.look()
    assert (status.status, status.problem) == ("unclean", None)


async def test_submodules_of_the_own_checkout(world: Path, tmp_path: Path) -> None:
    """G9: a task in the person's own checkout has them too, and moves nothing there."""
    git(world / "libs/outer", "switch", "-q", "-c", "mine")
    folder = tmp_path / "task"
    folder.mkdir()
    repository = open_repository(world)
    head = repository.resolve("HEAD")
    owner = (world.stat().st_uid, world.stat().st_gid)
    private = await create_private(repository, None, folder, "main", head, owner)
    await create_modules(private, world, owner, isolated=False)
    assert [path for path, _ in open_modules(private)] == ["libs/outer", "libs/outer/deep/inner"]
    targets = {mount.target for mount in module_mounts(private, world)}
    assert "/workspace/libs/outer/.git" in targets
    [outer] = [module for path, module in open_modules(private) if path == "libs/outer"]
    where = world / "libs/outer"
    git(
        where,
        f"--git-dir={outer.git_dir}",
        f"--work-tree={where}",
        "commit",
        "-q",
        "--allow-empty",
        "-m",
        "x",
    )
    assert await import_modules(private, "t1") == ""
    await follow_gitlinks(private)
    assert git(where, "symbolic-ref", "HEAD") == "refs/heads/mine"
    assert git(where, "for-each-ref", "--format=%(refname)", "refs/ctui/") == "refs/ctui/t1/head"


async def test_an_isolated_task_has_them_too(world: Path, tmp_path: Path) -> None:
    """G9: with packs of its own, and nothing of the submodule's repository mounted."""
    place = await place_in(world, tmp_path)
    path = Path(place.record.path)
    owner = (path.stat().st_uid, path.stat().st_gid)
    await create_modules(place.private, path, owner, isolated=True)
    work = Sub(place)
    assert work.in_module("libs/outer/deep/inner", "log", "--format=%s") == "inner"
    assert work.in_module("libs/outer", "status", "--porcelain", "--ignore-submodules") == ""
    mounts = module_mounts(place.private, path)
    assert {mount.target for mount in mounts} == {
        "/ctui/modules/0",
        "/ctui/modules/1",
        "/workspace/libs/outer/.git",
        "/workspace/libs/outer/deep/inner/.git",
    }


async def test_a_commit_that_only_another_worktree_has(work: Sub, tmp_path: Path) -> None:
    """G9: what comes from a worktree that may go is copied, so that it can go."""
    (work.path / "libs/outer/new.txt").write_text("new\n")
    work.in_module("libs/outer", "add", "new.txt")
    work.in_module("libs/outer", "commit", "-q", "-m", "Add new")
    new = work.in_module("libs/outer", "rev-parse", "HEAD")
    work.place.in_task("update-index", "--cacheinfo", f"160000,{new},libs/outer")
    work.place.in_task("commit", "-q", "-m", "Take the new outer")
    await work.bring()
    repository = open_repository(work.place.repository)
    second = await create_worktree(repository, tmp_path / "w", name="second", base="ctui/work")
    await remove_worktree(repository, await work.look(), work.place.record, force=True)
    module = Path(second.path) / "libs/outer"
    assert (module / "new.txt").read_text() == "new\n"
    assert git(module, "fsck", "--connectivity-only") == ""
    assert git(module, "log", "-1", "--format=%H %s") == f"{new} Add new"
    assert (module / "deep/inner/inner.txt").exists()
    assert git(Path(second.path), "status", "--porcelain") == ""


async def test_beside_a_bare_repository(world: Path, tmp_path: Path) -> None:
    """G9: with G7, where only the worktree of main has the submodules' repositories."""
    hosts = (tmp_path / "unreachable").rename(tmp_path / "hosts")
    git(tmp_path, "clone", "-q", "--bare", str(world), "all/app.git")
    git(tmp_path / "all/app.git", "remote", "set-url", "origin", str(hosts / "app"))
    git(tmp_path / "all/app.git", "worktree", "add", "-q", "../main", "main")
    update = (*ALLOWED, "submodule", "--quiet", "update", "--init", "--recursive")
    git(tmp_path / "all/main", *update)
    hosts.rename(tmp_path / "unreachable")
    work = await _work(tmp_path / "all/app.git", tmp_path)
    assert work.path == tmp_path / "all/work"
    assert (work.path / "libs/outer/deep/inner/inner.txt").exists()
    assert (await work.look()).status == "clean"
    borrowed = Path(work.place.record.metadata, "modules/the lib/objects/info/alternates")
    assert "/worktrees/main/modules/the lib/" in borrowed.read_text()
