"""Removing a worktree without losing anything: it is renamed, never deleted.

An entry is a folder `.trash/<id>` beside the worktree, with `worktree` and `entry.json`; the
metadata goes to `ctui-trash/<id>` in the repository's git directory, which may lie on another file
system. Its commits are pinned by `refs/ctui/trash/<id>/…`, so that garbage collection keeps them.
"""

from __future__ import annotations

import os
import re
import secrets
import time
from pathlib import Path

import msgspec

from ctui.errors import Conflict, CtuiError, NotFound, Refused, Unavailable
from ctui.git.command import run_git
from ctui.git.repository import Repository
from ctui.worktrees.model import WorktreeRecord, WorktreeStatus
from ctui.worktrees.status import worktree_status

_OID = re.compile(r"[0-9a-f]{40}")
_ENTRY = "entry.json"


class TrashEntry(msgspec.Struct, frozen=True, kw_only=True):
    """What is needed to put a worktree back."""

    id: str
    name: str
    path: str
    metadata: str
    repository: str
    branch: str | None
    head: str | None
    removed: int
    """Nanoseconds since the epoch."""
    record: WorktreeRecord | None = None


async def remove_worktree(
    repository: Repository,
    status: WorktreeStatus,
    record: WorktreeRecord | None,
    *,
    force: bool = False,
) -> TrashEntry:
    """Move a worktree into the trash.

    Args:
        repository: whose worktree it is.
        status: what the person saw; what changed since then is a reason to refuse.
        record: ctui's own record of it.
        force: also if it is unclean.

    Raises:
        Refused: it is unclean or locked, or there is a problem with it.
        Conflict: it changed since `status` was taken.
    """
    metadata = Path(record.metadata) if record else _metadata(repository, status)
    now = await worktree_status(repository, metadata, record, repository.target())
    check_removal(now, force=force)
    if (now.head, now.changes) != (status.head, status.changes):
        raise Conflict(f"{status.name} changed meanwhile", hint="look at it again, then remove it")
    path = Path(status.path)
    entry = TrashEntry(
        id=f"{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(3)}",
        name=status.name,
        path=str(path),
        metadata=str(metadata),
        repository=str(repository.common_dir),
        branch=now.branch,
        head=now.head,
        removed=time.time_ns(),
        record=record,
    )
    await _pin(metadata, entry)
    place = path.parent / ".trash" / entry.id
    try:
        place.mkdir(mode=0o700, parents=True)
        _write_synced(place / _ENTRY, msgspec.json.encode(entry))
        _metadata_place(entry).parent.mkdir(mode=0o700, exist_ok=True)
        path.rename(place / "worktree")
        metadata.rename(_metadata_place(entry))
    except OSError as error:
        _put_back(place, entry)
        raise Unavailable(f"{path} cannot be moved to the trash: {error.strerror}") from error
    return entry


def restore_worktree(folder: Path, entry_id: str) -> TrashEntry:
    """Put a worktree back where it was.

    Args:
        folder: that holds the worktrees, and their `.trash`.
        entry_id: as `remove_worktree` gave it.

    Raises:
        NotFound: there is no such entry.
        Conflict: something else is at its place.
    """
    place = folder / ".trash" / entry_id
    try:
        entry = msgspec.json.decode((place / _ENTRY).read_bytes(), type=TrashEntry)
    except (OSError, msgspec.DecodeError) as error:
        raise NotFound(f"{entry_id} is not in the trash", hint="`ctui worktree trash`") from error
    for path in (entry.path, entry.metadata):
        if Path(path).exists():
            raise Conflict(f"{path} exists again", hint="move it away first")
    _put_back(place, entry)
    (place / _ENTRY).unlink()
    place.rmdir()
    return entry


def trash_entries(folder: Path) -> list[TrashEntry]:
    """Everything that can be restored below a folder of worktrees, oldest first."""
    found: list[TrashEntry] = []
    for path in sorted((folder / ".trash").glob(f"*/{_ENTRY}")):
        try:
            found.append(msgspec.json.decode(path.read_bytes(), type=TrashEntry))
        except (OSError, msgspec.DecodeError):
            continue
    return found


def check_removal(status: WorktreeStatus, *, force: bool) -> None:
    """Whether a worktree in this state may be removed.

    Raises:
        Refused: it is unclean (without `force`) or locked, or there is a problem with it.
    """
    if status.locked is not None:
        raise Refused(f"{status.name} is locked: {status.locked}", hint="git worktree unlock")
    if status.problem is not None and not (force and status.problem == "submodules-unchecked"):
        raise Refused(f"{status.name} is {status.problem}", hint="look at it by hand")
    if status.status == "unclean" and not force:
        changes = status.changes
        what = "uncommitted changes" if changes and changes.any else status.verdict.evidence
        raise Refused(f"{status.name} is unclean: {what}", hint="--force moves it to the trash")


async def _pin(metadata: Path, entry: TrashEntry) -> None:
    """Name everything that only the worktree's own index, HEAD and reflog held."""
    prefix = f"refs/ctui/trash/{entry.id}"
    pins = {f"{prefix}/head": entry.head} if entry.head else {}
    log = metadata / "logs" / "HEAD"
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines() if log.is_file() else []
    seen = dict.fromkeys(line.split()[1] for line in lines if len(line.split()) > 1)
    for number, commit in enumerate(oid for oid in seen if _OID.fullmatch(oid)):
        pins[f"{prefix}/log-{number}"] = commit
    pins[f"{prefix}/index"] = await _index_tree(metadata)
    for ref, commit in pins.items():
        try:
            await run_git(["update-ref", ref, commit], git_dir=metadata)
        except CtuiError:
            if ref.endswith(("/head", "/index")):
                raise  # an old reflog may name what is gone already; these two must hold


async def _index_tree(metadata: Path) -> str:
    """A tree of every blob that the index names, conflict stages included."""
    staged = await run_git(["ls-files", "--stage", "-z"], git_dir=metadata)
    blobs = {
        field.split()[1]
        for field in staged.stdout.decode("utf-8", "surrogateescape").split("\0")
        if field and not field.startswith("160000")
    }
    listing = "".join(f"100644 blob {oid}\t{oid}\0" for oid in sorted(blobs))
    made = await run_git(["mktree", "-z", "--missing"], git_dir=metadata, input=listing.encode())
    return made.stdout.decode().strip()


def _put_back(place: Path, entry: TrashEntry) -> None:
    moved = {place / "worktree": Path(entry.path), _metadata_place(entry): Path(entry.metadata)}
    for source, target in moved.items():
        if source.exists() and not target.exists():
            # Git removes its folder of worktrees together with the last of them.
            target.parent.mkdir(parents=True, exist_ok=True)
            source.rename(target)


def _metadata_place(entry: TrashEntry) -> Path:
    # As deep below the git directory as before: its `commondir` is a relative path.
    return Path(entry.repository) / "ctui-trash" / entry.id


def _metadata(repository: Repository, status: WorktreeStatus) -> Path:
    for folder in (repository.common_dir / "worktrees").iterdir():
        link = folder / "gitdir"
        if link.is_file() and Path(link.read_text().strip()).parent == Path(status.path):
            return folder
    raise NotFound(f"{status.name} is no worktree of {repository.name}")


def _write_synced(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
