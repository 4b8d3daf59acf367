"""What counts as the work of a worktree: how its branch began, and what else its task has."""

from __future__ import annotations

from pathlib import Path

import pytest

from ctui.git.repository.repository import open_repository
from ctui.worktrees.model import Work
from ctui.worktrees.proof.prover import Prover
from tests.conftest import git
from tests.worktrees.story import Story, said


@pytest.fixture
def story(tmp_path: Path) -> Story:
    return Story(tmp_path / "repository")


@pytest.mark.parametrize(
    ("created_only", "kind"), [(True, "no-commits"), (False, "merged")], ids=["fresh", "worked-on"]
)
def test_without_a_record_the_reflog_tells_a_fresh_branch(
    story: Story, tmp_path: Path, *, created_only: bool, kind: str
) -> None:
    story.moved()
    work = Work(story.base, None, created_only)
    assert story.prove(tmp_path / "cache", work)[0].verdict.kind == kind


def test_off_the_first_line_a_branch_had_commits_of_its_own(story: Story, tmp_path: Path) -> None:
    story.two()
    story.moved()
    story.merge("b")
    work = Work(story.heads["b"], None, created_only=True)
    assert story.prove(tmp_path / "cache", work)[0].verdict.kind == "merged"


def test_another_branch_of_the_task_counts(story: Story, tmp_path: Path) -> None:
    story.two()
    story.branch("side", story.base)
    story.edited("side", 25, "S")
    story.squash("b")
    work = Work(story.heads["b"], story.base, also=(("heads/side", story.heads["side"]),))
    proof = story.prove(tmp_path / "cache", work)[0]
    assert said(proof) == ("unmerged", "its heads/side is not in main")
    story.squash("side")
    assert story.prove(tmp_path / "cache", work)[0].verdict.kind == "merged"


def stash(repository: Path, *options: str) -> str:
    git(repository, "stash", "push", "-q", *options)
    commit = git(repository, "rev-parse", "refs/stash")
    git(repository, "stash", "drop", "-q")
    return commit


@pytest.mark.parametrize("hidden", ["untracked", "staged"])
def test_a_stash_counts_with_all_that_it_hides(
    repository: Path, tmp_path: Path, hidden: str
) -> None:
    """Main has what the stash's own files are; what is beside them is nowhere else."""
    file = repository / "hello.txt"
    if hidden == "staged":
        file.write_text("hello\nworld\nonly staged\n")
        git(repository, "add", "hello.txt")
    else:
        (repository / "notes").write_text("only here\n")
    file.write_text("hello\nworld\nmore\n")
    kept = stash(repository, "--include-untracked")
    file.write_text("hello\nworld\nmore\n")
    plain = stash(repository)
    file.write_text("hello\nworld\nmore\n")
    git(repository, "commit", "-q", "-a", "-m", "More")
    found = open_repository(repository)
    tip = found.resolve("HEAD")
    works = [Work(tip, None, also=(("stash", commit),)) for commit in (kept, plain)]
    proofs = Prover(found, found.targets(), tmp_path / "cache").prove(works)
    assert said(proofs[0]) == ("unmerged", "its stash is not in main")
    assert proofs[1].verdict.kind == "merged"
