"""Snapshots of what a task makes of its worktree, to harm or to deceive."""

from __future__ import annotations

import os
import resource
from pathlib import Path

import pytest

from ctui.worktrees.snapshots import contents
from tests.worktrees.snapshots.conftest import Shots

_TRIES = 20


@pytest.mark.parametrize("name", ["git~1", ".git ", ".git::$DATA"])
async def test_a_name_that_is_git_s_own_on_other_systems_is_kept(shots: Shots, name: str) -> None:
    (shots.path / name).mkdir()
    (shots.path / name / "config").write_text("mine\n")

    taken = await shots.take()

    assert shots.kept(taken)[os.fsencode(f"{name}/config")] == (b"100644", b"mine\n")


async def test_a_name_that_git_never_keeps_is_left_out_and_said(shots: Shots) -> None:
    (shots.path / "under" / ".GIT").mkdir(parents=True)
    (shots.path / "under" / ".GIT" / "config").write_text("mine\n")
    (shots.path / ".gitmodules").symlink_to("elsewhere")
    (shots.path / "other").write_text("other\n")

    first = await shots.take()
    (shots.path / "other").write_text("another\n")
    second = await shots.take()

    names = {".gitmodules", "under/.GIT/config"}
    assert {(one.path, one.why) for one in first.left_out} == {
        (name, contents.UNNAMEABLE) for name in names
    }
    assert shots.kept(first)[b"other"] == (b"100644", b"other\n")
    assert shots.kept(second)[b"other"] == (b"100644", b"another\n")


async def test_deep_folders_leave_descriptors_to_others(shots: Shots) -> None:
    deep = "/".join("a" * 600)
    (shots.path / deep).mkdir(parents=True)
    (shots.path / deep / "file").write_text("deep\n")
    (shots.path / "other").write_text("other\n")
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = max(int(name.name) for name in Path("/proc/self/fd").iterdir()) + 300
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, limits[1]))
    try:
        with contents.Folders(shots.path) as folders:
            found = folders.read(os.fsencode(f"{deep}/file"), 100)
            Path("/dev/null").read_bytes()  # as somebody else in the process does
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)

    assert found == contents.NotKept(f"it cannot be read: {contents.TOO_DEEP}")
    taken = await shots.take()
    assert shots.kept(taken)[b"other"] == (b"100644", b"other\n")
    assert [one.path for one in taken.left_out if one.path.endswith("/file")] == [f"{deep}/file"]


async def test_an_ignored_file_that_is_committed_is_kept_when_it_comes_back(shots: Shots) -> None:
    place = shots.place
    (shots.path / ".gitignore").write_text("*.log\n")
    (shots.path / "it.log").write_text("it\n")
    place.git("add", "--force", ".gitignore", "it.log")
    place.git("commit", "-qm", "it")
    (shots.path / "it.log").unlink()
    # Not the first snapshot, which begins with what is committed.
    await shots.take("refs/test/one")
    (shots.path / "it.log").write_text("it\n")

    taken = await shots.take("refs/test/two")

    assert shots.kept(taken)[b"it.log"] == (b"100644", b"it\n")


async def test_a_change_in_the_second_of_a_snapshot_is_found(shots: Shots) -> None:
    file = shots.path / "file"
    for _ in range(_TRIES):
        _write(file, "old\n")
        await shots.take("refs/test/one")
        before = int(file.stat().st_ctime)
        _write(file, "new\n")
        if int(file.stat().st_ctime) == before:
            break
    else:
        pytest.skip("this machine takes longer than a second for each snapshot")

    taken = await shots.take("refs/test/two")

    assert shots.kept(taken)[b"file"] == (b"100644", b"new\n")


async def test_settings_of_the_person_hide_no_change(
    shots: Shots, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = tmp_path / "gitconfig"
    settings.write_text(
        "[core]\n\ttrustctime = false\n\tignoreStat = true\n\tcheckStat = minimal\n"
    )
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(settings))
    file = shots.path / "file"
    _write(file, "old\n")
    await shots.take("refs/test/one")
    (shots.snapshots.folder / "recent").unlink()  # as if that had been long ago
    before = int(file.stat().st_ctime)
    while int(file.stat().st_ctime) == before:
        _write(file, "new\n")

    taken = await shots.take("refs/test/two")

    assert shots.kept(taken)[b"file"] == (b"100644", b"new\n")


def _write(file: Path, text: str) -> None:
    """Write a file and set its modification time to one that it had before."""
    file.write_text(text)
    os.utime(file, (1_000_000_000, 1_000_000_000))
