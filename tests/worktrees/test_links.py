"""Folders that are reached through a link: each is resolved once, and compared resolved."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from ctui.client.worktrees.worktrees import make_worktree as make
from ctui.client.worktrees.worktrees import recorded, records, restore_records, worktree_at
from ctui.errors import Refused
from ctui.git.repository.repository import open_repository
from ctui.paths import Paths
from ctui.tasks.store import Store
from ctui.worktrees.known import find_worktree, known_worktrees
from ctui.worktrees.model import WorktreeRecord
from ctui.worktrees.trash.restore import restore_worktree
from tests.conftest import git
from tests.worktrees.looking import remove_worktree, worktree_status


@pytest.fixture
def linked(tmp_path: Path) -> Path:
    """A folder behind a link in the middle of its path, as /home -> /var/home makes one."""
    (tmp_path / "var" / "home" / "me").mkdir(parents=True)
    (tmp_path / "home").symlink_to("var/home")
    return tmp_path / "home" / "me"


@pytest.fixture
def paths(linked: Path) -> Paths:
    return Paths.from_environment({"CTUI_HOME": str(linked / "ctui")})


@pytest.fixture
def project(linked: Path) -> Path:
    folder = linked / "project"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    (folder / "a").write_text("a")
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "Begin")
    return folder


async def test_a_home_behind_a_link(paths: Paths, project: Path) -> None:
    """G6: a worktree below such a home is what it was made as, and goes and comes back."""
    repository = open_repository(project)
    record = await make(paths, repository, prefix="ctui/", name="one")
    status = await worktree_status(repository, record)
    assert (status.status, status.problem) == ("clean", None)
    entry = await remove_worktree(repository, status, record)
    assert (await restore_worktree(repository, entry.id)).path == record.path
    assert (await worktree_status(repository, record)).problem is None


async def test_what_was_recorded_through_the_link(paths: Paths, project: Path) -> None:
    """G6: records of older versions name the link, and stay good."""
    repository = open_repository(project)
    record = await make(paths, repository, prefix="ctui/", name="one")
    through = paths.data / "worktrees" / Path(record.path).parent.name / "one"
    assert through.samefile(record.path)
    old = msgspec.structs.replace(record, path=str(through))
    assert old.path != record.path
    status = await worktree_status(repository, old)
    assert (status.status, status.problem) == ("clean", None)
    entry = await remove_worktree(repository, status, old)
    restored = await restore_worktree(repository, entry.id)
    assert restored.record is not None
    assert (await worktree_status(repository, restored.record)).problem is None


async def test_names_of_a_worktree_by_its_path(paths: Paths, project: Path, tmp_path: Path) -> None:
    """G6: a path that a person writes may have links anywhere."""
    repository = open_repository(project)
    record = await make(paths, repository, prefix="ctui/", name="one")
    shortcut = tmp_path / "shortcut"
    shortcut.symlink_to(record.path)
    known = known_worktrees(repository, records(paths, repository))
    through = paths.data / "worktrees" / Path(record.path).parent.name / "one"
    for path in (record.path, str(through), str(shortcut)):
        assert find_worktree(known, path).name == "one"
    found = worktree_at(through)
    assert found is not None
    assert found.metadata == record.metadata


async def test_a_worktree_of_the_persons_own(paths: Paths, project: Path, linked: Path) -> None:
    """G6: one that git made at a path with a link is adopted."""
    git(project, "worktree", "add", "-q", "-b", "own", str(linked / "own"))
    repository = open_repository(project)
    record = recorded(paths, repository, str(linked / "own"))
    assert (await worktree_status(repository, record)).problem is None


async def test_links_of_a_newer_git_are_relative(paths: Paths, project: Path, linked: Path) -> None:
    """G6: relative links between both ends are seen from where the folders really are."""
    repository = open_repository(project)
    record = await make(paths, repository, prefix="ctui/", name="one")
    through = paths.data / "worktrees" / Path(record.path).parent.name / "one"
    relative = Path(record.metadata).relative_to(linked.parent.resolve())
    up = "/".join([".."] * len(Path(record.path).relative_to(linked.parent.resolve()).parts))
    (Path(record.path) / ".git").write_text(f"gitdir: {up}/{relative}\n")
    old = msgspec.structs.replace(record, path=str(through))
    assert git(Path(record.path), "status", "--porcelain") == ""
    assert (await worktree_status(repository, old)).problem is None


async def test_records_that_were_lost_come_back_once(paths: Paths, project: Path) -> None:
    """G6: a worktree that is on record through the link is no second one."""
    repository = open_repository(project)
    record = await make(paths, repository, prefix="ctui/", name="one")
    through = str(paths.data / "worktrees" / Path(record.path).parent.name / "one")
    store = Store(paths.database)
    try:
        store.worktrees.forget(record.path)
        old: WorktreeRecord = msgspec.structs.replace(record, path=through)
        store.worktrees.save(old.path, old.repository, msgspec.json.encode(old))
        assert restore_records(paths, store) == []
        store.worktrees.forget(through)
        assert restore_records(paths, store) == ["one"]
    finally:
        store.close()


async def test_a_link_in_the_place_of_a_worktree_is_none(
    paths: Paths, project: Path, tmp_path: Path
) -> None:
    """G6: only links on the way are followed; the worktree itself must be a folder."""
    repository = open_repository(project)
    record = await make(paths, repository, prefix="ctui/", name="one")
    Path(record.path).rename(tmp_path / "away")
    Path(record.path).symlink_to(tmp_path / "away")
    assert (await worktree_status(repository, record)).problem == "tampered"


async def test_a_worktree_inside_of_another_is_seen_through_a_link(
    paths: Paths, project: Path
) -> None:
    """G6: one does not go to the trash with another in it, however its path was written."""
    repository = open_repository(project)
    record = await make(paths, repository, prefix="ctui/", name="one")
    through = paths.data / "worktrees" / Path(record.path).parent.name / "one"
    git(project, "worktree", "add", "-q", "-b", "inner", str(through / "inner"))
    old = msgspec.structs.replace(record, path=str(through))
    status = await worktree_status(repository, old)
    with pytest.raises(Refused, match="inner lies in one"):
        await remove_worktree(repository, status, old, force=True)
