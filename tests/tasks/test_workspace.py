"""The workspace on this machine, beside a task that lies about it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from ctui.claude.personal.collect import ManagedFile
from ctui.config import Config, TaskConfig
from ctui.errors import Refused
from ctui.git.repository.repository import open_repository
from ctui.paths import Paths
from ctui.tasks.mailbox.ports import Provided
from ctui.tasks.model import Task
from ctui.tasks.snapshots import end_of_turn, snapshots_of
from ctui.tasks.store import Store
from ctui.tasks.workspace import LocalWorkspace
from ctui.worktrees.create import create_worktree
from ctui.worktrees.snapshots.take import take
from tests.conftest import git


async def test_whatever_fails_in_an_import_is_its_result(repository: Path, tmp_path: Path) -> None:
    """No error of an import may be raised: the sandbox is removed behind it."""
    paths = Paths(*(tmp_path / name for name in Paths._fields))
    folder = paths.task("one")
    (folder / "git").mkdir(parents=True)
    (folder / "seed-refs").touch()
    (folder / "git" / "HEAD").write_text(git(repository, "rev-parse", "HEAD"))
    store = Store(":memory:")
    # A base that no call of the system takes stands for all that was not thought of.
    task = Task(
        id="one",
        repository=str(repository / ".git"),
        worktree=str(tmp_path),
        metadata=None,
        branch=None,
        base="no\0commit",
        session="s",
        prompt="go",
    )
    work = await LocalWorkspace(paths, store).collect(task)
    store.close()
    assert work is not None
    assert "its commits cannot be imported: ValueError" in work.problem


class World(NamedTuple):
    """A workspace, and a task in a worktree of a repository."""

    workspace: LocalWorkspace
    task: Task

    def mounts(self, provided: Provided) -> dict[str, Path]:
        return {mount.target: Path(mount.source) for mount in provided.mounts}


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    found = Paths(*(tmp_path / name for name in Paths._fields))
    for folder in found:
        folder.mkdir()
    return found


@pytest.fixture
def store() -> Iterator[Store]:
    opened = Store(":memory:")
    yield opened
    opened.close()


async def begun(repository: Path, paths: Paths, store: Store) -> World:
    record = await create_worktree(open_repository(repository), paths.worktrees, name="one")
    task = Task(
        id="one",
        repository=str(open_repository(repository).common_dir),
        worktree=record.path,
        metadata=record.metadata,
        branch=record.branch,
        base=record.base,
        session="s",
        prompt="go",
    )
    paths.task("one").mkdir(parents=True)
    return World(LocalWorkspace(paths, store), task)


def in_task(world: World, git_dir: Path, path: str, *arguments: str) -> None:
    """Run git as the task does, in the worktree or a submodule of it."""
    where = Path(world.task.worktree) / path
    git(where, f"--git-dir={git_dir}", f"--work-tree={where}", *arguments)


async def test_a_worktree_that_was_moved(repository: Path, paths: Paths, store: Store) -> None:
    """G7: a task says where its worktree is, and the command that moves it back."""
    world = await begun(repository, paths, store)
    elsewhere = paths.data / "elsewhere"
    git(repository, "worktree", "move", world.task.worktree, str(elsewhere))
    with pytest.raises(Refused, match=f"was moved to {elsewhere}") as caught:
        await world.workspace.provide(world.task, {})
    command = caught.value.hint.split()
    assert command[0] == "git"
    git(repository, *command[1:])
    await world.workspace.provide(world.task, {})


async def test_a_turn_s_numbers_are_those_of_its_review(
    repository: Path, paths: Paths, store: Store
) -> None:
    """A file that was renamed is one, and has no new lines."""
    world = await begun(repository, paths, store)
    worktree = Path(world.task.worktree)
    (worktree / "before.txt").write_text("one\ntwo\nthree\n")
    await world.workspace.snapshot(world.task, 1, at_end=False)
    (worktree / "before.txt").rename(worktree / "after.txt")
    (worktree / "new.txt").write_text("new\n")

    kept = await world.workspace.snapshot(world.task, 1, at_end=True)

    assert (kept.files, kept.added, kept.removed) == (2, 1, 0)


async def test_files_are_kept_also_where_older_snapshots_cannot_be_deleted(
    repository: Path, paths: Paths, store: Store
) -> None:
    world = await begun(repository, paths, store)
    config = Config(tasks=TaskConfig(snapshots="1k"))
    workspace = LocalWorkspace(paths, store, config=lambda: config)
    snapshots = snapshots_of(paths, open_repository(repository), world.task)
    for text in ("one", "two"):
        (Path(world.task.worktree) / "file").write_text(text)
        taken = await take(snapshots, f"refs/hand/{text}")
    said = await snapshots.git("rev-parse", f"{taken.tree}:file")
    blob = said.stdout.decode().strip()
    damaged = snapshots.folder / "objects" / blob[:2] / blob[2:]
    damaged.chmod(0o600)
    damaged.write_bytes(b"nothing that git can read")
    (Path(world.task.worktree) / "file").write_text("three")

    kept = await workspace.snapshot(world.task, 1, at_end=True)

    assert kept.snapshot == snapshots.ref(end_of_turn(1))
    assert set(snapshots.refs("refs/hand")) == {"refs/hand/two"}, "git got stuck behind the first"


async def test_the_end_of_a_history_moves_between_runs(
    repository: Path, paths: Paths, store: Store, tmp_path: Path
) -> None:
    """G5: the next run of a task knows of a clone that was deepened."""
    git(tmp_path, "clone", "-q", "--depth=1", f"file://{repository}", "clone")
    world = await begun(tmp_path / "clone", paths, store)
    git_dir = world.mounts(await world.workspace.provide(world.task, {}))["/ctui/git"]
    assert (git_dir / "shallow").exists()
    git(tmp_path / "clone", "fetch", "-q", "--unshallow")
    await world.workspace.provide(world.task, {})
    assert not (git_dir / "shallow").exists()


async def test_a_run_has_its_submodules(
    repository: Path, paths: Paths, store: Store, tmp_path: Path
) -> None:
    """G9: mounted over their links, measured, and brought home with the worktree's commits."""
    git(tmp_path, "init", "-q", "-b", "main", "inner")
    for number in range(100):
        (tmp_path / "inner" / str(number)).touch()
    git(tmp_path / "inner", "add", ".")
    git(tmp_path / "inner", "commit", "-q", "-m", "Inner")
    git(
        *(repository, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add"),
        *(str(tmp_path / "inner"), "sub"),
    )
    git(repository, "commit", "-q", "-m", "Link")
    world = await begun(repository, paths, store)
    mounts = world.mounts(await world.workspace.provide(world.task, {}))
    assert mounts["/workspace/sub/.git"].read_text() == "gitdir: /ctui/modules/0\n"
    assert world.mounts(await world.workspace.provide(world.task, {})) == mounts
    assert (await world.workspace.usage(world.task, 10)).files < 50
    await world.workspace.collect(world.task)

    (Path(world.task.worktree) / "sub" / "new").write_text("new")
    in_task(world, mounts["/ctui/modules/0"], "sub", "add", "new")
    in_task(world, mounts["/ctui/modules/0"], "sub", "commit", "-q", "-m", "New")
    work = await world.workspace.collect(world.task)

    assert work is not None
    assert work.problem == ""
    module = Path(str(world.task.metadata)) / "modules" / "sub"
    refs = git(module, "for-each-ref", "--format=%(refname)", "refs/ctui/")
    assert refs == "refs/ctui/one/head"
    assert await world.workspace.collect(world.task) is None


async def test_managed_settings_are_those_of_the_run_and_no_others(
    repository: Path, paths: Paths, store: Store
) -> None:
    """What an earlier run had and this one has not is gone; all can read it, none write."""
    world = await begun(repository, paths, store)
    first = {
        "CLAUDE.md": ManagedFile(b"one"),
        ".claude/skills/greet/SKILL.md": ManagedFile(b"greet"),
        ".claude/skills/greet/run.sh": ManagedFile(b"#!/bin/sh", 0o755),
    }
    await world.workspace.provide(world.task, first)
    managed = paths.task("one") / "managed"
    assert (managed / ".claude/skills/greet/run.sh").stat().st_mode & 0o777 == 0o755
    assert (managed / ".claude/skills").stat().st_mode & 0o777 == 0o755
    await world.workspace.provide(world.task, {"CLAUDE.md": ManagedFile(b"two")})
    assert [path.name for path in managed.rglob("*")] == ["CLAUDE.md"]
    assert (managed / "CLAUDE.md").read_bytes() == b"two"
