"""Removed and restored is exactly the same, whatever state a worktree is in."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from ctui.worktrees.trash.restore import restore_worktree
from tests.conftest import git
from tests.worktrees.conftest import Place
from tests.worktrees.snapshot import collect_garbage, is_whole, pins, snapshot


def _edits(place: Place) -> None:
    path = place.path
    (path / "staged").write_text("only in the index")
    place.git("add", "staged")
    (path / "staged").write_text("later")
    (path / "hello.txt").write_text("changed\n")
    (path / "script").write_text("#!/bin/sh\n")
    (path / "script").chmod(0o751)
    (path / "link").symlink_to("/nowhere")
    (path / "empty" / "inner").mkdir(parents=True)
    os.link(path / "script", path / "same")
    os.utime(path / "script", ns=(1_000_000_001, 2_000_000_002))
    os.utime(path / "empty", ns=(3, 4))
    (path / "closed").mkdir(mode=0o500)


def _names(place: Place) -> None:
    for name in (b"new\nline", b"caf\xe9", b" space ", b"-n", b"\xff\xfe", "\u202eabc".encode()):
        Path(os.fsdecode(os.fsencode(place.path) + b"/" + name)).write_bytes(name)
    place.git("add", "new\nline")


def _conflict(place: Place, *command: str) -> None:
    place.git("checkout", "-q", "-b", "side", "main~")
    (place.path / "hello.txt").write_text("side\n")
    place.git("commit", "-q", "-a", "-m", "Side")
    with pytest.raises(subprocess.CalledProcessError):
        place.git(*command)


def _merging(place: Place) -> None:
    _conflict(place, "merge", "main")


def _rebasing(place: Place) -> None:
    place.git("commit", "-q", "--allow-empty", "-m", "Before")
    _conflict(place, "rebase", "main")


def _picking(place: Place) -> None:
    _conflict(place, "cherry-pick", "main")


def _reverting(place: Place) -> None:
    _conflict(place, "revert", "--no-edit", "main")


def _applying(place: Place) -> None:
    patch = place.folder.parent / "patch"
    patch.write_text(git(place.folder, "format-patch", "--stdout", "HEAD~") + "\n")
    _conflict(place, "am", "-3", str(patch))


def _detached(place: Place) -> None:
    """Commits that nothing but the reflog of HEAD names."""
    place.git("checkout", "-q", "--detach")
    for number in range(3):
        (place.path / "work").write_text(str(number))
        place.git("add", "work")
        place.git("commit", "-q", "-m", f"Work {number}")
    place.git("reset", "-q", "--hard", "HEAD~2")
    place.git("commit", "-q", "--amend", "-m", "Amended")


def _bisecting(place: Place) -> None:
    for number in range(4):
        place.git("commit", "-q", "--allow-empty", "-m", f"Step {number}")
    place.git("bisect", "start", "HEAD", "HEAD~4")


def _stashed(place: Place) -> None:
    (place.path / "hello.txt").write_text("stashed\n")
    place.git("stash", "push", "-q")


def _sparse(place: Place) -> None:
    for name in ("kept", "left"):
        (place.path / name).mkdir()
        (place.path / name / "file").write_text(name)
    place.git("add", ".")
    place.git("commit", "-q", "-m", "Folders")
    place.git("sparse-checkout", "set", "kept")


def _intent_to_add(place: Place) -> None:
    (place.path / "planned").write_text("soon")
    place.git("add", "--intent-to-add", "planned")


def _hidden_edits(place: Place) -> None:
    (place.path / "other").write_text("other")
    place.git("add", "other")
    place.git("commit", "-q", "-m", "Other")
    place.git("update-index", "--skip-worktree", "hello.txt")
    place.git("update-index", "--assume-unchanged", "other")
    (place.path / "hello.txt").write_text("mine\n")
    (place.path / "other").write_text("mine too")


def _crlf(place: Place) -> None:
    (place.path / ".gitattributes").write_text("*.txt text eol=crlf ident\n")
    (place.path / "dos.txt").write_bytes(b"$Id$\r\none\r\n")
    place.git("add", ".")
    (place.path / "dos.txt").write_bytes(b"$Id$\r\ntwo\n")


def _special_files(place: Place) -> None:
    os.mkfifo(place.path / "fifo")
    with socket.socket(socket.AF_UNIX) as server:
        folder = os.open(place.path, os.O_RDONLY)
        server.bind(f"/proc/self/fd/{folder}/socket")
        os.close(folder)


def _nested(place: Place) -> None:
    inner = place.path / "inner"
    inner.mkdir()
    git(inner, "init", "-q")
    (inner / "file").write_text("unsaved")
    git(inner, "add", "file")


def _submodule(place: Place) -> None:
    source = place.folder.parent / "source"
    source.mkdir()
    git(source, "init", "-q", "-b", "main")
    git(source, "commit", "-q", "--allow-empty", "-m", "Source")
    allowed = ("-c", "protocol.file.allow=always")
    place.git(*allowed, "submodule", "--quiet", "add", str(source), "sub")
    place.git("commit", "-q", "-m", "Link")
    (place.path / "sub" / "unsaved").write_text("x")


def _split_index(place: Place) -> None:
    place.git("update-index", "--split-index")
    (place.path / "one").write_text("1")
    place.git("add", "one")


def _untracked_cache(place: Place) -> None:
    place.git("update-index", "--force-untracked-cache")
    (place.path / "one").write_text("1")
    place.git("status")


def _unborn(place: Place) -> None:
    place.git("checkout", "-q", "--orphan", "fresh")


def _ignored(place: Place) -> None:
    (place.path / ".gitignore").write_text("cache/\n")
    (place.path / "cache" / "deep" / "deeper").mkdir(parents=True)
    (place.path / "cache" / "deep" / "deeper" / "file").write_text("x" * 10_000)


def _upstream(place: Place) -> None:
    other = place.folder.parent / "other.git"
    git(place.folder, "clone", "-q", "--bare", str(place.folder), str(other))
    place.git("remote", "add", "origin", str(other))
    place.git("push", "-q", "--set-upstream", "origin", "HEAD")
    place.git("commit", "-q", "--allow-empty", "-m", "Ahead")
    place.git("config", "branch.ctui/work.description", "two\nlines = [x]")


def _own_refs(place: Place) -> None:
    place.git("commit", "-q", "--allow-empty", "-m", "Kept by a ref of the worktree")
    place.git("update-ref", "refs/worktree/mine", "HEAD")
    place.git("tag", "-a", "-m", "A tag", "gone")
    place.git("update-ref", "refs/worktree/tag", "refs/tags/gone")
    place.git("tag", "-d", "gone")
    place.git("reset", "-q", "--hard", "HEAD~")
    (place.metadata / "logs" / "HEAD").unlink()
    place.git("reflog", "expire", "--expire=now", "--expire-unreachable=now", "ctui/work")


def _own_config(place: Place) -> None:
    place.git("config", "extensions.worktreeConfig", "true")
    place.git("config", "--worktree", "user.name", "Somebody")


STATES: dict[str, Callable[[Place], None]] = {
    name.removeprefix("_"): value
    for name, value in list(globals().items())
    if getattr(value, "__annotations__", {}).get("place") == "Place" and name != "_conflict"
}


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("delete_branch", [False, True], ids=["", "and its branch"])
async def test_restored_is_the_same(
    place: Place, tmp_path: Path, state: str, *, delete_branch: bool
) -> None:
    STATES[state](place)
    private = tmp_path / "task" / "git"
    private.mkdir(parents=True)
    (private / "packed-refs").write_text("x")
    before = snapshot(place.path, private)

    entry = await place.remove(delete_branch=delete_branch, companions=[private])

    assert not place.path.exists()
    assert not place.metadata.exists()
    assert not private.exists()
    collect_garbage(place.folder)
    restored = await restore_worktree(place.repository, entry.id)
    after = snapshot(place.path, private)
    for part, was, is_now in zip(before._fields, before, after, strict=True):
        assert is_now == was, part
    assert (restored.path, restored.notes) == (str(place.path), [])
    assert pins(place.folder) == []
    is_whole(place.path)


async def test_extended_attributes_come_back(place: Place) -> None:
    file = place.path / "hello.txt"
    try:
        os.setxattr(file, "user.ctui", b"kept")
    except OSError:
        pytest.skip("this file system has no extended attributes")
    before = snapshot(place.path)
    entry = await place.remove()
    await restore_worktree(place.repository, entry.id)
    assert snapshot(place.path) == before


async def test_all_that_was_unfinished_can_be_finished(place: Place) -> None:
    _rebasing(place)
    entry = await place.remove()
    collect_garbage(place.folder)
    await restore_worktree(place.repository, entry.id)
    (place.path / "hello.txt").write_text("resolved\n")
    place.git("add", "hello.txt")
    place.git("-c", "core.editor=true", "rebase", "--continue")
    assert place.git("log", "--format=%s", "-1") == "Side"


async def test_the_sides_of_a_resolved_conflict_are_kept(place: Place) -> None:
    """They are in a part of the index that only `ls-files --resolve-undo` shows."""
    (place.path / "hello.txt").write_text("stashed\n")
    place.git("stash", "push", "-q")
    (place.path / "hello.txt").write_text("committed\n")
    place.git("commit", "-q", "-a", "-m", "In conflict with the stash")
    with pytest.raises(subprocess.CalledProcessError):
        place.git("stash", "apply")
    place.git("stash", "drop", "-q")
    (place.path / "hello.txt").write_text("resolved\n")
    place.git("add", "hello.txt")
    before = snapshot(place.path)
    entry = await place.remove()
    collect_garbage(place.folder)
    await restore_worktree(place.repository, entry.id)
    assert snapshot(place.path) == before
    sides = place.git("ls-files", "--resolve-undo").splitlines()
    stashed = place.git("cat-file", "-p", sides[2].split()[1])
    assert (len(sides), stashed) == (3, "stashed")


async def test_the_reflog_of_a_deleted_branch_is_kept(place: Place) -> None:
    """Its commits too, also those that HEAD never was at."""
    base = place.git("rev-parse", "HEAD")
    tree = place.git("rev-parse", "HEAD^{tree}")
    commit = git(place.folder, "commit-tree", tree, "-p", base, "-m", "Elsewhere")
    for oid in (commit, base):
        git(place.folder, "update-ref", "-m", "by hand", "refs/heads/ctui/work", oid)
    reflog = place.git("reflog", "show", "ctui/work")
    entry = await place.remove(delete_branch=True)
    collect_garbage(place.folder)
    await restore_worktree(place.repository, entry.id)
    assert place.git("reflog", "show", "ctui/work") == reflog
    assert place.git("cat-file", "-t", commit) == "commit"
