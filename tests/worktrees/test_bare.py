"""Bare repositories, all of whose checkouts are linked worktrees."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import NamedTuple

import pytest

from ctui.errors import Refused
from ctui.git.repository.repository import Repository, open_repository
from ctui.worktrees.create import create_worktree
from ctui.worktrees.known import find_worktree, known_worktrees
from ctui.worktrees.landing.checkouts import linked_checkout
from ctui.worktrees.landing.land import land
from ctui.worktrees.trash.restore import restore_worktree
from tests.conftest import git
from tests.git.conftest import place_in
from tests.worktrees.looking import remove_worktree, survey_of, worktree_status

pytestmark = pytest.mark.usefixtures("known_person")


class Layout(NamedTuple):
    """A bare repository and two worktrees of it, on main and feature."""

    stand: Path
    """Where a person stands."""
    git_dir: Path
    main: Path


def _hidden(tmp_path: Path, source: Path, name: str) -> Layout:
    project = tmp_path / "project"
    project.mkdir()
    git(project, "clone", "-q", "--bare", str(source), name)
    if name != ".git":
        (project / ".git").write_text(f"gitdir: ./{name}\n")
    for branch in ("main", "feature"):
        git(project, "worktree", "add", "-q", branch, branch)
    return Layout(project, project / name, project / "main")


def _plain(tmp_path: Path, source: Path) -> Layout:
    folder = tmp_path / "all"
    folder.mkdir()
    git(folder, "clone", "-q", "--bare", str(source), "project.git")
    for branch in ("main", "feature"):
        git(folder / "project.git", "worktree", "add", "-q", f"../project-{branch}", branch)
    return Layout(folder / "project.git", folder / "project.git", folder / "project-main")


@pytest.fixture(params=[".bare", ".git", "plain"])
def layout(request: pytest.FixtureRequest, repository: Path, tmp_path: Path) -> Layout:
    git(repository, "branch", "feature")
    if request.param == "plain":
        return _plain(tmp_path, repository)
    return _hidden(tmp_path, repository, request.param)


def _names(repository: Repository) -> list[str]:
    return [known.name for known in known_worktrees(repository, {})]


async def test_it_is_one_repository_from_everywhere(layout: Layout) -> None:
    """G7: the folder around it, the bare repository and each worktree lead to the same one."""
    for folder in (layout.stand, layout.git_dir, layout.main):
        repository = open_repository(folder)
        assert (repository.common_dir, repository.bare) == (layout.git_dir, True)
        assert repository.name == "project"
        assert repository.default_branch() == "main"
    assert len(_names(repository)) == 2


async def test_a_new_worktree_comes_beside_the_others(layout: Layout, tmp_path: Path) -> None:
    """G7: a worktree is made where the person has the others."""
    record = await create_worktree(
        open_repository(layout.stand), tmp_path / "worktrees", prompt="fix it"
    )
    assert Path(record.path) == layout.main.parent / "fix-it"
    assert git(layout.main, "rev-parse", "main") == record.base
    assert git(Path(record.path), "status", "--porcelain") == ""
    again = await create_worktree(
        open_repository(layout.stand), tmp_path / "worktrees", prompt="fix it"
    )
    assert again.name == "fix-it-2"


async def test_a_task_works_and_lands_into_the_worktree_of_the_target(
    layout: Layout, tmp_path: Path
) -> None:
    """G7: its commits come home, and files of the target's worktree follow a landing."""
    place = await place_in(layout.stand, tmp_path)
    tip = place.commit("new.txt")
    result = await place.bring()
    assert (result.branch, result.problem) == ("advanced", "")

    repository = open_repository(layout.stand)
    landed = await land(repository, linked_checkout(repository, Path(place.record.metadata)))

    assert landed.checkout_moved
    assert (layout.main / "new.txt").read_text() == "new.txt"
    assert git(layout.main, "status", "--porcelain") == ""
    assert git(layout.main, "merge-base", "main", tip) == tip


async def test_it_lands_into_the_ref_where_no_worktree_has_the_target(
    layout: Layout, tmp_path: Path
) -> None:
    """G7: without a worktree of main the branch moves alone."""
    git(layout.stand, "worktree", "remove", str(layout.main))
    place = await place_in(layout.stand, tmp_path)
    tip = place.commit("new.txt")
    await place.bring()

    repository = open_repository(layout.stand)
    landed = await land(repository, linked_checkout(repository, Path(place.record.metadata)))

    assert not landed.checkout_moved
    assert git(layout.git_dir, "merge-base", "main", tip) == tip


async def test_a_worktree_goes_to_the_trash_and_comes_back(layout: Layout, tmp_path: Path) -> None:
    """G7: removal and restore are those of any worktree."""
    repository = open_repository(layout.stand)
    record = await create_worktree(repository, tmp_path / "worktrees", name="short")
    status = await worktree_status(repository, record)
    assert status.status == "clean"
    entry = await remove_worktree(repository, status, record, delete_branch=True)
    assert not Path(record.path).exists()
    assert "short" not in _names(repository)
    assert "ctui/short" not in repository.git.branches.local

    back = await restore_worktree(repository, entry.id)

    assert (back.path, back.branch) == (record.path, record.branch)
    assert git(Path(record.path), "status", "--porcelain") == ""


async def test_the_worktree_of_the_target_stays(layout: Layout) -> None:
    """G7: main has nothing of its own, and is no leftover all the same."""
    repository = open_repository(layout.stand)
    known = find_worktree(known_worktrees(repository, {}), "main")
    status = await survey_of(repository).one(known.metadata)
    assert (status.status, status.is_target) == ("clean", True)
    with pytest.raises(Refused, match="others are judged against"):
        await remove_worktree(repository, status, None)
    feature = find_worktree(known_worktrees(repository, {}), "feature")
    assert not (await survey_of(repository).one(feature.metadata)).is_target


async def test_a_moved_worktree_is_named_as_such(layout: Layout, tmp_path: Path) -> None:
    """G7: `git worktree move` is not tampering, and moving it back mends it."""
    repository = open_repository(layout.stand)
    record = await create_worktree(repository, tmp_path / "worktrees", name="short")
    elsewhere = Path(record.path).with_name("elsewhere")
    git(layout.git_dir, "worktree", "move", record.path, str(elsewhere))

    moved = await worktree_status(repository, record)

    assert (moved.problem, moved.status) == ("moved", "unclean")
    with pytest.raises(Refused, match="short is moved") as caught:
        await remove_worktree(repository, moved, record, force=True)
    said, _, command = caught.value.hint.partition(": ")
    assert said == "move it back"
    git(layout.git_dir, *shlex.split(command)[1:])
    assert (await worktree_status(repository, record)).problem is None


async def test_worktrees_that_moved_with_everything(layout: Layout, tmp_path: Path) -> None:
    """G7: after `git worktree repair` a moved layout is as before."""
    old = layout.main.parent
    new = old.rename(tmp_path / "moved")
    inside = new / layout.git_dir.relative_to(old)
    git(inside, "worktree", "repair", str(new / layout.main.name))
    repository = open_repository(new / layout.main.name)
    assert repository.common_dir == inside
    record = await create_worktree(repository, tmp_path / "worktrees", name="short")
    assert (await worktree_status(repository, record)).status == "clean"


async def test_worktrees_with_settings_of_their_own(layout: Layout, tmp_path: Path) -> None:
    """G7: `core.bare` may be in the settings of the bare repository alone (config.worktree)."""
    git(layout.main, "sparse-checkout", "set", "src")
    assert (layout.git_dir / "config.worktree").exists()
    repository = open_repository(layout.main)
    assert repository.bare
    record = await create_worktree(repository, tmp_path / "worktrees", name="short")
    assert (await worktree_status(repository, record)).status == "clean"


async def test_a_head_that_names_no_branch(layout: Layout, tmp_path: Path) -> None:
    """G7: `git init --bare` names a branch that a person may never have."""
    git(layout.git_dir, "symbolic-ref", "HEAD", "refs/heads/never")
    repository = open_repository(layout.stand)
    assert (repository.head_branch(), repository.default_branch()) == (None, "main")
    record = await create_worktree(repository, tmp_path / "worktrees", name="short")
    assert record.base == git(layout.main, "rev-parse", "main")


def test_one_that_is_bare_by_mistake(repository: Path) -> None:
    """G15: a checkout whose repository says that it is bare gets the command that mends it."""
    git(repository, "config", "core.bare", "true")
    with pytest.raises(Refused, match="calls itself a bare repository") as caught:
        open_repository(repository)
    assert caught.value.hint == f"git --git-dir={repository}/.git config core.bare false"


def test_one_that_was_committed(repository: Path, tmp_path: Path) -> None:
    """G7: files of a commit can be a bare repository, whose settings name programs."""
    git(repository, "clone", "-q", "--bare", ".", "inner.git")
    assert open_repository(repository / "inner.git").bare  # the person's own, and ignored
    git(repository, "add", ".")
    with pytest.raises(Refused, match="among the committed files"):
        open_repository(repository / "inner.git")
    git(tmp_path, "clone", "-q", "--bare", str(repository), "outer.git")
    assert open_repository(tmp_path / "outer.git").bare


async def test_new_worktrees_stay_out_of_folders_that_others_write(
    layout: Layout, tmp_path: Path
) -> None:
    """G7: where anybody could put something into a worktree's place, ctui's own folder is used."""
    layout.main.parent.chmod(0o777)
    record = await create_worktree(
        open_repository(layout.stand), tmp_path / "worktrees", name="short"
    )
    assert Path(record.path).is_relative_to(tmp_path / "worktrees")
