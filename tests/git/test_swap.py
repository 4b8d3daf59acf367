"""A branch moves only from where it is believed to be; a kill in the middle locks nobody out."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from ctui.errors import Conflict
from ctui.git.exchange.swap import compare_and_swap, forget_killed_swap
from tests.conftest import git

MAIN = "refs/heads/main"


@pytest.fixture
def two(repository: Path) -> tuple[str, str]:
    """Where main is, and where it could be."""
    old = git(repository, "rev-parse", "main")
    return old, git(repository, "commit-tree", "-p", old, "-m", "New", f"{old}^{{tree}}")


def killed(repository: Path, new: str, content: str) -> Path:
    """What a process leaves that is killed between the branch's lock and its rename."""
    note = repository / ".git" / "ctui-swap.json"
    note.write_bytes(msgspec.json.encode({"ref": MAIN, "new": new}))
    lock = repository / ".git" / f"{MAIN}.lock"
    lock.write_text(content)
    return lock


def test_a_branch_moves_once(repository: Path, two: tuple[str, str]) -> None:
    old, new = two
    compare_and_swap(repository / ".git", MAIN, old, new, "test: move")
    assert git(repository, "rev-parse", "main") == new
    assert git(repository, "reflog", "-1", "--format=%gs") == "test: move"
    with pytest.raises(Conflict, match="moved meanwhile"):
        compare_and_swap(repository / ".git", MAIN, old, new, "test: again")


@pytest.mark.parametrize("written", ["nothing", "half", "all"])
def test_a_lock_that_a_kill_left_is_removed(
    repository: Path, two: tuple[str, str], written: str
) -> None:
    old, new = two
    content = {"nothing": "", "half": new[:20], "all": f"{new}\n"}[written]
    lock = killed(repository, new, content)
    forget_killed_swap(repository / ".git")
    assert not lock.exists()
    killed(repository, new, content)
    compare_and_swap(repository / ".git", MAIN, old, new, "test: move")
    assert git(repository, "rev-parse", "main") == new


def test_a_lock_of_another_git_stays(repository: Path, two: tuple[str, str]) -> None:
    old, new = two
    lock = killed(repository, new, f"{'1' * 40}\n")
    with pytest.raises(Conflict, match="cannot be moved"):
        compare_and_swap(repository / ".git", MAIN, old, new, "test: move")
    assert lock.exists()
    lock.unlink()
    lock.write_text("")  # and one that nothing is noted of
    with pytest.raises(Conflict, match="cannot be moved"):
        compare_and_swap(repository / ".git", MAIN, old, new, "test: move")
    assert lock.exists()
    assert git(repository, "rev-parse", "main") == old
