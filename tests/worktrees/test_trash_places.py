"""Where removed worktrees lie, and how they come back when their place is taken."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from ctui.errors import Conflict, NotFound, Refused
from ctui.git.repository.repository import open_repository
from ctui.worktrees.create import create_worktree
from ctui.worktrees.trash.entries import TrashEntry, damaged_records
from ctui.worktrees.trash.links import Ends, adapt_links
from ctui.worktrees.trash.purge import purge
from ctui.worktrees.trash.recovery import recover, trash_entries
from ctui.worktrees.trash.restore import restore_worktree
from tests.conftest import git
from tests.worktrees.conftest import Place
from tests.worktrees.looking import list_worktrees, remove_worktree
from tests.worktrees.snapshot import pins, snapshot


@pytest.mark.parametrize("taken", ["path", "both"])
async def test_a_taken_path_gives_another_name(place: Place, taken: str) -> None:
    (place.path / "new").write_text("x")
    status = place.git("status", "--porcelain=v2", "--branch")
    entry = await place.remove()
    place.path.mkdir()
    place.path.with_name("work-restored").write_text("taken too")
    if taken == "both":
        place.metadata.mkdir(parents=True)
    restored = await restore_worktree(place.repository, entry.id)
    assert restored.path == str(place.path.with_name("work-restored-2"))
    assert restored.notes == [f"{place.path} is taken: it is at {restored.path}"]
    assert restored.record is not None
    assert Path(restored.record.metadata).name == ("work" if taken == "path" else "work-restored")
    moved = Place(place.repository, restored.record)
    assert moved.git("status", "--porcelain=v2", "--branch") == status
    assert (await moved.look()).problem is None
    assert list(place.path.iterdir()) == []


async def test_submodules_follow_to_another_place(place: Place, tmp_path: Path) -> None:
    for name in ("inner", "outer"):
        git(tmp_path, "init", "-q", "-b", "main", name)
        git(tmp_path / name, "commit", "-q", "--allow-empty", "-m", name)
    allowed = ("-c", "protocol.file.allow=always")
    add = (*allowed, "submodule", "--quiet", "add")
    git(tmp_path / "outer", *add, str(tmp_path / "inner"), "deep/inner")
    git(tmp_path / "outer", "commit", "-q", "-m", "Nest")
    place.git(*add, str(tmp_path / "outer"), "libs/outer")
    place.git(*allowed, "submodule", "--quiet", "update", "--init", "--recursive")
    place.git("commit", "-q", "-m", "Link")
    inner = Path("libs", "outer", "deep", "inner")
    (place.path / inner / "unsaved").write_text("x")
    entry = await place.remove()
    place.path.mkdir()
    place.metadata.mkdir(parents=True)
    restored = await restore_worktree(place.repository, entry.id)
    path = Path(restored.path)
    assert git(path / inner, "status", "--porcelain") == "?? unsaved"
    assert git(path / inner, "rev-parse", "--show-toplevel") == str(path / inner)
    assert git(path, "submodule", "status", "--recursive").count("(heads/main)") == 2


async def test_relative_links_stay_relative(place: Place) -> None:
    """As git 2.48 and newer write them with worktree.useRelativePaths."""
    (place.path / ".git").write_text(f"gitdir: {os.path.relpath(place.metadata, place.path)}\n")
    link = os.path.relpath(place.path / ".git", place.metadata)
    (place.metadata / "gitdir").write_text(f"{link}\n")
    old = Ends(place.path, place.metadata)
    new = Ends(place.path.parent / "deeper" / "other", place.metadata.with_name("other"))
    new.worktree.parent.mkdir()
    await adapt_links(place.repository, old, old, new, "mark")
    place.path.rename(new.worktree)
    place.metadata.rename(new.metadata)
    back = (new.metadata / "gitdir").read_text().rstrip("\n")
    assert not Path(back).is_absolute()
    assert os.path.normpath(new.metadata / back) == str(new.worktree / ".git")
    assert git(new.worktree, "status", "--porcelain", "--branch") == "## ctui/work"


async def test_a_link_in_the_place_of_git_s_file_is_not_followed(
    place: Place, tmp_path: Path
) -> None:
    outside = tmp_path / "mine"
    outside.write_text(f"gitdir: {place.metadata}\n")
    (place.path / ".git").unlink()
    (place.path / ".git").symlink_to(outside)
    here = Ends(place.path, place.metadata)
    other = Ends(place.path.with_name("other"), place.metadata.with_name("other"))
    await adapt_links(place.repository, here, here, other, "mark")
    assert outside.read_text() == f"gitdir: {place.metadata}\n"


async def test_what_is_gone_from_the_trash_is_said(place: Place, tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        await restore_worktree(place.repository, "nothing")
    entry = await place.remove()
    assert entry.place is not None
    Path(entry.place).rename(tmp_path / "taken")
    with pytest.raises(NotFound, match="not in the trash any more"):
        await restore_worktree(place.repository, entry.id)
    assert git(place.folder, "rev-parse", f"refs/ctui/trash/{entry.id}/head") == entry.head
    (tmp_path / "taken").rename(entry.place)
    await restore_worktree(place.repository, entry.id)
    assert (await place.look()).problem is None


async def test_a_companion_whose_place_is_taken_keeps_all_in_the_trash(
    place: Place, tmp_path: Path
) -> None:
    companion = tmp_path / "task" / "git"
    companion.mkdir(parents=True)
    (companion / "HEAD").write_text("x")
    before = snapshot(place.path, companion)
    entry = await place.remove(companions=[companion])
    companion.mkdir()
    with pytest.raises(Conflict, match="something else is at"):
        await restore_worktree(place.repository, entry.id)
    assert [found.id for found in await trash_entries(place.repository)] == [entry.id]
    companion.rmdir()
    await restore_worktree(place.repository, entry.id)
    assert snapshot(place.path, companion) == before


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[Path]:
    """A folder on another file system."""
    shm = Path("/dev/shm")
    if not shm.is_dir() or shm.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("no second file system")
    with tempfile.TemporaryDirectory(dir=shm) as folder:
        yield Path(folder)


@pytest.mark.parametrize("away", ["worktree", "companion"])
async def test_each_part_stays_on_its_own_file_system(
    place: Place, elsewhere: Path, tmp_path: Path, away: str
) -> None:
    companion = (elsewhere if away == "companion" else tmp_path) / "task"
    companion.mkdir()
    (companion / "HEAD").write_text("x")
    if away == "worktree":
        record = await create_worktree(place.repository, elsewhere, name="away")
        place = Place(place.repository, record)
    before = snapshot(place.path, companion)
    entry = await place.remove(companions=[companion])
    assert not place.path.exists()
    assert not companion.exists()
    await restore_worktree(place.repository, entry.id)
    assert snapshot(place.path, companion) == before


async def test_an_adopted_worktree_anywhere(place: Place, tmp_path: Path) -> None:
    path = tmp_path / "my projects" / "näme\nwith \udcff"
    git(place.folder, "worktree", "add", "-q", "-b", "mine", str(path))
    (path / "new").write_text("x")
    before = snapshot(path)
    statuses = await list_worktrees(place.repository, {place.record.metadata: place.record})
    (status,) = [status for status in statuses if status.branch == "mine"]
    entry = await remove_worktree(place.repository, status, None, force=True)
    assert entry.place is not None
    assert Path(entry.place).parent == path.parent / ".ctui-trash"
    assert git(path.parent, "init", "-q") == ""
    assert git(path.parent, "status", "--porcelain") == ""
    await restore_worktree(place.repository, entry.id)
    assert snapshot(path) == before
    assert {found.name for found in path.parent.iterdir()} == {path.name, ".git"}


async def test_inside_a_checkout_git_clean_does_not_find_the_trash(place: Place) -> None:
    path = place.folder / "inside"
    git(place.folder, "worktree", "add", "-q", "-b", "mine", str(path))
    before = snapshot(path)
    statuses = await list_worktrees(place.repository, {})
    (status,) = [status for status in statuses if status.branch == "mine"]
    entry = await remove_worktree(place.repository, status, None, force=True)
    assert git(place.folder, "status", "--porcelain", "--ignored") == ""
    git(place.folder, "clean", "-ffdxq")
    await restore_worktree(place.repository, entry.id)
    assert snapshot(path) == before


async def test_a_holder_of_somebody_else_is_not_used(place: Place) -> None:
    holder = place.path.parent / ".ctui-trash"
    holder.symlink_to("/tmp")
    entry = await place.remove()
    assert entry.place is not None
    assert Path(entry.place).parent.name == f".ctui-trash-{os.geteuid()}"
    await restore_worktree(place.repository, entry.id)
    Path(f"{holder}-{os.geteuid()}").symlink_to("/tmp")
    with pytest.raises(Refused, match="not a folder of yours"):
        await place.remove()
    assert (await place.look()).problem is None


class TestOldLayout:
    """`.trash/<id>` beside the worktree, with the only record in it."""

    def _lay(self, place: Place, *, whole: bool) -> str:
        entry_id = "20250101-000000-abcdef"
        holder = place.path.parent / ".trash" / entry_id
        holder.mkdir(parents=True)
        entry = TrashEntry(
            id=entry_id,
            name="work",
            path=str(place.path),
            metadata=str(place.metadata),
            repository=str(place.repository.common_dir),
            branch="ctui/work",
            head=place.git("rev-parse", "HEAD"),
            removed=1,
            record=place.record,
        )
        (holder / "entry.json").write_bytes(msgspec.json.encode(entry))
        git(place.folder, "update-ref", f"refs/ctui/trash/{entry_id}/head", "HEAD")
        (place.folder / ".git" / "ctui-trash").mkdir()
        place.path.rename(holder / "worktree")
        if whole:
            place.metadata.rename(place.folder / ".git" / "ctui-trash" / entry_id)
        return entry_id

    async def test_it_is_listed_and_restored(self, place: Place) -> None:
        (place.path / "new").write_text("x")
        before = snapshot(place.path)
        entry_id = self._lay(place, whole=True)
        assert [entry.id for entry in await trash_entries(place.repository)] == [entry_id]
        await restore_worktree(place.repository, entry_id)
        assert snapshot(place.path) == before
        assert pins(place.folder) == []

    async def test_what_a_crash_cut_off_goes_back(self, place: Place) -> None:
        before = snapshot(place.path)
        self._lay(place, whole=False)
        assert await recover(place.repository) == []
        assert snapshot(place.path) == before
        assert await trash_entries(place.repository) == []


async def test_a_repository_that_was_moved_finds_its_trash(place: Place, tmp_path: Path) -> None:
    (place.path / "new").write_text("x")
    entry = await place.remove()
    place.folder.rename(tmp_path / "elsewhere")
    moved = open_repository(tmp_path / "elsewhere")
    assert [known.id for known in await trash_entries(moved)] == [entry.id]
    restored = await restore_worktree(moved, entry.id)
    assert restored.record is not None
    back = Place(moved, restored.record)
    assert back.path == place.path
    assert back.git("status", "--porcelain") == "?? new"
    assert (await back.look()).problem is None


async def test_a_damaged_record_is_named_and_nothing_of_it_goes(place: Place) -> None:
    entry = await place.remove()
    (record,) = (place.repository.common_dir / "ctui-trash").glob("*.json")
    record.write_text("{}")
    assert damaged_records(place.repository) == [record]
    assert await trash_entries(place.repository) == []
    await purge(place.repository, older_than=0)
    assert Path(str(entry.place)).is_dir()
