"""Work that no branch and no `git status` shows keeps a worktree from being called safe."""

from __future__ import annotations

from pathlib import Path

import pytest

from ctui.worktrees.create import create_worktree
from ctui.worktrees.model import WorktreeStatus
from tests.conftest import git
from tests.worktrees.conftest import Place
from tests.worktrees.looking import worktree_status


def commit(place: Place, name: str) -> str:
    (place.path / name).write_text(f"{name}\n")
    place.git("add", name)
    place.git("commit", "-q", "-m", f"Add {name}")
    return place.git("rev-parse", "HEAD")


def said(status: WorktreeStatus) -> tuple[str, str]:
    return status.status, status.evidence


async def test_commits_that_a_detached_head_left_count_until_a_branch_has_them(
    place: Place,
) -> None:
    place.git("checkout", "-q", "--detach")
    left = commit(place, "left")
    place.git("checkout", "-q", str(place.record.branch))
    assert said(await place.look()) == (
        "unclean",
        f"its commit {left[:7]} is not in main",
    )
    git(place.folder, "branch", "saved", left)
    assert (await place.look()).status == "clean"


async def test_of_a_reflog_without_end_the_newest_part_counts(place: Place) -> None:
    place.git("checkout", "-q", "--detach")
    left = commit(place, "left")
    place.git("checkout", "-q", str(place.record.branch))
    log = place.metadata / "logs" / "HEAD"
    newest = log.read_bytes()
    log.write_bytes(newest.splitlines(keepends=True)[0] * 50_000 + newest)
    assert log.stat().st_size > 1 << 22
    assert (await place.look()).evidence == f"its commit {left[:7]} is not in main"


async def test_what_was_only_looked_at_does_not_count(place: Place) -> None:
    first = place.git("rev-list", "--max-parents=0", "HEAD")
    place.git("checkout", "-q", "--detach", first)
    place.git("checkout", "-q", str(place.record.branch))
    place.git("commit", "-q", "--amend", "--allow-empty", "-m", "Amended")
    place.git("reset", "-q", "--hard", "HEAD@{1}")
    assert (await place.look()).status == "clean"


async def test_refs_of_the_worktree_alone_count(place: Place) -> None:
    place.git("checkout", "-q", "--detach")
    kept = commit(place, "kept")
    place.git("update-ref", "refs/worktree/mine", kept)
    place.git("reset", "-q", "--hard", "HEAD^")
    assert said(await place.look()) == ("unclean", "its ref mine is not in main")


@pytest.mark.parametrize("rewritten", ["reset", "deleted"])
async def test_a_beginning_that_nobody_else_has_any_more_is_its_own_work(
    place: Place, rewritten: str
) -> None:
    git(place.folder, "checkout", "-q", "-b", "feature")
    git(place.folder, "commit", "-q", "--allow-empty", "-m", "Nothing yet")
    (place.folder / "feature").write_text("x\n")
    git(place.folder, "add", "feature")
    git(place.folder, "commit", "-q", "-m", "Feature")
    record = await create_worktree(
        place.repository, place.path.parent, name="later", base="feature"
    )
    fresh = await worktree_status(place.repository, record)
    assert said(fresh) == ("clean", "nothing was committed yet")
    if rewritten == "reset":
        git(place.folder, "reset", "-q", "--hard", "main")
    else:
        git(place.folder, "checkout", "-q", "main")
        git(place.folder, "branch", "-q", "-D", "feature")
    alone = await worktree_status(place.repository, record)
    assert said(alone) == ("unclean", "2 commits not in main")


async def test_in_the_middle_of_a_rebase_nothing_is_safe(place: Place) -> None:
    commit(place, "work")
    git(place.folder, "commit", "-q", "--allow-empty", "-m", "Main moves")
    place.git("-c", "sequence.editor=sed -i 1ibreak", "rebase", "-q", "-i", "main")
    status = await place.look()
    assert (status.state, status.branch) == ("rebase", None)
    assert said(status) == ("unclean", "it is in the middle of a rebase")


@pytest.mark.parametrize("flag", ["--assume-unchanged", "--skip-worktree"])
@pytest.mark.parametrize("kind", ["--index-version=2", "--index-version=4", "--split-index"])
async def test_changes_that_git_was_told_not_to_see_are_seen(
    place: Place, flag: str, kind: str
) -> None:
    place.git("update-index", flag, "hello.txt")
    place.git("update-index", *kind.split("="))
    assert (await place.look()).status == "clean"
    (place.path / "hello.txt").write_text("only here\n")
    assert place.git("status", "--porcelain") == ""
    status = await place.look()
    assert (status.status, status.changes and status.changes.modified) == ("unclean", 1)
    assert place.git("ls-files", "-v", "hello.txt").startswith(("h", "S"))


async def test_what_a_sparse_checkout_leaves_out_is_no_change(place: Place) -> None:
    for folder in ("in", "out"):
        (place.path / folder).mkdir()
        commit(place, f"{folder}/file")
    git(place.folder, "merge", "-q", str(place.record.branch))
    place.git("sparse-checkout", "set", "in")
    assert not (place.path / "out").exists()
    assert (await place.look()).status == "merged"
    (place.path / "out").mkdir()
    (place.path / "out" / "file").write_text("only here\n")
    assert (await place.look()).status == "unclean"


async def test_a_checkout_on_a_detached_head_is_judged_against_the_branch_it_left(
    place: Place,
) -> None:
    git(place.folder, "branch", "-m", "main", "prod")
    commit(place, "work")
    git(place.folder, "checkout", "-q", "--detach", str(place.record.branch))
    assert [target.ref for target in place.repository.targets()] == ["refs/heads/prod"]
    assert said(await place.look()) == ("unclean", "1 commit not in prod")


async def test_a_local_upstream_is_no_remote(place: Place) -> None:
    commit(place, "work")
    place.git("branch", "-q", "--set-upstream-to", str(place.record.branch))
    assert said(await place.look()) == ("unclean", "1 commit not in main")


async def test_a_submodule_that_left_the_index_still_has_its_commits(
    place: Place, tmp_path: Path
) -> None:
    git(tmp_path, "init", "-q", "inner")
    git(tmp_path / "inner", "commit", "-q", "--allow-empty", "-m", "Inner")
    allowed = ("-c", "protocol.file.allow=always")
    place.git(*allowed, "submodule", "--quiet", "add", str(tmp_path / "inner"), "sub")
    place.git("reset", "-q", "--hard")
    assert (await place.look()).problem == "submodules-unchecked"
