"""Damaged, cut-off, huge and misleading repositories."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from ctui.git.repository.repository import Repository, Target, open_repository
from ctui.worktrees.model import Work
from ctui.worktrees.proof.prover import Prover
from tests.conftest import git
from tests.worktrees.story import Story, said


@pytest.fixture
def story(tmp_path: Path) -> Story:
    return Story(tmp_path / "repository")


def test_what_cannot_be_read_does_not_hide_the_others(story: Story, tmp_path: Path) -> None:
    _, tip = story.two()
    story.squash("b")
    blob = str(story.git.create_blob(b"no commit"))
    works = [Work(bad) for bad in ("0" * 40, "not an id", "", blob)] + [Work(tip, story.base)]
    kinds = [proof.verdict.kind for proof in story.prove(tmp_path / "cache", *works)]
    assert kinds == ["unknown"] * 4 + ["merged"]


def test_a_missing_object_makes_nothing_merged(story: Story, tmp_path: Path) -> None:
    """Every object of the branch's work, one after the other."""
    first, second = story.two()
    story.squash("b")
    story.edited("main", 3, "rewritten")
    commits = [first, second]
    trees = [str(story.commit_of(commit).tree_id) for commit in commits]
    for number, oid in enumerate(commits + trees):
        path = tmp_path / "repository/.git/objects" / oid[:2] / oid[2:]
        path.rename(tmp_path / "away")
        [proof] = story.prove(tmp_path / f"cache {number}")
        assert proof.verdict.kind in {"unknown", "unmerged"} or oid == trees[0]
        (tmp_path / "away").rename(path)
    assert story.prove(tmp_path / "cache")[0].verdict.kind == "history"


def test_a_shallow_clone(tmp_path: Path) -> None:
    story = Story(tmp_path / "repository")
    story.moved()
    story.base = story.edited("main", 37, "again")
    story.branch("b", "main")
    story.two()
    at = story.squash("b")
    url = f"file://{tmp_path}/repository"
    git(tmp_path, "clone", "-q", "--depth", "2", "--no-single-branch", url, "shallow")
    clone = open_repository(tmp_path / "shallow")
    prover = Prover(clone, [Target("refs/heads/main", story.heads["main"])], tmp_path / "cache")
    [proof] = prover.prove([Work(story.heads["b"])])
    # The branch's own beginning was cut off: it has nothing in common with main any more.
    assert proof.verdict.kind == "unmerged"
    git(tmp_path / "shallow", "fetch", "-q", "--unshallow")
    [proof] = Prover(clone, prover._targets, tmp_path / "cache").prove([Work(story.heads["b"])])
    assert (proof.verdict.kind, proof.verdict.commit) == ("merged", at)


def test_a_partial_clone_is_not_completed(tmp_path: Path) -> None:
    story = Story(tmp_path / "repository")
    story.two()
    story.edited("main", 5, "near")
    at = story.squash("b")
    upstream = tmp_path / "repository"
    git(upstream, "config", "uploadpack.allowFilter", "true")
    options = ("-q", "--bare", "--filter=blob:none")
    git(tmp_path, "clone", *options, f"file://{upstream}", "partial.git")
    clone = Repository(tmp_path / "partial.git", None)
    before = sorted(clone.common_dir.rglob("*"))
    work = Work(story.heads["b"], story.base)
    [proof] = Prover(clone, [Target("refs/heads/main", at)], tmp_path / "cache").prove([work])
    missing = "it needs objects that are not here: git fetch --refetch --no-filter origin"
    assert said(proof) == ("unknown", missing)
    assert sorted(clone.common_dir.rglob("*")) == before


def long_line(folder: Path, branch: str, begin: str, count: int) -> None:
    """So many commits on top of another, which change nothing."""
    stream = "".join(
        f"commit refs/heads/{branch}\ncommitter T <t@example.org> {1_700_100_000 + number} +0000\n"
        f"data 1\n.\n{f'from {begin}' if number == 0 else ''}\n"
        for number in range(count)
    )
    command = ["git", "fast-import", "--quiet", "--force"]
    subprocess.run(command, cwd=folder, input=stream.encode(), check=True)


def test_a_huge_history_of_the_target(story: Story, tmp_path: Path) -> None:
    """What was merged before the newest 5,000 commits is found where it still is."""
    _, tip = story.two()
    at = story.squash("b")
    long_line(story.folder, "main", at, 5_001)
    story.branch("main", git(story.folder, "rev-parse", "main"))
    fresh = Work(story.base, None, created_only=True)
    asked = (Work(tip, story.base), fresh)
    merged, unbegun = story.prove(tmp_path / "cache", *asked)
    at = story.heads["main"][:7]
    assert said(merged) == ("merged", f"merging adds nothing to main at {at}")
    assert unbegun.verdict.kind == "no-commits"
    assert (merged.ahead, merged.behind) == (2, 5_002)


def test_a_huge_history_of_the_branch_is_only_counted(story: Story, tmp_path: Path) -> None:
    long_line(story.folder, "b", story.base, 2_001)
    work = Work(git(story.folder, "rev-parse", "b"), story.base)
    [proof] = story.prove(tmp_path / "cache", work)
    assert said(proof) == ("unmerged", "2001 commits not in main, too many to look at")


def test_names_that_are_not_utf8(repository: Path, tmp_path: Path) -> None:
    git(repository, "checkout", "-q", "-b", "b")
    for name in (b"\xff\n\x01commit", b"commit x"):
        Path(os.fsdecode(os.fsencode(repository) + b"/" + name)).write_text("strange\n")
        git(repository, "add", ".")
        git(repository, "commit", "-q", "-m", "Strange")
    git(repository, "checkout", "-q", "main")
    git(repository, "merge", "-q", "--squash", "b")
    git(repository, "commit", "-q", "-m", "Squash")
    found = open_repository(repository)
    work = Work(found.resolve("b"))
    [proof] = Prover(found, found.targets(), tmp_path / "cache").prove([work])
    assert proof.verdict.evidence.endswith("(squash)")


def test_settings_and_attributes_of_the_person_do_not_count(
    story: Story, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A union driver would keep main's line, a renormalising merge would drop carriage returns."""
    home = tmp_path / "home"
    home.mkdir()
    (home / "attributes").write_text("* merge=union text=auto\n")
    (home / ".gitconfig").write_text(
        f"[core]\n\tattributesFile = {home}/attributes\n[merge]\n\trenormalize = true\n"
    )
    monkeypatch.setenv("HOME", str(home))
    (story.folder / ".git/info").mkdir(exist_ok=True)
    (story.folder / ".git/info/attributes").write_text("* merge=union\n")
    story.write("b", "g", "g\n" * 3)
    story.commit("b")
    story.write("main", "g", "G\n" * 5)
    story.commit("main")
    assert story.prove(tmp_path / "cache")[0].verdict.kind == "unmerged"
