from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from ctui.demo.repository import make_demo_repository
from ctui.errors import Conflict


def git(at: Path, *arguments: str) -> str:
    return subprocess.run(
        ["git", *arguments], cwd=at, check=True, capture_output=True, text=True
    ).stdout


@pytest.fixture(scope="module")
def main(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_demo_repository(tmp_path_factory.mktemp("demo") / "new" / "folder")


@pytest.fixture(scope="module")
def worktrees(main: Path) -> Path:
    return main.parent / "worktrees"


def status(at: Path) -> list[str]:
    return git(at, "status", "--porcelain=v1", "--branch").splitlines()


def own_commits(main: Path, branch: str) -> list[str]:
    return git(main, "log", "--format=%s", f"main..{branch}").splitlines()


def test_the_main_checkout_is_clean_and_level_with_its_remote(main: Path) -> None:
    assert status(main) == ["## main...origin/main"]
    assert git(main, "symbolic-ref", "refs/remotes/origin/HEAD").strip().endswith("origin/main")
    assert len(git(main, "ls-files").splitlines()) >= 10
    assert int(git(main, "rev-list", "--count", "main")) >= 12
    assert git(main, "fsck", "--strict", "--no-dangling") == ""


def test_the_projects_own_tests_pass(main: Path) -> None:
    subprocess.run(["python3", "-B", "-m", "unittest"], cwd=main, check=True, capture_output=True)


def test_a_new_worktree_has_no_commits(main: Path, worktrees: Path) -> None:
    assert status(worktrees / "white-tea") == ["## white-tea"]
    assert git(main, "rev-parse", "white-tea") == git(main, "rev-parse", "main")


def test_an_unclean_worktree_has_staged_changed_and_untracked_files(worktrees: Path) -> None:
    assert status(worktrees / "rounding")[1:] == [
        " M docs/usage.md",
        "M  teatime/__main__.py",
        "?? notes.txt",
    ]


def test_one_worktree_is_ahead_of_its_upstream(worktrees: Path) -> None:
    assert status(worktrees / "quiet") == ["## quiet...origin/quiet [ahead 2]"]


def test_one_worktree_is_clean_and_pushed(main: Path, worktrees: Path) -> None:
    assert status(worktrees / "bell") == ["## bell...origin/bell"]
    assert own_commits(main, "bell") == ["Ring when the tea is ready"]


def test_one_branch_was_merged(main: Path, worktrees: Path) -> None:
    assert status(worktrees / "herbal-tea") == ["## herbal-tea"]
    assert own_commits(main, "herbal-tea") == []
    assert git(main, "rev-list", "--merges", "--count", "main").strip() == "1"


def test_one_branch_was_merged_by_squash(main: Path, worktrees: Path) -> None:
    assert status(worktrees / "changelog") == ["## changelog"]
    assert own_commits(main, "changelog") == ["wording", "wip"]
    assert git(main, "diff", "main", "changelog", "--", "CHANGELOG.md") == ""


def test_one_upstream_is_gone(main: Path, worktrees: Path) -> None:
    assert status(worktrees / "coffee") == ["## coffee...origin/coffee [gone]"]
    assert own_commits(main, "coffee") == ["Think about coffee"]


def test_one_worktree_is_in_the_middle_of_a_merge_with_conflicts(worktrees: Path) -> None:
    assert status(worktrees / "stronger")[1:] == ["UU teatime/teas.py"]
    assert git(worktrees / "stronger", "rev-parse", "--verify", "MERGE_HEAD")


def test_two_demo_repositories_have_the_same_commits(
    main: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "gitconfig").write_text("[user]\nname = Me\n[commit]\ngpgsign = true\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))
    monkeypatch.setenv("GIT_DIR", str(tmp_path))
    monkeypatch.setenv("GIT_AUTHOR_NAME", "Me")
    again = make_demo_repository(tmp_path / "again")
    monkeypatch.undo()
    assert git(again, "for-each-ref") == git(main, "for-each-ref")


def test_a_folder_that_holds_something_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine")
    with pytest.raises(Conflict, match="not empty"):
        make_demo_repository(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]
