"""Carried folders that the trash need not keep: they are still what was copied.

A folder is left out only where each thing in it is as the environment has it, by name, kind, mode,
size and time, and where nothing in it was touched since it was copied (a time that nobody can set
back, but for root). Whatever is in doubt stays in the trash. A restore copies it again.

What is known of it lies with the worktree's metadata, which no task can write, and goes with it.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import stat
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path

import msgspec

from ctui.environments.build.carried_file import CARRIED_FILE
from ctui.environments.build.carrying import copy_kept, is_real_folder
from ctui.environments.records import erase
from ctui.errors import CtuiError
from ctui.files import replace_file
from ctui.small_file import read_small_file
from ctui.text import one_line

_LIMIT = 1 << 16
_MOST = 2_000_000
"""Things in a folder that are looked at; one with more of them stays."""

Kept = Callable[[str], Path]
"""Returns where an environment's own copies are, by its id."""


class Carried(msgspec.Struct, frozen=True, omit_defaults=True):
    """Folders of a worktree that came from an environment."""

    environment: str
    at: int
    """Time at which all of them were copied, in nanoseconds since the epoch."""
    folders: tuple[str, ...]
    left_out: tuple[str, ...] = ()
    """Those that the trash does without."""
    erasing: tuple[str, ...] = ()
    """Names at the worktree's root under which they are erased."""


def note_carried(metadata: Path, environment: str, folders: Iterable[str]) -> None:
    """Remember what was just copied into a worktree."""
    chosen = tuple(folders)
    if chosen:
        _write(metadata, Carried(environment, time.time_ns(), chosen))


def leave_out(metadata: Path, place: Path, kept: Kept) -> list[str]:
    """Erase carried folders of a worktree in the trash that a restore can copy; return their paths.

    Args:
        metadata: of the worktree, where it is now.
        place: the worktree in the trash, where nobody works.
        kept: where the environments' own copies are.
    """
    known = _read(metadata)
    if known is None:
        return []
    # What an earlier restore could not end is over: whatever is there now counts.
    known = msgspec.structs.replace(known, left_out=(), erasing=())
    _write(metadata, known)
    source = kept(known.environment)
    gone: list[str] = []
    for path in known.folders:
        if not (is_real_folder(place, path) and is_real_folder(source, path)):
            continue
        if not is_untouched(place / path, source / path, known.at):
            continue
        name = f".ctui-left-out-{secrets.token_hex(8)}"
        known = msgspec.structs.replace(
            known, left_out=(*known.left_out, path), erasing=(*known.erasing, name)
        )
        _write(metadata, known)
        (place / path).rename(place / name)  # it is there as a whole, or not at all
        erase(place / name)
        gone.append(path)
    return gone


async def bring_back(metadata: Path, worktree: Path, kept: Kept) -> list[str]:
    """Copy again what a restored worktree lacks; return a note for each that cannot be copied."""
    known = await asyncio.to_thread(_read, metadata)
    if known is None or not known.left_out:
        return []
    notes = []
    source = kept(known.environment)
    for path in known.left_out:
        try:
            await copy_kept(source, (path,), worktree)
        except CtuiError as error:
            notes.append(error.one_line())
        if not is_real_folder(worktree, path):
            shown = one_line(path, 100)
            notes.append(f"{shown} came from an environment that is gone: set it up again")
    for name in known.erasing:
        if is_real_folder(worktree, name):
            await asyncio.to_thread(erase, worktree / name)
    again = msgspec.structs.replace(known, at=time.time_ns(), left_out=(), erasing=())
    await asyncio.to_thread(_write, metadata, again)
    return notes


def needed_environments(trash: Path) -> set[str]:
    """Return the ids of environments that a restore from a repository's trash copies from."""
    with suppress(OSError):
        known = [_read(metadata) for metadata in trash.iterdir()]
        return {one.environment for one in known if one is not None and one.left_out}
    return set()


def is_untouched(folder: Path, original: Path, copied: int) -> bool:
    """Return True if a folder is what was copied from another one, and nobody wrote in it since."""
    try:
        there, wanted = _things(folder), _things(original)
        for (name, now), (known, before) in zip(there, wanted, strict=True):
            if name != known or now.st_ctime_ns > copied or not _alike(now, before):
                return False
            if (
                stat.S_ISLNK(now.st_mode)
                and (folder / name).readlink() != (original / name).readlink()
            ):
                return False
    except (OSError, ValueError):
        return False  # one of them has more, or cannot be read
    return True


def _things(folder: Path) -> Iterator[tuple[str, os.stat_result]]:
    """Yield everything in a folder with its path, in one order; no link is followed."""
    left = _MOST
    waiting = [""]
    while waiting:
        here = waiting.pop()
        yield here or ".", (folder / here).lstat()
        with os.scandir(folder / here) as entries:
            found = sorted(entries, key=lambda entry: entry.name)
        left -= len(found)
        if left < 0:
            raise ValueError("too many")
        for entry in found:
            path = f"{here}/{entry.name}" if here else entry.name
            if entry.is_dir(follow_symlinks=False):
                waiting.append(path)
            else:
                yield path, entry.stat(follow_symlinks=False)


def _alike(now: os.stat_result, before: os.stat_result) -> bool:
    same = (now.st_mode, now.st_mtime_ns) == (before.st_mode, before.st_mtime_ns)
    return same and (stat.S_ISDIR(now.st_mode) or now.st_size == before.st_size)


def _read(metadata: Path) -> Carried | None:
    try:
        return msgspec.json.decode(read_small_file(metadata / CARRIED_FILE, _LIMIT), type=Carried)
    except (OSError, msgspec.MsgspecError):
        return None


def _write(metadata: Path, carried: Carried) -> None:
    replace_file(metadata / CARRIED_FILE, msgspec.json.encode(carried))
