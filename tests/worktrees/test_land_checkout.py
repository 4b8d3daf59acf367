"""The target's checkout during a landing: what stays, what refuses, what is never followed."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from ctui.errors import Conflict, CtuiError, Refused
from ctui.git.repository.repository import open_repository
from ctui.worktrees.landing.checkouts import linked_checkout
from ctui.worktrees.landing.land import land, undo_landing
from tests.conftest import git
from tests.worktrees.landing import Place, commit_file, leftovers, make_place, raw_git, snapshot


@pytest.fixture
async def place(repository: Path, tmp_path: Path) -> Place:
    place = await make_place(repository, tmp_path)
    for name in ("edited", "other", "dir/one", "gone/file"):
        place.on_main(name, f"{name}\n")
    git(place.path, "merge", "-q", "main")
    place.work("edited", "from the worktree\n")
    place.work("added/deep/file", "new\n")
    git(place.path, "rm", "-q", "-r", "gone")
    git(place.path, "commit", "-q", "-m", "Remove")
    return place


async def test_unrelated_changes_stay_exactly_as_they_are(place: Place) -> None:
    (place.main / "other").write_text("staged\n")
    (place.main / "staged-new").write_text("x\n")
    git(place.main, "add", "other", "staged-new")
    (place.main / "other").write_text("staged, then changed\n")
    (place.main / "hello.txt").unlink()
    (place.main / "untracked").write_text("u")
    (place.main / "added").mkdir()
    (place.main / "added" / "mine").write_text("m")
    (place.main / "gone" / "mine").write_text("m")
    before = git(place.main, "status", "--porcelain", "-uall")
    result = await land(place.repository, place.worktree)
    assert result.checkout_moved
    assert git(place.main, "status", "--porcelain", "-uall") == before
    assert git(place.main, "show", ":other") == "staged"
    assert (place.main / "other").read_text() == "staged, then changed\n"
    assert (place.main / "edited").read_text() == "from the worktree\n"
    assert [p.name for p in (place.main / "gone").iterdir()] == ["mine"]
    await undo_landing(place.repository, result)
    assert git(place.main, "status", "--porcelain", "-uall") == before
    assert (place.main / "gone" / "file").read_text() == "gone/file\n"


def edit(place: Place) -> None:
    (place.main / "edited").write_text("mine\n")


def stage(place: Place) -> None:
    edit(place)
    git(place.main, "add", "edited")
    (place.main / "edited").write_text("edited\n")


def delete(place: Place) -> None:
    (place.main / "gone" / "file").unlink()


def unstage(place: Place) -> None:
    git(place.main, "rm", "-q", "--cached", "edited")


def change_mode(place: Place) -> None:
    (place.main / "edited").chmod(0o755)


def put_in_the_way(place: Place) -> None:
    (place.main / "added" / "deep").mkdir(parents=True)
    (place.main / "added" / "deep" / "file").write_text("new\n")


def put_a_file_for_a_folder(place: Place) -> None:
    (place.main / "added").write_text("mine")


def put_a_folder_for_a_file(place: Place) -> None:
    (place.main / "added" / "deep" / "file").mkdir(parents=True)
    (place.main / "added" / "deep" / "file" / "mine").write_text("mine")


def put_a_link_for_a_folder(place: Place) -> None:
    (place.main / "added").symlink_to("/tmp")


def ignore_in_the_way(place: Place) -> None:
    (place.repository.common_dir / "info" / "exclude").write_text("added\n")
    put_in_the_way(place)


def hide(place: Place) -> None:
    git(place.main, "update-index", "--assume-unchanged", "edited")
    edit(place)


def skip(place: Place) -> None:
    git(place.main, "update-index", "--skip-worktree", "edited")


def link_the_parent(place: Place) -> None:
    (place.main / "gone").rename(place.main / "elsewhere")
    (place.main / "gone").symlink_to("elsewhere")


def be_sparse(place: Place) -> None:
    git(place.main, "sparse-checkout", "set", "--no-cone", "/*", "!/edited", "!/added")
    put_in_the_way(place)


def conflict(place: Place) -> None:
    (place.main / "hello.txt").write_text("a\n")
    git(place.main, "stash", "-q")
    place.on_main("hello.txt", "b\n")
    with pytest.raises(Exception, match="exit status 1"):
        git(place.main, "stash", "pop")


def merge(place: Place) -> None:
    (place.repository.common_dir / "MERGE_HEAD").write_text(place.oid("main") + "\n")


def hold_the_index(place: Place) -> None:
    (place.repository.common_dir / "index.lock").write_text("")


def hold_the_branch(place: Place) -> None:
    (place.repository.common_dir / "refs" / "heads" / "main.lock").write_text("")


@pytest.mark.parametrize(
    ("obstacle", "said"),
    [
        (edit, "uncommitted changes in .*: edited$"),
        (stage, "staged changes in .*: edited$"),
        (delete, "uncommitted changes in .*: gone/file$"),
        (unstage, "staged changes in .*: edited$"),
        (change_mode, "uncommitted changes in .*: edited$"),
        (put_in_the_way, "files in the way in .*: added/deep/file$"),
        (put_a_file_for_a_folder, "files in the way in .*: added$"),
        (put_a_folder_for_a_file, "files in the way in .*: added/deep/file/mine$"),
        (put_a_link_for_a_folder, "files in the way in .*: added$"),
        (ignore_in_the_way, "files in the way in .*: added/deep/file$"),
        (hide, "hidden from git .*: edited$"),
        (skip, "hidden from git .*: edited$"),
        (link_the_parent, "uncommitted changes in .*: gone/file$"),
        (be_sparse, "files in the way in .*: added/deep/file$"),
        (conflict, r"unresolved conflicts in .*: hello\.txt$"),
        (merge, "a merge is going on"),
        (hold_the_index, "another git is at work"),
        (hold_the_branch, "main cannot be moved"),
    ],
)
async def test_what_is_in_the_way_is_named_and_nothing_moves(
    place: Place, obstacle: Callable[[Place], None], said: str
) -> None:
    obstacle(place)
    before = snapshot(place.main)
    with pytest.raises((Refused, Conflict), match=said):
        await land(place.repository, place.worktree)
    for lock in ("index.lock", "refs/heads/main.lock"):
        (place.repository.common_dir / lock).unlink(missing_ok=True)
    assert snapshot(place.main) == before
    assert leftovers(place) == []


async def test_files_become_folders_links_and_programs_and_back(place: Place) -> None:
    for name in ("edited", "other", "hello.txt"):
        (place.path / name).unlink()
    (place.path / "edited").mkdir()
    (place.path / "edited" / "inside").write_text("x")
    (place.path / "other").symlink_to("/etc/passwd")
    (place.path / "hello.txt").write_text("hello\nworld\n")
    (place.path / "hello.txt").chmod(0o755)
    (place.path / "dir" / "one").unlink()
    (place.path / "dir").rmdir()
    (place.path / "dir").write_text("file now")
    commit_file(place.path, "last", "x")
    before = snapshot(place.main)
    result = await land(place.repository, place.worktree)
    assert git(place.main, "status", "--porcelain", "--ignored") == ""
    assert (place.main / "other").is_symlink()
    assert os.access(place.main / "hello.txt", os.X_OK)
    assert (place.main / "dir").read_text() == "file now"
    await undo_landing(place.repository, result)
    assert snapshot(place.main) == before


async def test_empty_folders_are_not_in_the_way(place: Place) -> None:
    (place.path / "dir" / "one").unlink()
    (place.path / "dir").rmdir()
    (place.path / "dir").write_text("file now")
    commit_file(place.path, "last", "x")
    for name in ("dir/empty/deeper", "added/deep/file/empty", "last"):
        (place.main / name).mkdir(parents=True)
    await land(place.repository, place.worktree)
    assert git(place.main, "status", "--porcelain", "--ignored") == ""
    assert (place.main / "dir").read_text() == "file now"


async def test_names_with_any_byte_arrive(place: Place) -> None:
    folder = os.fsencode(place.path)
    for name in (b"new\nline", b"not utf-8 \xff\xfe", b"-rf", b":(top)x", b'"'):
        Path(os.fsdecode(folder + b"/" + name)).write_bytes(name)
    commit_file(place.path, "last", "x")
    await land(place.repository, place.worktree)
    assert raw_git(place.main, "status", "--porcelain", "-z") == b""
    assert Path(os.fsdecode(os.fsencode(place.main) + b"/not utf-8 \xff\xfe")).is_file()


async def test_line_ends_follow_the_attributes_of_the_new_commit(place: Place) -> None:
    place.work(".gitattributes", "*.win text eol=crlf\n")
    place.work("text.win", "one\ntwo\n")
    await land(place.repository, place.worktree)
    assert (place.main / "text.win").read_bytes() == b"one\r\ntwo\r\n"
    assert git(place.main, "status", "--porcelain") == ""


async def test_filters_run_only_where_the_caller_says_so(place: Place, tmp_path: Path) -> None:
    program = tmp_path / "smudge"
    program.write_text(f"#!/bin/sh\ntouch {tmp_path}/executed\ntr a-z A-Z\n")
    program.chmod(0o755)
    place.work(".gitattributes", "plain filter=unknown\n")
    place.work("plain", "plain\n")
    await land(place.repository, place.worktree)
    assert (place.main / "plain").read_text() == "plain\n"
    place.work(".gitattributes", "loud filter=loud\nplain filter=unknown\n")
    place.work("loud", "loud\n")
    git(place.main, "config", "filter.loud.smudge", str(program))
    before = snapshot(place.main)
    with pytest.raises(Refused, match="a filter of yours would run for loud"):
        await land(place.repository, place.worktree)
    assert snapshot(place.main) == before
    assert not (tmp_path / "executed").exists()
    await land(place.repository, place.worktree, filters=True)
    assert (place.main / "loud").read_text() == "LOUD\n"


async def test_the_index_knows_its_files_afterwards(place: Place) -> None:
    await land(place.repository, place.worktree)
    listed = raw_git(place.main, "ls-files", "--debug", "edited").decode()
    status = (place.main / "edited").stat()
    assert f"size: {status.st_size}" in listed
    assert f"ino: {status.st_ino}" in listed
    log = git(place.main, "reflog", "--format=%gs", "-1", "main")
    assert log == git(place.main, "reflog", "--format=%gs", "-1", "HEAD") != ""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's worktrees have another owner")
async def test_new_files_belong_to_whom_the_checkout_belongs(place: Place) -> None:
    git(place.main, "switch", "-q", "-c", "own")
    commit_file(place.main, "new/folder/file", "x")
    main = place.main
    git(place.path, "branch", "-q", "receiver", "main")
    git(place.path, "switch", "-q", "receiver")
    git(main, "worktree", "add", "-q", "--detach", str(main.parent / "source"))
    git(main.parent / "source", "switch", "-q", "-c", "source", "own")
    found = open_repository(main)
    source = linked_checkout(found, found.common_dir / "worktrees" / "source")
    assert (await land(found, source, target="receiver")).checkout_moved
    owner = place.path.stat().st_uid
    made = [place.path / "new", place.path / "new/folder", place.path / "new/folder/file"]
    assert {path.stat().st_uid for path in made} == {owner}


async def test_a_checkout_on_another_file_system(place: Place) -> None:
    shm = Path("/dev/shm")
    if not shm.is_dir() or shm.stat().st_dev == place.main.stat().st_dev:
        pytest.skip("no second file system")
    with tempfile.TemporaryDirectory(dir=shm) as folder:
        far = Path(folder) / "far"
        git(place.main, "worktree", "add", "-q", "-b", "far", str(far), "main")
        place.work("link", "x")
        (place.path / "link").unlink()
        (place.path / "link").symlink_to("hello.txt")
        commit_file(place.path, "run", "#!/bin/sh\n")
        assert (await land(place.repository, place.worktree, target="far")).checkout_moved
        assert git(far, "status", "--porcelain", "--ignored") == ""
        assert (far / "link").is_symlink()
        assert leftovers(place) == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
async def test_a_folder_that_cannot_be_written_is_refused_before_anything_moves(
    place: Place,
) -> None:
    (place.main / "gone").chmod(0o555)
    before = snapshot(place.main)
    with pytest.raises(CtuiError, match="cannot be written: gone"):
        await land(place.repository, place.worktree)
    assert snapshot(place.main) == before
    (place.main / "gone").chmod(0o755)


async def test_a_shallow_clone_can_be_landed_in(place: Place, tmp_path: Path) -> None:
    shutil.rmtree(tmp_path / "worktrees")
    clone = tmp_path / "shallow"
    git(tmp_path, "clone", "-q", "--depth", "1", f"file://{place.main}", str(clone))
    again = await make_place(clone, tmp_path / "more")
    again.work("a", "a\n")
    again.on_main("b", "b\n")
    await land(again.repository, again.worktree)
    assert git(clone, "status", "--porcelain") == ""
    assert (clone / "a").is_file()
