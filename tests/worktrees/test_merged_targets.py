"""Which branches the work is judged against, and what is said of each."""

from __future__ import annotations

from pathlib import Path

import pytest

from ctui.errors import NotFound
from ctui.git.repository.repository import Target, open_repository
from ctui.worktrees.model import Verdict, Work
from ctui.worktrees.proof.prover import Prover
from tests.conftest import git
from tests.worktrees.story import Story, said


@pytest.fixture
def story(tmp_path: Path) -> Story:
    return Story(tmp_path / "repository")


def prove(story: Story, cache: Path, work: Work, **targets: str) -> Verdict:
    """Against branches of the story, by the refs they stand for."""
    found = [Target(f"refs/{ref.replace('__', '/')}", at) for ref, at in targets.items()]
    return Prover(story.repository(), found, cache).prove([work])[0].verdict


def test_merged_only_here_is_not_pushed(story: Story, tmp_path: Path) -> None:
    story.two()
    remote = story.moved()
    at = story.squash("b")
    work = Work(story.heads["b"], story.base)
    refs = {"heads__main": at, "remotes__origin__main": remote}
    verdict = prove(story, tmp_path / "cache", work, **refs)
    assert verdict == Verdict(
        "merged", f"every change is in main since {at[:7]} (squash), not pushed", at
    )
    refs["remotes__origin__main"] = at
    story.edited("main", 30, "more")
    refs["heads__main"] = story.heads["main"]
    verdict = prove(story, tmp_path / "cache", work, **refs)
    assert verdict.evidence == f"every change is in origin/main since {at[:7]} (squash)"


def test_where_both_went_on_either_proves(story: Story, tmp_path: Path) -> None:
    story.two()
    work = Work(story.heads["b"], story.base)
    story.branch("theirs", "main")
    remote = story.edited("theirs", 30, "theirs")
    at = story.squash("b")
    refs = {"remotes__origin__main": remote, "heads__main": at}
    verdict = prove(story, tmp_path / "cache", work, **refs)
    assert verdict.evidence == f"every change is in main since {at[:7]} (squash), not pushed"
    at = story.squash("b", "theirs")
    refs = {"remotes__origin__main": at, "heads__main": story.base}
    verdict = prove(story, tmp_path / "cache", work, **refs)
    assert verdict.evidence == f"every change is in origin/main since {at[:7]} (squash)"


def test_a_force_pushed_target_is_judged_again(story: Story, tmp_path: Path) -> None:
    story.two()
    story.squash("b")
    story.edited("main", 3, "rewritten")
    assert story.prove(tmp_path / "cache")[0].verdict.kind == "history"
    story.branch("main", story.base)
    story.edited("main", 15, "another line")
    [proof] = story.prove(tmp_path / "cache")
    assert said(proof) == ("unmerged", "2 commits not in main")


def test_a_target_s_name_is_shown_without_control_characters(story: Story, tmp_path: Path) -> None:
    work = Work(story.two()[1], story.base)
    target = Target("refs/heads/a\x1b]0;x\x07\u202eb", story.heads["main"])
    [proof] = Prover(story.repository(), [target], tmp_path / "cache").prove([work])
    assert proof.verdict.evidence == "2 commits not in a\ufffdb"


def clone_with(folder: Path, name: str, default: str) -> Path:
    """A clone of a repository whose default branch has that name, by a remote of that name."""
    upstream = folder / "upstream"
    upstream.mkdir()
    git(upstream, "init", "-q", "-b", default)
    git(upstream, "commit", "-q", "--allow-empty", "-m", "Begin")
    git(folder, "clone", "-q", "-o", name, str(upstream), "clone")
    return folder / "clone"


@pytest.mark.parametrize("remote", ["origin", "company/main"])
def test_the_remote_says_what_its_default_branch_is(tmp_path: Path, remote: str) -> None:
    clone = clone_with(tmp_path, remote, "release-line")
    git(clone, "checkout", "-q", "-b", "mine")
    git(clone, "branch", "-q", "-D", "release-line")
    [target] = open_repository(clone).targets()
    assert target.ref == f"refs/remotes/{remote}/release-line"


def test_of_two_remotes_the_one_counts_that_the_default_branch_follows(tmp_path: Path) -> None:
    clone = clone_with(tmp_path, "company", "main")
    git(clone, "remote", "add", "fork", str(tmp_path / "upstream"))
    git(clone, "fetch", "-q", "fork")
    assert open_repository(clone).targets()[0].ref == "refs/remotes/company/main"
    git(clone, "remote", "add", "origin", str(tmp_path / "upstream"))
    git(clone, "fetch", "-q", "origin")
    assert open_repository(clone).targets()[0].ref == "refs/remotes/company/main"
    git(clone, "branch", "--unset-upstream", "main")
    assert open_repository(clone).targets()[0].ref == "refs/remotes/origin/main"


def fork(folder: Path, *, merge: str = "main") -> Path:
    """A clone of a fork, whose main follows the project."""
    clone = clone_with(folder, "origin", "main")
    project = folder / "project"
    git(folder, "clone", "-q", str(folder / "upstream"), str(project))
    git(project, "checkout", "-q", "-B", merge)
    git(project, "commit", "-q", "--allow-empty", "-m", "The project moves on")
    git(clone, "remote", "add", "upstream", str(project))
    git(clone, "fetch", "-q", "upstream")
    git(clone, "branch", "-q", f"--set-upstream-to=upstream/{merge}", "main")
    return clone


def test_a_fork_is_judged_against_the_project(tmp_path: Path) -> None:
    """G12: the upstream of the default branch decides, and not the name origin."""
    clone = fork(tmp_path)
    found = open_repository(clone)
    assert [target.ref for target in found.targets()] == ["refs/remotes/upstream/main"]
    assert (found.remote(), found.default_branch()) == ("upstream", "main")
    git(clone, "commit", "-q", "--allow-empty", "-m", "Mine")
    refs = [target.ref for target in open_repository(clone).targets()]
    assert refs == ["refs/remotes/upstream/main", "refs/heads/main"]


def test_the_project_s_branch_can_have_another_name(tmp_path: Path) -> None:
    """G12: main that follows upstream/trunk is judged against that, and lands in main."""
    clone = fork(tmp_path, merge="trunk")
    found = open_repository(clone)
    assert found.targets()[0].ref == "refs/remotes/upstream/trunk"
    assert found.default_branch() == "main"
    git(clone, "remote", "set-head", "upstream", "trunk")
    found = open_repository(clone)
    assert [target.ref for target in found.targets()] == ["refs/remotes/upstream/trunk"]
    git(clone, "merge", "-q", "--ff-only", "upstream/trunk")
    git(clone, "commit", "-q", "--allow-empty", "-m", "Mine")
    refs = [target.ref for target in open_repository(clone).targets()]
    assert refs == ["refs/heads/main", "refs/remotes/upstream/trunk"]


def test_a_person_chooses_the_target(tmp_path: Path) -> None:
    """G12: by a local branch, which stands for what it follows too, or by a remote's."""
    clone = fork(tmp_path)
    git(clone, "branch", "-q", "develop", "origin/main")
    found = open_repository(clone)
    found.judge_against("develop")
    assert [target.ref for target in found.targets()] == ["refs/remotes/origin/main"]
    assert found.default_branch() == "develop"
    git(clone, "branch", "-q", "--unset-upstream", "develop")
    assert [target.ref for target in found.targets()] == ["refs/heads/develop"]
    found.judge_against("origin/main")
    assert [target.ref for target in found.targets()] == ["refs/remotes/origin/main"]
    assert found.default_branch() == "main"
    found.judge_against("nothing", must_exist=False)
    assert found.targets()[0].ref == "refs/remotes/upstream/main"
    with pytest.raises(NotFound, match="'nothing' to judge against"):
        found.judge_against("nothing")
    assert {"develop", "main"} >= {*found.own_branches()}


def test_a_remote_that_is_gone_decides_nothing(tmp_path: Path) -> None:
    """G12: a configuration that names a remote which was removed is passed over."""
    clone = fork(tmp_path)
    git(clone, "config", "branch.main.remote", "away")
    assert open_repository(clone).targets()[0].ref == "refs/remotes/origin/main"


def test_a_remote_default_that_is_gone_does_not_count(tmp_path: Path) -> None:
    clone = clone_with(tmp_path, "origin", "main")
    git(clone, "update-ref", "-d", "refs/remotes/origin/main")
    assert open_repository(clone).targets()[0].ref == "refs/heads/main"


def test_the_one_that_contains_the_other_comes_first(tmp_path: Path) -> None:
    clone = clone_with(tmp_path, "origin", "main")
    assert [target.ref for target in open_repository(clone).targets()] == [
        "refs/remotes/origin/main"
    ]
    git(clone, "commit", "-q", "--allow-empty", "-m", "Mine")
    both = ["refs/heads/main", "refs/remotes/origin/main"]
    assert [target.ref for target in open_repository(clone).targets()] == both
    git(tmp_path / "upstream", "commit", "-q", "--allow-empty", "-m", "Theirs")
    git(clone, "fetch", "-q")
    assert [target.ref for target in open_repository(clone).targets()] == both[::-1]
    git(clone, "reset", "-q", "--hard", "HEAD~")
    assert [target.ref for target in open_repository(clone).targets()] == both[1:]


def test_a_branch_that_is_another_ones_name_stands_for_it(repository: Path) -> None:
    git(repository, "branch", "-m", "main", "trunk")
    git(repository, "symbolic-ref", "refs/heads/main", "refs/heads/trunk")
    found = open_repository(repository)
    assert (found.default_branch(), found.targets()[0].ref) == ("trunk", "refs/heads/trunk")


def test_without_any_default_no_branch_is_taken_for_it(repository: Path) -> None:
    git(repository, "branch", "None")
    git(repository, "checkout", "-q", "--detach")
    git(repository, "branch", "-D", "-q", "main")
    assert open_repository(repository).targets()[0].ref == "HEAD"
