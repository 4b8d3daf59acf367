"""The first commit: of exactly the folder that was asked about, or of nothing."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ctui.errors import Conflict, CtuiError, Refused
from ctui.git.commits.beginning import Beginning, begin_repository, find_beginning
from tests.conftest import git

pytestmark = pytest.mark.usefixtures("home")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    project = tmp_path / "project"
    project.mkdir()
    (project / "kept.txt").write_text("x\n")
    return project


@pytest.fixture
def begun(folder: Path) -> Path:
    """With a repository that has no commit yet."""
    git(folder, "init", "-q", "-b", "trunk")
    return folder


def state(folder: Path) -> dict[str, bytes]:
    """All of a git directory but its objects."""
    git_dir = folder / ".git"
    return {
        str(file.relative_to(git_dir)): file.read_bytes()
        for file in git_dir.rglob("*")
        if file.is_file() and "objects" not in file.parts
    }


async def begin(folder: Path) -> int:
    return await begin_repository(await find_beginning(folder))


async def test_a_subfolder_asks_about_its_whole_repository(begun: Path) -> None:
    (begun / "inner").mkdir()
    assert await find_beginning(begun / "inner") == Beginning(begun, is_new=False)


async def test_branch_and_index_come_together(begun: Path) -> None:
    assert await begin(begun) == 1
    assert git(begun, "log", "--format=%D %an") == "HEAD -> trunk Ada"
    assert git(begun, "status", "--porcelain") == ""
    assert {path.name for path in (begun / ".git").iterdir()}.isdisjoint({"index.lock"})


async def test_a_folder_behind_a_link_is_named_without_it(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(folder)
    assert await find_beginning(tmp_path / "link") == Beginning(folder, is_new=True)


async def test_a_git_directory_elsewhere_is_refused(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "gits").mkdir()
    git(folder, "init", "-q", "--separate-git-dir", str(tmp_path / "gits" / "b.git"))
    with pytest.raises(Refused, match="leads elsewhere"):
        await find_beginning(folder)
    assert [path.name for path in (tmp_path / "gits").iterdir()] == ["b.git"]


@pytest.mark.parametrize("target", ["nowhere", "../other/.git"])
async def test_a_git_link_is_refused_also_a_dangling_one(folder: Path, target: str) -> None:
    git(folder.parent, "init", "-q", "other")
    (folder / ".git").symlink_to(target)
    with pytest.raises(Refused, match="leads elsewhere"):
        await find_beginning(folder)


async def test_what_is_no_git_directory_is_refused(folder: Path) -> None:
    (folder / ".git").mkdir()
    with pytest.raises(Refused, match="no git directory"):
        await find_beginning(folder)
    (folder / ".git").rmdir()
    os.mkfifo(folder / ".git")
    with pytest.raises(Refused, match="leads elsewhere"):
        await find_beginning(folder)


@pytest.mark.parametrize(
    ("setting", "reason"), [("worktree = ../..", "core.worktree"), ("bare = 1", "is bare")]
)
async def test_settings_that_name_other_files_are_refused(
    begun: Path, setting: str, reason: str
) -> None:
    with (begun / ".git" / "config").open("a") as config:
        config.write(f"[core]\n\t{setting}\n")
    with pytest.raises(Refused, match=reason):
        await find_beginning(begun)


async def test_a_config_that_git_cannot_read_is_refused(begun: Path) -> None:
    (begun / ".git" / "config").write_text("[core\n")
    with pytest.raises(Refused, match="bad config"):
        await find_beginning(begun)


async def test_the_inside_of_a_bare_repository_is_refused(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "--bare", "b.git")
    with pytest.raises(Refused, match="bare repository"):
        await find_beginning(tmp_path / "b.git" / "hooks")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
async def test_a_repository_of_somebody_else_is_refused(begun: Path) -> None:
    os.chown(begun / ".git", 12345, 12345)
    with pytest.raises(Refused, match="somebody else"):
        await find_beginning(begun)


@pytest.mark.parametrize("name", ["home", "link", "."])
async def test_a_home_folder_and_what_it_lies_in_are_no_repository(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    (tmp_path / "link").symlink_to(home)
    monkeypatch.setenv("HOME", str(tmp_path / "link"))
    with pytest.raises(Refused, match="no folder for a repository"):
        await find_beginning(tmp_path / name)


async def test_what_is_staged_stays_the_persons_own(begun: Path) -> None:
    git(begun, "add", "kept.txt")
    (begun / "other.txt").write_text("x\n")
    before = state(begun)
    with pytest.raises(Refused, match="staged") as caught:
        await begin(begun)
    assert "commit it yourself" in caught.value.hint
    assert state(begun) == before


async def test_nested_repositories_are_refused_and_nothing_changes(begun: Path) -> None:
    git(begun, "init", "-q", "inner")
    git(begun / "inner", "commit", "-q", "--allow-empty", "-m", "Inner")
    before = state(begun)
    with pytest.raises(Refused, match="inner"):
        await begin(begun)
    assert state(begun) == before


async def test_nothing_is_left_where_no_repository_can_begin(folder: Path) -> None:
    git(folder, "init", "-q", "inner")
    git(folder / "inner", "commit", "-q", "--allow-empty", "-m", "Inner")
    with pytest.raises(Refused, match="inner"):
        await begin(folder)
    assert not (folder / ".git").exists()


async def test_who_commits_must_be_known(folder: Path, home: Path) -> None:
    (home / ".gitconfig").write_text("[user]\n\tuseConfigOnly = true\n")
    with pytest.raises(Refused, match="who commits"):
        await begin(folder)
    assert not (folder / ".git").exists()


async def test_a_branch_that_has_a_commit_by_now_does_not_move(begun: Path) -> None:
    found = await find_beginning(begun)
    git(begun, "commit", "-q", "--allow-empty", "-m", "First")
    before = state(begun)
    with pytest.raises(CtuiError):
        await begin_repository(found)
    assert state(begun) == before


async def test_another_git_at_work_is_left_alone(begun: Path) -> None:
    (begun / ".git" / "index.lock").touch()
    before = state(begun)
    with pytest.raises(Conflict, match="another git"):
        await begin(begun)
    assert state(begun) == before


async def test_what_was_asked_about_must_still_be_so(folder: Path) -> None:
    found = await find_beginning(folder)
    git(folder, "init", "-q")
    with pytest.raises(Conflict):
        await begin_repository(found)
    assert not (folder / ".git" / "index").exists()
