"""Records of the trash, and the places of what they describe.

A removed worktree is renamed, never deleted, so its folder stays on its own file system: it goes to
`.ctui-trash/<id>` beside where it was. Its metadata goes to `ctui-trash/<id>` in the repository's
git directory, and the record of it all is `ctui-trash/<id>.json` there, so that every entry of a
repository is found in one place. `refs/ctui/trash/<id>/…` keep its objects from being collected.

    removing ──> checked ──> removed ──> restoring ──> restored ──> (no record)
                                └──> purging ──> (no record)

A record is written before anything happens, so `recovery` can end whatever a crash cut off.
"""

from __future__ import annotations

import json
import os
import secrets
import stat
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

import msgspec

from ctui.errors import NotFound, Refused, Unavailable
from ctui.files import replace_file, sync_folder
from ctui.git.repository.repository import Repository
from ctui.worktrees.model import WorktreeRecord

_HOLDER = ".ctui-trash"

Stage = Literal["removing", "checked", "removed", "restoring", "restored", "purging"]


class TrashEntry(msgspec.Struct, frozen=True, kw_only=True):
    """Removed worktree, as a person sees it."""

    id: str
    name: str
    path: str
    """Former path."""
    metadata: str
    """Former path of its metadata, below `.git/worktrees`."""
    repository: str
    branch: str | None
    head: str | None
    removed: int
    """Time in nanoseconds since the epoch."""
    record: WorktreeRecord | None = None
    place: str | None = None
    """Present path of its files; None if they were gone already when it was removed."""
    branch_deleted: bool = False
    tasks: tuple[str, ...] = ()
    """Ids of the tasks that were taken off the list together with it."""


class Moved(msgspec.Struct, frozen=True, kw_only=True):
    """Folder that goes into the trash, and the facts that identify it there."""

    part: Literal["metadata", "worktree", "companion"]
    source: str
    target: str
    inode: int
    mode: int
    """Permission bits, which a rename may have to lift for a moment."""


class BranchRecord(msgspec.Struct, frozen=True, kw_only=True):
    """Branch as the worktree left it."""

    name: str
    tip: str | None
    """Commit, or None if the branch has none yet."""
    checked_out: bool
    """False while a rebase or bisect works on it with a detached HEAD."""
    config: list[tuple[str, str]] = []
    """Keys and values of the repository's configuration after `branch.<name>.`."""
    reflog: str | None = None
    deleted: bool = False
    """True if it was to be deleted together with the worktree."""


class Way(msgspec.Struct, frozen=True, kw_only=True):
    """Destination of a restore, decided once and kept over a crash."""

    path: str
    metadata: str
    branch: str | None = None
    """Branch that HEAD names after the restore, or None if HEAD is detached."""
    create: str | None = None
    """Branch that is made at the recorded tip, if any."""
    notes: list[str] = []


class TrashRecord(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that removal, restore and purge know of an entry."""

    stage: Stage
    entry: TrashEntry
    moved: list[Moved]
    """In the order of the removal."""
    branch: BranchRecord | None = None
    way: Way | None = None

    def part(self, name: Literal["metadata", "worktree"]) -> Moved | None:
        return next((moved for moved in self.moved if moved.part == name), None)


def new_id() -> str:
    """Return a new id; ids sort by time."""
    return f"{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(4)}"


def trash_folder(repository: Repository) -> Path:
    """Return the folder of the records and the metadata."""
    return repository.common_dir / "ctui-trash"


def records(repository: Repository) -> list[TrashRecord]:
    """Return all records, oldest first, without those that cannot be read."""
    found = [record for record in _all_records(repository).values() if record is not None]
    return sorted(found, key=lambda record: (record.entry.removed, record.entry.id))


def entry_around(repository: Repository, path: Path) -> str | None:
    """Return the id of the entry that a path is in now, or None."""
    for record in records(repository):
        place = record.entry.place
        if record.stage == "removed" and place is not None and path.is_relative_to(place):
            return record.entry.id
    return None


def damaged_records(repository: Repository) -> list[Path]:
    """Return the files of unreadable records, whose entries are in the trash all the same."""
    return sorted(path for path, record in _all_records(repository).items() if record is None)


def _all_records(repository: Repository) -> dict[Path, TrashRecord | None]:
    found: dict[Path, TrashRecord | None] = {}
    for path in trash_folder(repository).glob("*.json"):
        try:
            plain = _where_it_is_now(json.loads(path.read_bytes()), repository)
            found[path] = msgspec.convert(plain, TrashRecord)
        except FileNotFoundError:
            continue  # restored or purged meanwhile
        except (OSError, ValueError, LookupError, TypeError):
            found[path] = None
    return found


def _where_it_is_now(plain: Any, repository: Repository) -> Any:
    """Adapt the paths of a record to the repository's present place."""
    old, new = plain["entry"]["repository"], str(repository.common_dir)

    def moved(value: Any) -> Any:
        match value:
            case dict():
                return {key: moved(item) for key, item in value.items()}
            case list():
                return [moved(item) for item in value]
            case str() if value == old or value.startswith(f"{old}/"):
                return new + value[len(old) :]
        return value

    return plain if old == new else moved(plain)


def read_record(repository: Repository, entry_id: str) -> TrashRecord:
    """Return one record. Raises NotFound."""
    for record in records(repository):
        if record.entry.id == entry_id:
            return record
    raise NotFound(f"{entry_id!r} is not in the trash", hint="`ctui worktree trash` shows what is")


def write_record(repository: Repository, record: TrashRecord) -> None:
    """Write a record that survives a power failure.

    Raises:
        Unavailable: the disk does not take it; the record is as it was.
    """
    folder = trash_folder(repository)
    # json keeps the bytes of a path that is not UTF-8, which msgspec refuses.
    data = json.dumps(msgspec.to_builtins(record)).encode()
    try:
        replace_file(folder / f"{record.entry.id}.json", data, suffix="new")
    except OSError as error:
        raise Unavailable(
            f"the trash {folder} cannot be written: {error.strerror}",
            hint="make room, or make it writable",
        ) from error


def forget_record(repository: Repository, record: TrashRecord) -> None:
    (trash_folder(repository) / f"{record.entry.id}.json").unlink(missing_ok=True)
    sync_folder(trash_folder(repository))


def holder_beside(folder: Path, repository: Repository) -> Path:
    """Return the folder, on the file system of `folder`, for what is removed from beside it.

    Inside a checkout it would be an untracked folder, which `git clean` deletes; there the
    repository's own git directory takes it, if that is on the same file system.

    Raises:
        Refused: somebody else's folders are in the way.
    """
    parent = folder.parent
    inside = any((above / ".git").exists() for above in (parent, *parent.parents))
    if inside and parent.stat().st_dev == repository.common_dir.stat().st_dev:
        return trash_folder(repository) / "worktrees"
    for name in (_HOLDER, f"{_HOLDER}-{os.geteuid()}"):
        if _usable(parent / name):
            return parent / name
    raise Refused(f"{parent / _HOLDER} is not a folder of yours", hint="remove it, then try again")


def make_holder(holder: Path) -> None:
    holder.mkdir(mode=0o700, exist_ok=True)
    if not _usable(holder):
        raise Refused(f"{holder} is not a folder of yours", hint="remove it, then try again")
    if not holder.name.startswith(_HOLDER):
        return  # inside the git directory nothing is untracked
    with suppress(FileExistsError):
        descriptor = os.open(holder / ".gitignore", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(b"*\n")


def tidy_holder(holder: Path) -> None:
    """Remove the folder if it is empty."""
    with suppress(OSError):
        if {path.name for path in holder.iterdir()} <= {".gitignore"}:
            (holder / ".gitignore").unlink(missing_ok=True)
            holder.rmdir()


def _usable(holder: Path) -> bool:
    try:
        status = holder.lstat()
    except FileNotFoundError:
        return True
    ours = status.st_uid == os.geteuid() and not status.st_mode & 0o022
    return stat.S_ISDIR(status.st_mode) and ours
