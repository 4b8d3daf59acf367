"""Deleting for good: exactly what was put into the trash, whatever is in it."""

from __future__ import annotations

import asyncio
import os
import subprocess
import time
from pathlib import Path

import msgspec
import pytest

from ctui.errors import Conflict
from ctui.worktrees.create import create_worktree
from ctui.worktrees.trash.entries import TrashEntry, records, trash_folder, write_record
from ctui.worktrees.trash.lock import purge_lock
from ctui.worktrees.trash.purge import entry_size, purge
from ctui.worktrees.trash.recovery import trash_entries
from ctui.worktrees.trash.restore import restore_worktree
from tests.worktrees.conftest import Place
from tests.worktrees.snapshot import collect_garbage, pins, raw_git, walked

pytestmark = pytest.mark.slow


def _du(*folders: Path) -> int:
    said = subprocess.run(
        ["du", "-s", "-B1", *folders], capture_output=True, text=True, check=True
    ).stdout
    return sum(int(line.split()[0]) for line in said.splitlines())


def _moved(place: Place) -> list[Path]:
    return [Path(moved.target) for record in records(place.repository) for moved in record.moved]


async def _filled(place: Place, count: int, kilobytes: int) -> list[TrashEntry]:
    """Entries of the same size, oldest first."""
    entries = []
    for number in range(count):
        record = await create_worktree(
            place.repository, place.path.parent.parent, name=f"n{number}", prefix="n/"
        )
        other = Place(place.repository, record)
        (other.path / "big").write_bytes(os.urandom(kilobytes * 1024))
        entries.append(await other.remove())
    return entries


async def test_nothing_is_left_and_what_it_freed_is_told(place: Place, tmp_path: Path) -> None:
    path = place.path
    (path / "big").write_bytes(os.urandom(300_000))
    os.link(path / "big", path / "same")
    os.link(path / "big", tmp_path / "kept")
    (path / "sparse").touch()
    os.truncate(path / "sparse", 1 << 30)
    companion = tmp_path / "task" / "git"
    companion.mkdir(parents=True)
    (companion / "pack").write_bytes(b"x" * 100_000)
    entry = await place.remove(companions=[companion])
    moved = _moved(place)
    shared = (tmp_path / "kept").stat().st_blocks * 512
    expected = _du(*moved)
    size = entry_size(place.repository, entry.id)
    assert size == (expected, True)

    purged = await purge(place.repository, ids=[entry.id])

    assert (purged.ids, purged.problems) == ([entry.id], [])
    assert purged.freed == expected - shared
    assert not any(path.exists() for path in moved)
    assert list(companion.parent.iterdir()) == []
    assert list(path.parent.iterdir()) == []
    assert (pins(place.folder), records(place.repository)) == ([], [])
    assert (tmp_path / "kept").read_bytes()


async def test_no_link_is_followed(place: Place, tmp_path: Path) -> None:
    outside = tmp_path / "mine"
    (outside / "folder").mkdir(parents=True)
    (outside / "file").write_text("mine")
    (outside / "folder").chmod(0o500)
    before = walked(outside)
    inside = place.path / "a" / "b"
    inside.mkdir(parents=True)
    targets = (outside, outside / "file", outside / "folder", Path("/"), Path(".."))
    for number, target in enumerate(targets):
        (inside / f"link-{number}").symlink_to(target)
    entry = await place.remove()
    purged = await purge(place.repository, ids=[entry.id])
    assert purged.problems == []
    assert walked(outside) == before


async def test_what_is_closed_odd_or_deep_goes_too(place: Place) -> None:
    path = place.path
    closed = path / "closed" / "inner"
    closed.mkdir(parents=True)
    (closed / "file").write_text("x")
    (closed / "file").chmod(0)
    closed.chmod(0)
    closed.parent.chmod(0o100)
    os.mkfifo(path / "fifo")
    (path / os.fsdecode(b"\xff\n")).write_text("x")
    (path / ".erase-0-0").mkdir()
    _dig(path, 1500)
    entry = await place.remove()
    purged = await purge(place.repository, ids=[entry.id])
    assert (purged.ids, purged.problems) == ([entry.id], [])
    assert list(path.parent.iterdir()) == []


def _dig(folder: Path, depth: int) -> None:
    """A tree deeper than any path can name (PATH_MAX)."""
    descriptor = os.open(folder, os.O_RDONLY)
    for _ in range(depth):
        os.mkdir("deep", dir_fd=descriptor)
        inner = os.open("deep", os.O_RDONLY, dir_fd=descriptor)
        os.close(descriptor)
        descriptor = inner
    os.close(os.open("bottom", os.O_WRONLY | os.O_CREAT, dir_fd=descriptor))
    os.close(descriptor)


@pytest.mark.parametrize("folders", [10, pytest.param(100, marks=pytest.mark.soak)])
async def test_many_files_are_gone_and_the_loop_never_waits(place: Place, folders: int) -> None:
    for number in range(folders):
        folder = place.path / f"folder-{number}"
        folder.mkdir()
        for name in range(500):
            os.close(os.open(folder / str(name), os.O_WRONLY | os.O_CREAT))
    entry = await place.remove()
    stalls: list[float] = []
    purging = asyncio.create_task(purge(place.repository, ids=[entry.id]))
    while not purging.done():
        before = time.perf_counter()
        await asyncio.sleep(0.001)
        stalls.append(time.perf_counter() - before)
    assert (await purging).ids == [entry.id]
    assert sorted(stalls)[int(len(stalls) * 0.99)] < 0.03
    assert list(place.path.parent.iterdir()) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount")
@pytest.mark.parametrize("where", ["mounted", "folder/mounted"])
async def test_a_file_system_that_is_mounted_inside_is_not_entered(
    place: Place, tmp_path: Path, where: str
) -> None:
    outside = tmp_path / "mine"
    outside.mkdir()
    (outside / "file").write_text("mine")
    entry = await place.remove()
    assert entry.place is not None
    point = Path(entry.place) / where
    point.mkdir(parents=True)
    if not _mounted(outside, point):
        pytest.skip("this sandbox mounts nothing")
    try:
        purged = await purge(place.repository, ids=[entry.id])
        assert (purged.ids, len(purged.problems)) == ([], 1)
        assert "work cannot be deleted: Device or resource busy" in purged.problems[0]
        assert (outside / "file").read_text() == "mine"
    finally:
        _unmount(*Path(entry.place).rglob("mounted"))
    assert (await purge(place.repository)).ids == [entry.id]
    assert (outside / "file").read_text() == "mine"


def _mounted(source: Path, point: Path) -> bool:
    command = ["mount", "--bind", source, point]
    return subprocess.run([*map(str, command)], capture_output=True, check=False).returncode == 0


def _unmount(point: Path) -> None:
    subprocess.run(["umount", point], check=True)


async def test_another_folder_at_the_recorded_place_is_not_deleted(
    place: Place, tmp_path: Path
) -> None:
    entry = await place.remove()
    assert entry.place is not None
    Path(entry.place).rename(tmp_path / "moved")
    Path(entry.place).mkdir()
    (Path(entry.place) / "mine").write_text("x")
    purged = await purge(place.repository, ids=[entry.id])
    assert purged.ids == []
    assert "is not the folder that was put there" in purged.problems[0]
    assert (Path(entry.place) / "mine").read_text() == "x"
    assert pins(place.folder)


async def test_by_age_only_what_is_older_goes(place: Place) -> None:
    old, new = await _filled(place, 2, 1)
    (record, _) = records(place.repository)
    long_ago = msgspec.structs.replace(record.entry, removed=time.time_ns() - 10**9 * 86_400)
    write_record(place.repository, msgspec.structs.replace(record, entry=long_ago))
    purged = await purge(place.repository, older_than=3600)
    assert purged.ids == [old.id]
    assert [entry.id for entry in await trash_entries(place.repository)] == [new.id]
    await restore_worktree(place.repository, new.id)


async def test_by_size_the_oldest_go_until_it_fits(place: Place) -> None:
    entries = await _filled(place, 4, 512)
    whole = sum(entry_size(place.repository, entry.id).bytes for entry in entries)
    purged = await purge(place.repository, keep_bytes=whole // 2)
    assert purged.ids == [entry.id for entry in entries[:2]]
    assert (await purge(place.repository, keep_bytes=whole)).ids == []
    assert len((await purge(place.repository, keep_bytes=0)).ids) == 2


async def test_a_size_has_only_so_much_time(place: Place) -> None:
    for number in range(2000):
        (place.path / str(number)).touch()
    entry = await place.remove()
    size = entry_size(place.repository, entry.id, seconds=0)
    assert not size.complete
    assert size.bytes <= entry_size(place.repository, entry.id).bytes


async def test_what_is_being_purged_is_not_listed_and_not_restored(place: Place) -> None:
    entry = await place.remove()
    (record,) = records(place.repository)
    write_record(place.repository, msgspec.structs.replace(record, stage="purging"))
    assert await trash_entries(place.repository) == []
    with pytest.raises(Conflict, match="is being deleted"):
        await restore_worktree(place.repository, entry.id)
    assert (await purge(place.repository)).ids == [entry.id]


async def test_a_cancelled_purge_stops_and_the_next_one_goes_on(place: Place) -> None:
    for number in range(6000):
        os.close(os.open(place.path / str(number), os.O_WRONLY | os.O_CREAT))
    entry = await place.remove()
    assert entry.place is not None
    purging = asyncio.create_task(purge(place.repository, ids=[entry.id]))
    while len(os.listdir(entry.place)) > 5990:  # noqa: ASYNC110, PTH208
        await asyncio.sleep(0)  # the thread tells nobody how far it is
    purging.cancel()
    with pytest.raises(asyncio.CancelledError):
        await purging
    left = len(os.listdir(entry.place))  # noqa: PTH208 - a count of names
    assert 0 < left < 5990
    assert (await purge(place.repository)).ids == [entry.id]
    assert not Path(entry.place).exists()


async def test_one_purge_at_a_time_while_others_remove_and_restore(place: Place) -> None:
    kept, _ = await _filled(place, 2, 1)
    async with purge_lock(place.repository):
        with pytest.raises(Conflict, match="another ctui empties the trash"):
            await purge(place.repository, older_than=0)
        await restore_worktree(place.repository, kept.id)
        await place.remove()


async def test_objects_of_a_purged_entry_can_be_collected(place: Place) -> None:
    place.git("checkout", "-q", "--detach")
    place.git("commit", "-q", "--allow-empty", "-m", "Only here")
    commit = place.git("rev-parse", "HEAD")
    entry = await place.remove()
    collect_garbage(place.folder)
    assert raw_git(place.folder, "cat-file", "-t", commit) == b"commit\n"
    await purge(place.repository, ids=[entry.id])
    collect_garbage(place.folder)
    with pytest.raises(subprocess.CalledProcessError):
        raw_git(place.folder, "cat-file", "-e", commit)
    assert {path.name for path in trash_folder(place.repository).iterdir()} == {
        "lock",
        "purge-lock",
    }
