"""A worktree is believed only where both of its ends name each other, however they are written."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from ctui.worktrees.identity import only_created
from ctui.worktrees.trash.restore import restore_worktree
from tests.conftest import git
from tests.worktrees.conftest import Place
from tests.worktrees.looking import list_worktrees, worktree_status


async def test_relative_links_are_followed(place: Place) -> None:
    """As git writes them with `worktree.useRelativePaths`."""
    back = os.path.relpath(place.path / ".git", place.metadata)
    (place.metadata / "gitdir").write_text(f"{back}\n")
    (place.path / ".git").write_text(f"gitdir: {os.path.relpath(place.metadata, place.path)}\n")
    assert (await place.look()).problem is None
    (known,) = await list_worktrees(place.repository, {})
    assert (known.path, known.problem) == (str(place.path), None)
    (place.path / "new").write_text("x")
    entry = await place.remove()
    await restore_worktree(place.repository, entry.id)
    assert place.git("status", "--porcelain") == "?? new"
    assert (place.metadata / "gitdir").read_text() == f"{back}\n"


async def test_another_number_of_the_same_device_is_no_tampering(place: Place) -> None:
    remounted = msgspec.structs.replace(place.record, device=place.record.device + 1)
    assert (await worktree_status(place.repository, remounted)).problem is None


async def test_another_folder_in_its_place_is(place: Place) -> None:
    place.path.rename(place.path.with_name("away"))
    place.path.mkdir()
    (place.path / ".git").write_bytes((place.path.with_name("away") / ".git").read_bytes())
    assert (await place.look()).problem == "tampered"


async def test_a_link_that_never_ends_is_not_read(place: Place) -> None:
    (place.path / ".git").unlink()
    os.mkfifo(place.path / ".git")
    assert (await place.look()).problem == "tampered"
    (place.path / ".git").unlink()
    with (place.path / ".git").open("w") as file:
        file.write("gitdir: /")
        file.truncate(1 << 40)
    assert (await place.look()).problem == "tampered"


def test_a_reflog_that_is_too_long_to_read_tells_of_more_than_a_creation(place: Place) -> None:
    assert only_created(place.repository, place.metadata)
    log = place.repository.common_dir / "logs" / "refs" / "heads" / str(place.record.branch)
    line = log.read_bytes()
    log.write_bytes(line * (1 + (2 << 20) // len(line)))
    assert not only_created(place.repository, place.metadata)


async def test_a_worktree_whose_path_is_not_utf_8_is_looked_at(place: Place) -> None:
    odd = Path(os.fsdecode(os.fsencode(place.path.parent) + b"/odd-\xff"))
    git(place.folder, "worktree", "add", "-q", "-b", "odd", str(odd))
    found = await list_worktrees(place.repository, {})
    assert {status.branch for status in found} == {"odd", place.record.branch}
