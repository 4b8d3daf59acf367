"""Worktrees of branches that are there: local ones, a remote's, and those of requests.

`gh` and `glab` need an account and the network, so scripts stand in for them on the path: real
processes, which note how they were called and answer as those programs do.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from ctui.client.worktrees.worktrees import discard, make_worktree, wanted_branch
from ctui.git.repository.repository import open_repository
from ctui.paths import Paths
from ctui.worktrees.existing_branch import began_at
from tests.cli.test_bad_input import ctui, refused
from tests.cli.test_worktree import listed, said
from tests.conftest import git


@pytest.fixture
def remote(repository: Path, tmp_path: Path) -> Path:
    """A bare repository that is the origin of the repository."""
    path = tmp_path / "remote.git"
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(path)], check=True)
    git(repository, "remote", "add", "origin", str(path))
    git(repository, "push", "-q", "origin", "main")
    git(repository, "fetch", "-q", "origin")
    return path


def program(folder: Path, name: str, answer: object, *, code: int = 0) -> Path:
    """Write a program that answers in JSON; return the file with the arguments it got."""
    folder.mkdir(exist_ok=True)
    seen = folder / f"{name}.arguments"
    (folder / f"{name}.answer").write_text(json.dumps(answer))
    script = folder / name
    script.write_text(
        f'#!/bin/sh\nprintf "%s\\n" "$@" > {seen}\ncat {folder}/{name}.answer\nexit {code}\n'
    )
    script.chmod(0o755)
    return seen


def with_programs(folder: Path) -> str:
    return f"{folder}:{os.environ['PATH']}"


def committed(repository: Path, branch: str, name: str) -> str:
    """Make a branch with a commit of its own, without checking it out; return the commit."""
    tree = git(repository, "rev-parse", "HEAD^{tree}")
    commit = git(repository, "commit-tree", tree, "-p", "HEAD", "-m", name)
    git(repository, "update-ref", f"refs/heads/{branch}", commit)
    return commit


def test_a_local_branch_is_checked_out(repository: Path) -> None:
    """S8: `create api` is the branch api that is there, and not a new one from HEAD."""
    commit = committed(repository, "api", "Work on api")
    done = ctui(repository, "worktree", "create", "api", "--json")
    assert "the branch api is checked out" in done.stderr
    made = json.loads(done.stdout)
    assert (made["name"], made["branch"], made["base"]) == ("api", "api", None)
    assert git(Path(made["path"]), "rev-parse", "HEAD") == commit
    assert "ctui/api" not in git(repository, "branch", "--list", "ctui/*")
    assert listed(repository)["api"]["evidence"] == "its commit changes nothing"


def test_a_new_branch_is_made_when_asked(repository: Path) -> None:
    """S8: `--new`, and `--base`, which says where a new one begins."""
    committed(repository, "api", "Work on api")
    made = said(repository, "worktree", "create", "api", "--new")
    assert (made["branch"], made["base"]) == ("ctui/api", git(repository, "rev-parse", "main"))
    committed(repository, "web", "Work on web")
    made = said(repository, "worktree", "create", "web", "--base=api")
    assert (made["branch"], made["base"]) == ("ctui/web", git(repository, "rev-parse", "api"))


def test_a_remote_s_branch_is_followed(repository: Path, remote: Path) -> None:
    """S8: as `git worktree add` guesses, also for a name with slashes and for `origin/NAME`."""
    for number, branch in enumerate(("topic/one", "two")):
        commit = committed(repository, branch, "Work")
        git(repository, "push", "-q", "origin", branch)
        git(repository, "branch", "-q", "-D", branch)
        made = said(repository, "worktree", "create", branch if number == 0 else f"origin/{branch}")
        assert made["branch"] == branch
        assert made["name"] == branch.replace("/", "-")
        assert git(repository, "rev-parse", branch) == commit
        assert git(repository, "rev-parse", "--abbrev-ref", f"{branch}@{{u}}") == f"origin/{branch}"
    assert git(remote, "branch", "--list").count("\n") == 2


def test_of_two_remotes_one_has_to_be_named(repository: Path, remote: Path) -> None:
    """S8: what is ambiguous is not guessed."""
    committed(repository, "topic", "Work")
    git(repository, "remote", "add", "fork", str(remote))
    git(repository, "push", "-q", "origin", "topic")
    git(repository, "fetch", "-q", "fork")
    git(repository, "branch", "-q", "-D", "topic")
    assert "name one of fork/topic, origin/topic" in refused(
        repository, "worktree", "create", "topic"
    )
    git(repository, "config", "checkout.defaultRemote", "fork")
    said(repository, "worktree", "create", "topic")
    assert git(repository, "rev-parse", "--abbrev-ref", "topic@{u}") == "fork/topic"


def test_two_worktrees_cannot_have_one_branch(repository: Path) -> None:
    """S8: it is said where the branch is checked out, and nothing is left of the attempt."""
    committed(repository, "api", "Work on api")
    path = said(repository, "worktree", "create", "api")["path"]
    before = git(repository, "worktree", "list")
    assert f"the branch api is checked out in {path}" in refused(
        repository, "worktree", "create", "api"
    )
    assert f"checked out in {repository}" in refused(repository, "worktree", "create", "main")
    assert git(repository, "worktree", "list") == before
    assert [item.name for item in Path(path).parent.iterdir()] == ["api"]


def test_a_branch_of_an_earlier_worktree_is_offered(repository: Path) -> None:
    """S8: the name of a removed worktree is taken by its branch, which can be had again."""
    said(repository, "worktree", "create", "api")
    said(repository, "worktree", "remove", "api", "--keep-branch")
    assert "ctui worktree create ctui/api" in refused(repository, "worktree", "create", "api")
    made = said(repository, "worktree", "create", "ctui/api")
    assert (made["name"], made["branch"]) == ("api", "ctui/api")


async def test_a_worktree_that_is_discarded_leaves_a_branch_that_was_there(
    repository: Path, paths: Paths
) -> None:
    """S8: a start that fails undoes what it made, and never deletes somebody's branch."""
    commit = committed(repository, "api", "Work on api")
    found = open_repository(repository)
    existing = await wanted_branch(found, "api")
    record = await make_worktree(paths, found, prefix="ctui/", name="api", existing=existing)
    await discard(paths, found, record)
    assert not Path(record.path).exists()
    assert git(repository, "rev-parse", "api") == commit


@pytest.mark.usefixtures("remote")
def test_a_pull_request_s_branch_is_fetched(repository: Path, tmp_path: Path) -> None:
    """S8: `pr:7` is a branch's name, everywhere; `--from-pr` is the same."""
    commit = committed(repository, "feature", "A feature")
    git(repository, "push", "-q", "origin", "feature")
    git(repository, "branch", "-q", "-D", "feature")
    git(repository, "update-ref", "-d", "refs/remotes/origin/feature")
    bin_ = tmp_path / "bin"
    seen = program(bin_, "gh", {"headRefName": "feature", "isCrossRepository": False})
    made = said(repository, "worktree", "create", "pr:7", PATH=with_programs(bin_))
    assert (made["name"], made["branch"]) == ("feature", "feature")
    assert git(Path(made["path"]), "rev-parse", "HEAD") == commit
    assert seen.read_text().splitlines()[:3] == ["pr", "view", "7"]
    assert git(repository, "rev-parse", "--abbrev-ref", "feature@{u}") == "origin/feature"
    line = refused(repository, "worktree", "create", "--from-pr=7", PATH=with_programs(bin_))
    assert f"the branch feature is checked out in {made['path']}" in line
    for command in (["diff"], ["open", "--command=true"]):
        name, *options = command
        done = ctui(repository, "worktree", name, "pr:7", *options, PATH=with_programs(bin_))
        assert done.returncode == 0, done.stderr
    new = said(repository, "worktree", "create", "mine", "--base=pr:7", PATH=with_programs(bin_))
    assert (new["branch"], new["base"]) == ("ctui/mine", commit)
    (gone,) = said(repository, "worktree", "remove", "pr:7", "--force", PATH=with_programs(bin_))[
        "removed"
    ]
    assert gone["name"] == "feature"


@pytest.mark.usefixtures("remote")
def test_a_request_from_a_fork_is_no_branch_of_ours(repository: Path, tmp_path: Path) -> None:
    """S8: a fork's `main` does not become, or move, the person's own."""
    commit = committed(repository, "theirs", "From a fork")
    git(repository, "push", "-q", "origin", "theirs:refs/pull/8/head")
    git(repository, "push", "-q", "origin", "theirs:refs/merge-requests/9/head")
    git(repository, "branch", "-q", "-D", "theirs")
    bin_ = tmp_path / "bin"
    program(bin_, "gh", {"headRefName": "main", "isCrossRepository": True})
    program(
        bin_,
        "glab",
        {"source_branch": "main", "source_project_id": 1, "target_project_id": 2},
    )
    before = git(repository, "rev-parse", "main")
    for name, branch in (("pr:8", "pr-8"), ("mr:9", "mr-9")):
        made = said(repository, "worktree", "create", name, PATH=with_programs(bin_))
        assert made["branch"] == branch
        assert git(Path(made["path"]), "rev-parse", "HEAD") == commit
    assert git(repository, "rev-parse", "main") == before
    assert git(repository, "config", "branch.pr-8.merge") == "refs/pull/8/head"


@pytest.mark.usefixtures("remote")
def test_a_stranger_s_files_run_no_filter_and_are_not_what_a_task_trusts(
    repository: Path, tmp_path: Path
) -> None:
    """S8: who opens a pull request chooses which of the person's programs sees its files."""
    seen = tmp_path / "filter-ran"
    git(repository, "config", "filter.mine.smudge", f"touch {seen}; cat")
    main = git(repository, "rev-parse", "main")
    git(repository, "checkout", "-q", "-b", "theirs")
    (repository / ".gitattributes").write_text("hello.txt filter=mine\n")
    git(repository, "add", ".")
    git(repository, "commit", "-q", "-m", "From a fork")
    git(repository, "push", "-q", "origin", "theirs:refs/pull/8/head")
    git(repository, "checkout", "-q", "main")
    git(repository, "branch", "-q", "-D", "theirs")
    seen.unlink(missing_ok=True)
    bin_ = tmp_path / "bin"
    program(bin_, "gh", {"headRefName": "theirs", "isCrossRepository": True})
    made = said(repository, "worktree", "create", "pr:8", PATH=with_programs(bin_))
    assert made["branch"] == "theirs"
    assert (Path(made["path"]) / ".gitattributes").is_file()
    assert not seen.exists()
    found = open_repository(repository)
    assert began_at(found, "theirs") == main
    assert began_at(found, "main") is None


@pytest.mark.usefixtures("remote")
def test_a_branch_that_is_behind_its_request_follows(repository: Path, tmp_path: Path) -> None:
    """S8: what was fetched before is not old for ever; what has commits of its own stays."""
    old = committed(repository, "feature", "A feature")
    tree = git(repository, "rev-parse", "HEAD^{tree}")
    new = git(repository, "commit-tree", tree, "-p", old, "-m", "More")
    git(repository, "push", "-q", "origin", f"{new}:refs/heads/feature")
    bin_ = tmp_path / "bin"
    program(bin_, "gh", {"headRefName": "feature"})
    path = Path(said(repository, "worktree", "create", "pr:7", PATH=with_programs(bin_))["path"])
    assert git(path, "rev-parse", "HEAD") == new


@pytest.mark.usefixtures("remote")
def test_without_gh_one_line_says_how(repository: Path, tmp_path: Path) -> None:
    """S8: no traceback, and the way without the program."""
    git_only = tmp_path / "git-only"
    git_only.mkdir()
    for name in ("git", "sh"):
        (git_only / name).symlink_to(f"/usr/bin/{name}")
    line = refused(repository, "worktree", "create", "pr:7", PATH=str(git_only))
    assert "gh is not installed" in line
    assert "git fetch origin refs/pull/7/head:pr-7" in line
    line = refused(repository, "worktree", "create", "mr:7", PATH=str(git_only))
    assert "glab is not installed" in line
    assert "no request" in refused(repository, "worktree", "create", "pr:x")


@pytest.mark.usefixtures("remote")
@pytest.mark.parametrize("answer", ["--upload-pack=x", "a..b", "", None, 3])
def test_what_a_host_answers_is_not_believed(
    repository: Path, tmp_path: Path, answer: object
) -> None:
    """S8: a branch's name of somebody else becomes no option, and no path."""
    bin_ = tmp_path / "bin"
    program(bin_, "gh", {"headRefName": answer})
    before = git(repository, "for-each-ref")
    refused(repository, "worktree", "create", "pr:7", PATH=with_programs(bin_))
    assert git(repository, "for-each-ref") == before


@pytest.mark.usefixtures("remote")
@pytest.mark.parametrize("there", ["origin/main", "HEAD", "refs/heads/main", "{commit}"])
def test_a_fork_s_branch_hides_nothing_of_ours(
    repository: Path, tmp_path: Path, there: str
) -> None:
    """S8: `git rebase origin/main` would take a local branch of that name."""
    committed(repository, "theirs", "From a fork")
    git(repository, "push", "-q", "origin", "theirs:refs/pull/8/head")
    git(repository, "branch", "-q", "-D", "theirs")
    bin_ = tmp_path / "bin"
    there = there.format(commit=git(repository, "rev-parse", "--short", "main"))
    program(bin_, "gh", {"headRefName": there, "isCrossRepository": True})
    before = git(repository, "rev-parse", "origin/main", "HEAD", "main")
    made = said(repository, "worktree", "create", "pr:8", PATH=with_programs(bin_))
    assert made["branch"] == "pr-8"
    assert git(repository, "rev-parse", "origin/main", "HEAD", "main") == before
