"""Checks that a worktree is the recorded one; its own folder is never believed.

A list asks all of this of each of hundreds of worktrees: paths of files are put together as text,
which takes a tenth of the time.
"""

from __future__ import annotations

import errno
import os
import re
import stat
from pathlib import Path

from ctui.errors import NotFound
from ctui.git.repository.repository import Repository
from ctui.small_file import read_small_file
from ctui.worktrees.model import Problem, State, WorktreeRecord

_LINK_LIMIT = 1 << 16
_LOG_LIMIT = 1 << 20
_OID = re.compile(r"[0-9a-f]{40}")

_STATES: tuple[tuple[str, State], ...] = (
    # A rebase that stops also leaves the marks of a cherry-pick, so it is tested first.
    ("rebase-merge", "rebase"),
    ("rebase-apply/applying", "am"),
    ("rebase-apply", "rebase"),
    ("MERGE_HEAD", "merge"),
    ("CHERRY_PICK_HEAD", "cherry-pick"),
    ("REVERT_HEAD", "revert"),
    ("BISECT_LOG", "bisect"),
)
_ACTIVE = ("index", "HEAD", "logs/HEAD", "FETCH_HEAD", "COMMIT_EDITMSG")


def checked_path(
    repository: Repository, metadata: Path, record: WorktreeRecord | None
) -> tuple[Path, Problem | None]:
    """Return the folder of a worktree, after checking that both of its ends name each other."""
    link = named_place(metadata)
    path = Path(record.path) if record else link
    if link != path and place_of(link) != place_of(path):
        return path, "moved" if record is not None and _is_recorded(link, record) else "tampered"
    if not _leads_to(metadata, text_of(f"{metadata}/commondir"), repository.common_dir):
        return path, "tampered"
    try:
        status = path.lstat()
    except FileNotFoundError:
        return path, "missing"
    except (OSError, ValueError):
        return path, "unreadable"
    # The device is not compared: some file systems get another number at each mount.
    if record is not None and status.st_ino != record.inode:
        return path, "tampered"
    try:
        if stat.S_ISLNK(status.st_mode) or not stat.S_ISREG(os.lstat(f"{path}/.git").st_mode):
            return path, "tampered"
    except FileNotFoundError:
        # By its inode it is the folder that was made; without a record nothing would say so.
        return path, "unlinked" if record is not None else "tampered"
    except OSError:
        return path, "unreadable"
    named = metadata_of(path)
    if named != metadata and _real(named) != _real(metadata):
        return path, "tampered"
    # Root's worktrees belong to the uid of its tasks; other users only use their own.
    return path, "foreign-owner" if os.geteuid() not in {0, status.st_uid} else None


def _is_recorded(path: Path, record: WorktreeRecord) -> bool:
    """Return True if the recorded folder is at another path, as after `git worktree move`."""
    try:
        status = path.lstat()
    except (OSError, ValueError):
        return False
    same = stat.S_ISDIR(status.st_mode) and status.st_ino == record.inode
    return same and _real(metadata_of(path)) == _real(Path(record.metadata))


def named_place(metadata: Path) -> Path:
    """Return the folder that git's metadata of a worktree names, not yet checked."""
    return _named(metadata, text_of(f"{metadata}/gitdir")).parent


def moved_to(record: WorktreeRecord) -> Path | None:
    """Return the folder of a recorded worktree where it was moved, as by `git worktree move`."""
    link = named_place(Path(record.metadata))
    if str(link) == record.path or place_of(link) == place_of(Path(record.path)):
        return None
    return link if _is_recorded(link, record) else None


def metadata_of(path: Path) -> Path:
    """Return the metadata folder that a worktree's `.git` file names, not yet checked."""
    return _named(path, text_of(f"{path}/.git").removeprefix("gitdir:").strip())


def place_of(path: Path) -> Path:
    """Return a path with no link on the way to it; what it names may be a link itself.

    Git writes the paths of worktrees so, whatever way a person came.
    """
    parent = _real(path.parent)
    return parent / path.name if parent is not None else path


def _real(path: Path) -> Path | None:
    """Resolve a path, or return None for a loop of links or an invalid path."""
    try:
        return path.resolve()
    except (OSError, ValueError, RuntimeError):
        return None


def _leads_to(folder: Path, name: str, there: Path) -> bool:
    """Return True if a path that is given from a folder is, after all links, that of `there`."""
    try:
        return os.path.realpath(os.path.join(folder, name)) == str(there)  # noqa: PTH118
    except (OSError, ValueError):
        return False


def _named(folder: Path, name: str) -> Path:
    """Return the target of a link; git writes relative ones too (`worktree.useRelativePaths`)."""
    return Path(os.path.normpath(name if name.startswith("/") else place_of(folder) / name))


def ref_of(metadata: Path) -> str:
    """Return the full name of the branch that its HEAD is on, or the commit of a detached one."""
    return text_of(f"{metadata}/HEAD").removeprefix("ref:").strip()


def head_of(repository: Repository, metadata: Path, ref: str = "") -> str | None:
    """Return the commit of its HEAD, or None for an unborn branch or an unreadable one.

    Args:
        repository: of the worktree.
        metadata: of the worktree.
        ref: what `ref_of` has just said of it.
    """
    ref = ref or ref_of(metadata)
    if not ref.startswith("refs/") and not _OID.fullmatch(ref):
        return None
    try:
        return repository.resolve(ref)
    except NotFound:
        return None


def state_of(metadata: Path) -> State | None:
    """Return the operation that it is in the middle of, or None."""
    try:
        there = os.listdir(metadata)  # noqa: PTH208 - names only
    except OSError:
        return None
    for name, state in _STATES:
        folder, _, inside = name.partition("/")
        if folder in there and (not inside or os.path.exists(f"{metadata}/{name}")):  # noqa: PTH110
            return state
    return None


def lock_of(metadata: Path) -> str | None:
    """Return the reason of its lock ("" if none was given), or None if it is not locked."""
    path = f"{metadata}/locked"
    return text_of(path) if os.path.isfile(path) else None  # noqa: PTH113


def last_active(metadata: Path) -> int:
    """Return when git last wrote its state: nanoseconds since the epoch, 0 if unknown."""
    times = [0]
    for name in _ACTIVE:
        try:
            times.append(os.lstat(f"{metadata}/{name}").st_mtime_ns)
        except OSError:
            continue
    return max(times)


def only_created(repository: Repository, metadata: Path) -> bool:
    """Return True if no reflog has a move of its branch; used if its base was not recorded.

    A line of a reflog begins with the old and the new object id.
    """
    ref = ref_of(metadata)
    on_branch = ref.startswith("refs/heads/") and ".." not in ref
    log = f"{repository.common_dir}/logs/{ref}" if on_branch else f"{metadata}/logs/HEAD"
    try:
        lines = read_small_file(log, _LOG_LIMIT).splitlines()
    except OSError as error:
        return error.errno != errno.EFBIG
    return len({line[41:81] for line in lines}) <= 1


def text_of(path: Path | str) -> str:
    """Return the stripped text of a small file, or "" if it cannot be read or is none."""
    try:
        data = read_small_file(path, _LINK_LIMIT)
    except OSError:
        return ""
    return data.decode("utf-8", "surrogateescape").strip()
