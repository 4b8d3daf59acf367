"""Committing what a task left uncommitted."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from ctui.errors import Conflict, InvalidInput, Refused
from ctui.worktrees.landing.checkouts import linked_checkout
from ctui.worktrees.landing.commit import commit_all
from tests.conftest import git
from tests.worktrees.landing import Place, leftovers, make_place, raw_git, snapshot


@pytest.fixture
async def place(repository: Path, tmp_path: Path) -> Place:
    return await make_place(repository, tmp_path)


def status(place: Place) -> str:
    return git(place.path, "status", "--porcelain")


async def test_everything_but_what_is_ignored_is_committed(place: Place) -> None:
    for name in ("gone", "staged", "kept"):
        place.work(name, name)
    (place.path / ".gitignore").write_text("*.log\n")
    (place.path / "hello.txt").write_text("changed\n")
    (place.path / "gone").unlink()
    (place.path / "staged").write_text("staged")
    git(place.path, "add", "staged")
    (place.path / "staged").write_text("staged, then changed")
    (place.path / "new").mkdir()
    (place.path / "new" / "file").write_text("new")
    (place.path / "new" / "run").write_text("#!/bin/sh\n")
    (place.path / "new" / "run").chmod(0o755)
    (place.path / "new" / "link").symlink_to("/etc/passwd")
    (place.path / "debug.log").write_text("ignored")
    before = place.oid("ctui/work")
    made = await commit_all(place.worktree, "Change it all\n\nWith a reason.")
    assert made is not None
    assert (made.branch, made.before, made.after) == ("ctui/work", before, place.oid("ctui/work"))
    assert git(place.path, "diff", "--name-status", before, "HEAD").splitlines() == [
        "A\t.gitignore",
        "D\tgone",
        "M\thello.txt",
        "A\tnew/file",
        "A\tnew/link",
        "A\tnew/run",
        "M\tstaged",
    ]
    assert git(place.path, "show", "HEAD:staged") == "staged, then changed"
    assert git(place.path, "show", "HEAD:new/link") == "/etc/passwd"
    assert "100755" in git(place.path, "ls-tree", "HEAD", "new/run")
    assert status(place) == ""
    assert git(place.path, "log", "-1", "--format=%an %ae %cn %ce|%B").startswith(
        "The Person person@example.org The Person person@example.org|Change it all\n\nWith"
    )
    assert "Change it all" in git(place.path, "log", "-1", "-g", "--format=%gs")
    assert leftovers(place) == []


async def test_the_tree_is_the_one_that_git_would_have_made(place: Place, tmp_path: Path) -> None:
    (place.path / ".gitattributes").write_text("*.txt text eol=lf\n")
    (place.path / "hello.txt").write_bytes(b"one\r\ntwo\r\n")
    (place.path / "folder").mkdir()
    (place.path / "folder" / "a").write_text("a")
    shutil.copytree(place.path, tmp_path / "twin", ignore=shutil.ignore_patterns(".git"))
    git(tmp_path, "init", "-q", "twin")
    git(tmp_path / "twin", "add", "-A")
    await commit_all(place.worktree, "Commit")
    assert git(tmp_path / "twin", "write-tree") == place.oid("ctui/work^{tree}")


async def test_any_name_works(place: Place) -> None:
    folder = os.fsencode(place.path)
    names = [b"new\nline", b"not utf-8 \xff\xfe", b"-rf", b":(top)x", b'tab\t"quote"', b" "]
    for name in names:
        Path(os.fsdecode(folder + b"/" + name)).write_text("x")
    made = await commit_all(place.worktree, "Names")
    assert made is not None
    assert sorted(made.paths) == sorted(names)
    listed = raw_git(place.path, "ls-tree", "-z", "--name-only", "HEAD").split(b"\0")
    assert set(names) <= set(listed)
    assert status(place) == ""


async def test_a_file_may_become_a_folder_and_back(place: Place) -> None:
    place.work("a", "file")
    place.work("b/c", "folder")
    (place.path / "a").unlink()
    (place.path / "a").mkdir()
    (place.path / "a" / "inside").write_text("x")
    (place.path / "b" / "c").unlink()
    (place.path / "b").rmdir()
    (place.path / "b").write_text("file now")
    assert await commit_all(place.worktree, "Swap")
    assert git(place.path, "ls-tree", "-r", "--name-only", "HEAD").splitlines() == [
        "a/inside",
        "b",
        "hello.txt",
    ]
    assert status(place) == ""


async def test_nothing_to_commit_is_none(place: Place) -> None:
    before = snapshot(place.path)
    assert await commit_all(place.worktree, "Nothing") is None
    assert snapshot(place.path) == before
    assert leftovers(place) == []


async def test_no_hook_filter_editor_or_signing_program_runs(place: Place, tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\ntouch {tmp_path}/executed\ncat\n")
    program.chmod(0o755)
    hooks = place.repository.common_dir / "hooks"
    hooks.mkdir(exist_ok=True)
    for name in ("pre-commit", "commit-msg", "post-commit", "reference-transaction"):
        (hooks / name).symlink_to(program)
    for key in ("core.editor", "gpg.program", "filter.evil.clean", "core.fsmonitor"):
        git(place.main, "config", key, str(program))
    git(place.main, "config", "commit.gpgSign", "true")
    (place.path / "new").write_text("x")
    with pytest.raises(Refused, match="set in the repository's own configuration"):
        await commit_all(place.worktree, "New")
    assert not (tmp_path / "executed").exists()
    git(place.main, "config", "commit.gpgSign", "false")
    assert await commit_all(place.worktree, "New")
    (place.path / ".gitattributes").write_text("new filter=evil\n")
    (place.path / "new").write_text("y")
    with pytest.raises(Refused, match="new"):
        await commit_all(place.worktree, "Filtered")
    assert not (tmp_path / "executed").exists()


async def test_paths_with_a_filter_attribute_are_refused(place: Place) -> None:
    place.work("big.bin", "1")
    place.work("gone.bin", "1")
    (place.path / ".gitattributes").write_text("*.bin filter=lfs\nother.bin -filter\n")
    (place.path / "big.bin").write_text("2")
    (place.path / "gone.bin").unlink()
    (place.path / "other.bin").write_text("3")
    before = snapshot(place.path)
    with pytest.raises(Refused, match=r"to big\.bin$"):
        await commit_all(place.worktree, "Filtered")
    assert snapshot(place.path) == before
    assert leftovers(place) == []
    git(place.path, "checkout", "-q", "big.bin")
    assert await commit_all(place.worktree, "Deleted and unfiltered")


async def test_nested_repositories_are_not_linked(place: Place) -> None:
    nested = place.path / "nested"
    nested.mkdir()
    git(nested, "init", "-q")
    (nested / "file").write_text("x")
    git(nested, "add", ".")
    git(nested, "commit", "-q", "-m", "Nested")
    before = snapshot(place.path)
    with pytest.raises(Refused, match="nested/"):
        await commit_all(place.worktree, "Nested")
    assert snapshot(place.path) == before
    git(place.path, "add", "nested")
    with pytest.raises(Refused, match="nested"):
        await commit_all(place.worktree, "Staged")
    assert leftovers(place) == []


async def test_an_unfinished_merge_is_refused_with_its_files(place: Place) -> None:
    place.work("hello.txt", "ours\n")
    place.on_main("hello.txt", "theirs\n")
    with pytest.raises(Exception, match="exit status 1"):
        git(place.path, "merge", "main")
    with pytest.raises(Refused, match="a merge is going on"):
        await commit_all(place.worktree, "Merge")
    (Path(place.record.metadata) / "MERGE_HEAD").unlink()
    with pytest.raises(Refused, match=r"hello\.txt"):
        await commit_all(place.worktree, "Merge")


async def test_a_lock_of_somebody_else_stays(place: Place) -> None:
    (place.path / "new").write_text("x")
    before = snapshot(place.path)
    lock = Path(place.record.metadata) / "index.lock"
    lock.write_text("")
    with pytest.raises(Conflict, match="another git"):
        await commit_all(place.worktree, "New")
    assert lock.exists()
    lock.unlink()
    assert snapshot(place.path) == before
    assert leftovers(place) == []


async def test_without_an_identity_or_a_message_nothing_is_committed(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (place.path / "new").write_text("x")
    with pytest.raises(InvalidInput):
        await commit_all(place.worktree, " \n")
    git(place.main, "config", "--unset", "user.email")
    for name in ("HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.delenv("EMAIL", raising=False)
    with pytest.raises(Refused, match="who you are") as refused:
        await commit_all(place.worktree, "New")
    assert "user.email" in refused.value.hint
    monkeypatch.setenv("GIT_AUTHOR_EMAIL", "a@example.org")
    monkeypatch.setenv("GIT_COMMITTER_EMAIL", "c@example.org")
    assert await commit_all(place.worktree, "New")
    assert git(place.path, "log", "-1", "--format=%ae %ce") == "a@example.org c@example.org"


async def test_a_detached_head_is_refused(place: Place) -> None:
    git(place.path, "checkout", "-q", "--detach")
    (place.path / "new").write_text("x")
    with pytest.raises(Refused, match="no branch"):
        await commit_all(place.worktree, "New")


async def test_a_worktree_whose_link_was_changed_is_not_opened(
    place: Place, tmp_path: Path
) -> None:
    (place.path / ".git").write_text(f"gitdir: {tmp_path}/evil\n")
    with pytest.raises(Refused, match="tampered"):
        linked_checkout(place.repository, Path(place.record.metadata))
