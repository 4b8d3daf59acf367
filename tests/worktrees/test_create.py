"""A new worktree: how far it is, and an index that knows its files."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from ctui.git.process.command import run_git
from ctui.worktrees.create import files_updated
from ctui.worktrees.fresh_index import is_fresh, refresh_index
from tests.conftest import git
from tests.worktrees.conftest import Place


async def test_a_long_checkout_tells_how_far_it_is(place: Place) -> None:
    for number in range(300):
        (place.path / f"file-{number}").write_text("x\n")
    place.git("add", ".")
    place.git("commit", "-q", "-m", "Many")
    for number in range(300):
        (place.path / f"file-{number}").unlink()
    told: list[tuple[int, int]] = []
    await run_git(
        ["reset", "--hard"],
        git_dir=place.metadata,
        work_tree=place.path,
        env={"GIT_PROGRESS_DELAY": "0"},  # git says nothing in the first two seconds
        heard=files_updated(lambda done, of: told.append((done, of))),
    )
    assert told == sorted(told)
    assert told[-1] == (300, 300)
    assert len(told) > 50


async def test_a_second_later_the_index_knows_its_files_and_folders(place: Place) -> None:
    index = place.metadata / "index"
    assert b"UNTR" not in index.read_bytes()
    then = place.record.created - 10_000_000_000
    record = msgspec.structs.replace(place.record, created=then)
    os.utime(index, ns=(then, then))
    assert is_fresh(record)
    await refresh_index(record)
    assert not is_fresh(record)
    assert b"UNTR" in index.read_bytes()
    (place.path / "new").write_text("x")
    git(place.folder, "commit", "-q", "--allow-empty", "-m", "Else")
    status = await place.look()
    assert status.changes is not None
    assert status.changes.untracked == 1
    assert not Path(place.metadata / "index.lock").exists()
