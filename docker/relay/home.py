"""The task's home folder: what is written into it, what must not stay in it, and its size.

All but the measuring happens before the CLI starts. Nothing else runs then, but whatever an earlier
run left there is hostile: links, folders in a file's place, and the other way round.
"""

from __future__ import annotations

import contextlib
import hashlib
import mmap
import os
import re
import stat
import string
import time
import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from streams import json_object

SET_ASIDE = ".ctui-set-aside"
_CONFIG = ".claude.json"
_CONFIG_LIMIT = 16 << 20
_KNOWN_LIMIT = 8 << 20
"""Bytes; ctui writes nothing there that is longer."""
_SESSION = re.compile(r"(--session-id|--resume)=([0-9A-Za-z-]{1,64})")
_SPOKEN = re.compile(rb'"type":\s*"(user|assistant)"')
_LONGEST_FOLDER = 200
_DIGITS = string.digits + string.ascii_lowercase
_ALPHANUMERIC = frozenset(string.digits + string.ascii_letters)
_ENTRIES = 300_000
"""Entries that one measuring looks at; beyond it the figures say at least that much."""
_DEPTH = 500


def _path_below(name: str) -> PurePosixPath:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or not path.parts:
        raise ValueError(f"{name!r} is not below the home folder")
    return path


def write_files(files: Mapping[str, Any], home: str) -> None:
    """Create the files below `home`; a link on the way is an error, not a way out of it."""
    for name, entry in files.items():
        path = _path_below(name)
        folder = os.open(home, os.O_RDONLY | os.O_DIRECTORY)
        for part in path.parts[:-1]:
            with contextlib.suppress(FileExistsError):
                os.mkdir(part, 0o700, dir_fd=folder)
            inner = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=folder)
            os.close(folder)
            folder = inner
        mode = int(entry.get("mode", 0o600))
        temporary = f".{path.name}.new"
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary, dir_fd=folder)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
        with os.fdopen(os.open(temporary, flags, mode, dir_fd=folder), "wb") as file:
            file.write(str(entry["content"]).encode())
        os.replace(temporary, path.name, src_dir_fd=folder, dst_dir_fd=folder)
        os.close(folder)


# -- what an earlier run left


def set_aside(home: str, guarded: Sequence[str], known: Mapping[str, Sequence[str]]) -> list[str]:
    """Move what ctui did not write out of the CLI's sight, and return the names of it.

    Args:
        home: the folder.
        guarded: files and folders below it that the CLI reads as settings.
        known: SHA-256 of contents that a guarded file may have: an earlier ctui wrote them.
    """
    root = Path(home)
    shelf = root / SET_ASIDE
    if shelf.is_symlink() or (shelf.exists() and not shelf.is_dir()):
        shelf.unlink()
    place = shelf / time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    moved: list[str] = []
    for name in guarded:
        found = _foreign(root, _path_below(name), known.get(name, ()))
        if found is not None and str(found) not in moved:
            target = _free(place / found)
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            (root / found).rename(target)
            moved.append(str(found))
    return moved


def _foreign(root: Path, path: PurePosixPath, known: Sequence[str]) -> PurePosixPath | None:
    """Return what has to go, which is a part of the way where that is no folder."""
    for parent in [*reversed(path.parents)][1:]:
        if not _exists(root / parent):
            return None
        if not _is_real(root / parent, stat.S_ISDIR):
            return parent
    full = root / path
    if not _exists(full):
        return None
    if _is_real(full, stat.S_ISDIR):
        return path if _holds_something(full) else None
    if not _is_real(full, stat.S_ISREG):
        return path
    if path.name == _CONFIG:
        return path if _speaks(full) else None
    if full.stat().st_size > _KNOWN_LIMIT:
        return path
    return None if hashlib.sha256(full.read_bytes()).hexdigest() in known else path


def _holds_something(folder: Path) -> bool:
    """Return True unless there are only folders in it, as the CLI itself makes them."""
    return any(
        files or any((Path(path) / name).is_symlink() for name in folders)
        for path, folders, files in os.walk(folder)
    )


def _exists(path: Path) -> bool:
    return os.path.lexists(path)


def _is_real(path: Path, kind: Any) -> bool:
    return bool(kind(path.lstat().st_mode))


def _free(path: Path) -> Path:
    number = 0
    free = path
    while _exists(free):
        number += 1
        free = path.with_name(f"{path.name}.{number}")
    return free


def _speaks(path: Path) -> bool:
    """Return True if the CLI's own file of state has servers or tools that somebody added."""
    if path.stat().st_size > _CONFIG_LIMIT:
        return True
    config = json_object(path.read_bytes())
    if config is None:
        return True
    projects = config.get("projects")
    parts = [config, *(projects.values() if isinstance(projects, dict) else ())]
    keys = ("mcpServers", "allowedTools", "enabledMcpjsonServers")
    return any(isinstance(part, dict) and part.get(key) for part in parts for key in keys)


# -- the conversation


def with_session(arguments: Sequence[str], home: str) -> tuple[list[str], bool]:
    """Return the command line that fits the sessions at home, and True if it resumes one.

    A session that exists cannot begin (`--session-id`), and one that does not cannot be resumed; a
    sandbox that was killed leaves its driver in doubt. A file in which nobody has said anything is
    neither to the CLI, so it goes out of the way.
    """
    changed = list(arguments)
    for index, argument in enumerate(arguments):
        if match := _SESSION.fullmatch(argument):
            resumes = _has_session(home, match[2])
            changed[index] = f"{'--resume' if resumes else '--session-id'}={match[2]}"
            return changed, resumes
    return changed, False


def _has_session(home: str, session: str) -> bool:
    spoken = False
    projects = Path(home, ".claude", "projects")
    here = projects / folder_of_sessions(str(Path.cwd()))
    for file in sorted(projects.glob(f"*/{session}.jsonl"), key=lambda one: one.parent != here):
        if _is_real(file, stat.S_ISREG) and _says_something(file):
            spoken = spoken or _bring(file, here, Path(home, SET_ASIDE))
        else:
            target = _free(Path(home, SET_ASIDE, file.name))
            target.parent.mkdir(mode=0o700, exist_ok=True)
            file.rename(target)
    return spoken


def _bring(file: Path, here: Path, aside: Path) -> bool:
    """Move a session to where the CLI looks for it; False if that cannot be done."""
    if file.parent == here:
        return True
    with contextlib.suppress(OSError):
        if _exists(here) and not _is_real(here, stat.S_ISDIR):
            aside.mkdir(mode=0o700, exist_ok=True)
            here.rename(_free(aside / here.name))
        here.mkdir(mode=0o700, exist_ok=True)
        for found in (file.with_suffix(""), file):
            if _exists(found) and not _exists(here / found.name):
                found.rename(here / found.name)
        return True
    return False


def folder_of_sessions(cwd: str) -> str:
    """Return what the CLI calls the folder of the sessions that began in a folder.

    It counts in units of UTF-16, and ends a long name with a hash.
    """
    units = memoryview(unicodedata.normalize("NFC", cwd).encode("utf-16-le")).cast("H")
    name = "".join(chr(unit) if chr(unit) in _ALPHANUMERIC else "-" for unit in units)
    if len(name) <= _LONGEST_FOLDER:
        return name
    number = 0
    for unit in units:
        number = (number * 31 + unit) & 0xFFFFFFFF
    number = min(number, (1 << 32) - number)
    digits = ""
    while number:
        number, digit = divmod(number, 36)
        digits = _DIGITS[digit] + digits
    return f"{name[:_LONGEST_FOLDER]}-{digits or '0'}"


def _says_something(file: Path) -> bool:
    with file.open("rb") as opened:
        if os.fstat(opened.fileno()).st_size == 0:
            return False
        # Mapped, because a task can make it longer than the memory is.
        with mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as content:
            return _SPOKEN.search(content) is not None


# -- its size


class Size(NamedTuple):
    """Size of a folder with all that is in it."""

    bytes: int
    files: int

    def differs(self, other: Size) -> bool:
        """Return True if either figure is more than a twentieth away from the other's."""
        return any(abs(new - old) * 20 > old for new, old in zip(self, other, strict=True))


def measure(home: str) -> Size:
    """Return what is allocated below `home`: no link is followed, no other file system entered."""
    root = os.open(home, os.O_RDONLY | os.O_DIRECTORY)
    device = os.fstat(root).st_dev
    total, count = 0, 0
    linked: set[int] = set()
    stack = [(root, os.scandir(root))]
    try:
        while stack and count < _ENTRIES:
            folder, entries = stack[-1]
            entry = next(entries, None)
            if entry is None:
                _leave(stack)
                continue
            try:
                found = os.stat(entry.name, dir_fd=folder, follow_symlinks=False)
                if found.st_dev != device or found.st_ino in linked:
                    continue
                count += 1
                total += found.st_blocks * 512
                if stat.S_ISDIR(found.st_mode) and len(stack) < _DEPTH:
                    stack.append(_enter(entry.name, folder))
                elif found.st_nlink > 1:
                    linked.add(found.st_ino)
            except OSError:
                continue  # it went away, or cannot be read
    finally:
        while stack:
            _leave(stack)
    return Size(total, count)


def _enter(name: str, parent: int) -> tuple[int, Any]:
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
    folder = os.open(name, flags, dir_fd=parent)
    try:
        return folder, os.scandir(folder)
    except OSError:
        os.close(folder)
        raise


def _leave(stack: list[tuple[int, Any]]) -> None:
    folder, entries = stack.pop()
    entries.close()
    os.close(folder)
