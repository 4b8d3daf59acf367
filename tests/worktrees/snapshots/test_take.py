"""Snapshots: every file that is not ignored, byte for byte, whatever a task does to hide it."""

from __future__ import annotations

import os
import socket
import subprocess
from pathlib import Path

import pytest

from ctui.errors import Refused
from ctui.worktrees.snapshots import changes
from ctui.worktrees.snapshots import take as taking
from ctui.worktrees.snapshots.model import path_of
from tests.conftest import git
from tests.worktrees.snapshots.conftest import Shots


async def test_untracked_changed_and_deleted_files_are_kept_as_they_are(shots: Shots) -> None:
    tracked = next(shots.path.glob("[a-zA-Z]*"))
    tracked.unlink()
    (shots.path / "new").mkdir()
    (shots.path / "new" / 'file\nwith "odd" \\name').write_bytes(b"\0\xff\r\n")
    (shots.path / "run.sh").write_text("#!/bin/sh\n")
    (shots.path / "run.sh").chmod(0o755)
    (shots.path / "link").symlink_to("/etc/passwd")
    (shots.path / ".gitignore").write_text("secret*\nbuild/\n")
    (shots.path / "secret.env").write_text("KEY=1")
    (shots.path / "build").mkdir()
    (shots.path / "build" / "out.o").write_text("x")

    kept = shots.kept(await shots.take())

    assert kept == shots.there()
    assert kept[b"link"] == (b"120000", b"/etc/passwd")
    assert kept[b"run.sh"][0] == b"100755"
    assert kept[b'new/file\nwith "odd" \\name'] == (b"100644", b"\0\xff\r\n")
    assert os.fsencode(tracked.name) not in kept
    assert not any(b"secret" in path or b"build" in path for path in kept)


async def test_each_change_is_in_the_next_one_and_not_in_the_one_before(shots: Shots) -> None:
    first = await shots.take("refs/turns/1")
    (shots.path / "a").write_text("one")
    second = await shots.take("refs/turns/2")
    (shots.path / "a").write_text("two")
    (shots.path / "b").write_text("b")
    third = await shots.again().take("refs/turns/3")
    (shots.path / "a").unlink()
    (shots.path / "a").mkdir()
    (shots.path / "a" / "inside").write_text("now a folder")
    fourth = await shots.take("refs/turns/4")

    assert b"a" not in shots.kept(first)
    assert shots.kept(second)[b"a"] == (b"100644", b"one")
    assert shots.kept(third)[b"a"] == (b"100644", b"two")
    assert shots.kept(fourth) == shots.there()
    assert list(shots.snapshots.refs("refs/turns")) == [f"refs/turns/{n}" for n in (1, 2, 3, 4)]


async def test_one_that_is_like_the_last_is_the_last(shots: Shots) -> None:
    (shots.path / "a").write_text("one")
    first = await shots.take("refs/turns/1")
    (shots.path / "a").write_text("one")  # written again, with another time

    assert (await shots.take("refs/turns/2")).id == first.id


async def test_forged_times_hide_nothing(shots: Shots) -> None:
    """A task can set every time of a file but that of its last change."""
    file = shots.path / "a"
    file.write_text("one")
    await shots.take("refs/turns/1")
    before = file.stat()
    file.write_text("two")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))

    assert shots.kept(await shots.take("refs/turns/2"))[b"a"][1] == b"two"


async def test_the_index_of_the_checkout_hides_nothing(shots: Shots) -> None:
    tracked = next(path for path in shots.path.glob("[a-zA-Z]*") if path.is_file())
    shots.place.git("update-index", "--assume-unchanged", tracked.name)
    tracked.write_text("changed in secret")

    assert shots.kept(await shots.take())[os.fsencode(tracked.name)][1] == b"changed in secret"


async def test_attributes_transform_nothing(shots: Shots) -> None:
    (shots.path / ".gitattributes").write_text(
        "*.txt text eol=crlf ident working-tree-encoding=UTF-16\n*.enc filter=upper\n"
    )
    git(shots.place.folder, "config", "filter.upper.clean", "tr a-z A-Z")
    git(shots.place.folder, "config", "core.autocrlf", "true")
    (shots.path / "a.txt").write_bytes(b"$Id$ one\r\ntwo\r\n")
    (shots.path / "b.enc").write_bytes(b"quiet\n")

    kept = shots.kept(await shots.take())

    assert kept[b"a.txt"][1] == b"$Id$ one\r\ntwo\r\n"
    assert kept[b"b.enc"][1] == b"quiet\n"


async def test_a_checked_out_file_that_differs_from_what_is_stored_is_kept_as_it_lies(
    shots: Shots,
) -> None:
    git(shots.place.folder, "config", "filter.upper.clean", "tr a-z A-Z")
    (shots.path / ".gitattributes").write_text("*.enc filter=upper\n")
    (shots.path / "b.enc").write_bytes(b"quiet\n")
    shots.place.git("add", ".")
    shots.place.git("commit", "-m", "filtered")

    kept = shots.kept(await shots.take())

    assert kept[b"b.enc"][1] == b"quiet\n"
    assert shots.place.git("show", "HEAD:b.enc") == "QUIET"


async def test_no_link_is_followed(shots: Shots, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "key").write_text("of the host")
    (shots.path / "dir").mkdir()
    (shots.path / "dir" / "key").write_text("of the task")
    await shots.take("refs/turns/1")
    (shots.path / "dir" / "key").unlink()
    (shots.path / "dir").rmdir()
    (shots.path / "dir").symlink_to(tmp_path / "outside")

    kept = shots.kept(await shots.take("refs/turns/2"))

    assert kept[b"dir"] == (b"120000", os.fsencode(tmp_path / "outside"))
    assert b"dir/key" not in kept


async def test_what_is_left_out_is_said(shots: Shots, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(taking, "FILE_LIMIT", 900)
    (shots.path / "large").write_bytes(b"x" * 901)
    (shots.path / "new").mkdir()
    (shots.path / "new" / "file").write_text("x")
    os.mkfifo(shots.path / "new" / "pipe")
    git(shots.path, "init", "nested")
    (shots.path / "nested" / "file").write_text("x")

    snapshot = await shots.take()

    why = {path_of(one.path): one.why for one in snapshot.left_out}
    assert set(why) == {b"large", b"new/pipe", b"nested"}
    assert "at most 900 B are kept" in why[b"large"]
    assert snapshot.left_out_count == 3
    assert b"new/file" in shots.kept(snapshot)


async def test_too_many_files_are_left_out_and_said(
    shots: Shots, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(taking, "FILES_LIMIT", 10)
    monkeypatch.setattr(taking, "_NAMED", 5)
    for number in range(30):
        (shots.path / f"file{number:02}").write_text("x")

    snapshot = await shots.take()

    assert snapshot.left_out_count == 20
    assert len(snapshot.left_out) == 5


async def test_empty_folders_are_known(shots: Shots) -> None:
    (shots.path / "a" / "b").mkdir(parents=True)
    (shots.path / "c" / "empty\xff").mkdir(parents=True)
    (shots.path / "c" / "file").write_text("x")
    (shots.path / ".gitignore").write_text("node_modules/\n")
    (shots.path / "c" / "node_modules" / "lib").mkdir(parents=True)
    (shots.path / "c" / "node_modules" / "lib" / "index.js").write_text("x")

    folders = {path_of(one) for one in (await shots.take()).empty_folders}

    assert folders == {b"a/b", os.fsencode("c/empty\xff")}


async def test_a_file_that_is_ignored_from_now_on_is_not_kept_any_more(shots: Shots) -> None:
    (shots.path / "out").write_text("x")
    assert b"out" in shots.kept(await shots.take("refs/turns/1"))
    (shots.path / ".gitignore").write_text("out\n")

    assert b"out" not in shots.kept(await shots.take("refs/turns/2"))


async def test_an_ignored_file_that_was_committed_is_kept(shots: Shots) -> None:
    (shots.path / ".gitignore").write_text("out\n")
    await shots.take("refs/turns/1")
    (shots.path / "out").write_text("x")
    shots.place.git("add", "-f", "out")
    shots.place.git("commit", "-m", "out")

    assert shots.kept(await shots.take("refs/turns/2"))[b"out"][1] == b"x"


async def test_the_person_s_repository_knows_nothing_of_it(shots: Shots, tmp_path: Path) -> None:
    (shots.path / "secret").write_text("not for a mirror")
    snapshot = await shots.take()
    mirror = tmp_path / "mirror.git"
    git(tmp_path, "init", "--bare", str(mirror))
    git(shots.place.folder, "push", "--mirror", str(mirror))

    with pytest.raises(subprocess.CalledProcessError):
        git(mirror, "cat-file", "-t", snapshot.id)
    assert "refs/turns" not in git(shots.place.folder, "for-each-ref")
    assert shots.place.git("status", "--porcelain") == "?? secret"


async def test_a_socket_in_the_place_of_a_file_stops_nothing(
    shots: Shots, monkeypatch: pytest.MonkeyPatch
) -> None:
    (shots.path / "a").write_text("x")
    await shots.take("refs/turns/1")
    (shots.path / "a").unlink()
    monkeypatch.chdir(shots.path)  # paths of sockets are short
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("a")

        assert b"a" not in shots.kept(await shots.take("refs/turns/2"))


async def test_a_kill_before_the_index_is_brought_up_to_date_loses_nothing(shots: Shots) -> None:
    (shots.path / "a").write_text("x")
    index = shots.snapshots.index
    await shots.take("refs/turns/1")
    before = index.read_bytes()
    (shots.path / "b").write_text("x")
    second = await shots.take("refs/turns/2")
    index.write_bytes(before)
    await shots.snapshots.set_ref(
        "refs/indexed", (await shots.snapshots.snapshot("refs/turns/1")).id
    )
    (shots.path / "b").unlink()

    assert b"b" in shots.kept(second)
    assert shots.kept(await shots.again().take("refs/turns/3")) == shots.there()


async def test_folders_without_number_are_not_all_looked_at(
    shots: Shots, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changes, "_MOST_FOLDERS", 10)
    for number in range(30):
        (shots.path / "new" / f"{number:02}").mkdir(parents=True)
    (shots.path / "file").write_text("x")

    snapshot = await shots.take()

    assert snapshot.left_out_count == 21
    assert {one.why for one in snapshot.left_out} == {"there are too many folders"}
    assert b"file" in shots.kept(snapshot)


async def test_a_pipe_that_git_would_read_is_named_and_holds_nothing_up(shots: Shots) -> None:
    os.mkfifo(shots.path / ".gitignore")

    with pytest.raises(Refused, match="is a pipe"):
        await shots.take()
