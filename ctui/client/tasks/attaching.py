"""Files and folders that a person gives with a message: copied, bounded, and put where tasks go."""

from __future__ import annotations

import os
import shutil
import stat
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from ctui.claude.protocol.media import HEAD, MEDIA_TYPES, fitting, media_type
from ctui.errors import InvalidInput, Unavailable
from ctui.paths import ATTACHED, Paths, private_folder
from ctui.tasks.attachments import head_of, staging
from ctui.text import one_line
from ctui.worktrees.bring.copying import copy_files

_MOST = 50
_NAME_BYTES = 200
_BYTES = 100 << 20
_FILES = 5_000
_OLD_SECONDS = 86_400
_HINT = f"at most {_FILES} files and {_BYTES >> 20} MiB: `ctui task cp` copies more"


class GivenFile(NamedTuple):
    """A file that came with a call, and lies nowhere on this machine."""

    name: str
    data: bytes
    media_type: str = ""
    """By the sender's word; an image or document is one by its beginning."""

    def check(self) -> None:
        """Raise InvalidInput if its name can be none, or it is not what it is said to be."""
        name = self.name
        plain = name.isprintable() and "/" not in name and name not in {"", ".", ".."}
        if not plain or len(os.fsencode(name)) > _NAME_BYTES:
            raise InvalidInput(f"{one_line(name, 100)!r} is no file's name", hint="a plain one")
        found = media_type(self.data[:HEAD])
        if self.media_type in MEDIA_TYPES and self.media_type != found:
            raise InvalidInput(
                f"{one_line(name, 100)} is no {self.media_type}",
                hint=f"it is {found}" if found else "leave its media_type out",
            )


@contextmanager
def staged(
    paths: Paths, sources: Sequence[str | GivenFile], say: Callable[[str], None]
) -> Iterator[str]:
    """Copy files and folders aside for the driver; give the name of that, "" without any.

    Args:
        paths: whose tasks.
        sources: paths of the person's, where a folder comes with all that is in it; or files.
        say: told what is left out, and what a message cannot show.

    Raises:
        CtuiError: one is missing, no file, or too large.
    """
    if not sources:
        yield ""
        return
    if len(sources) > _MOST:
        raise InvalidInput(
            f"{len(sources)} things are attached", hint=f"at most {_MOST}: attach their folder"
        )
    _forget_old(paths.state / "attaching")
    name = str(uuid.uuid4())
    folder = staging(paths, name)
    try:
        private_folder(folder)
        _copy_all(folder, sources, say)
        yield name
    finally:  # what a task took is not there any more
        shutil.rmtree(folder, ignore_errors=True)


def _copy_all(folder: Path, sources: Sequence[str | GivenFile], say: Callable[[str], None]) -> None:
    bytes_left, files_left = _BYTES, _FILES
    media: list[tuple[str, int]] = []
    for number, given in enumerate(sources):
        if isinstance(given, GivenFile):
            name, size = _write(given, folder / f"{number:02}", bytes_left)
            bytes_left, files_left = bytes_left - size, files_left - 1
            media += [(name, size)] if media_type(given.data[:HEAD]) else []
            continue
        source = Path(given).expanduser()
        real, files, size = _looked_at(source, bytes_left, files_left)
        bytes_left, files_left = bytes_left - size, files_left - len(files)
        name = one_line(real.name, 100).replace("/", "_") or "root"
        place = folder / f"{number:02}"
        place.mkdir()
        if real.is_dir():
            (place / name).mkdir()
            _copy(real, place / name, files, source, say)
        else:
            with suppress(OSError):
                media += [(name, size)] if media_type(head_of(real)) else []
            _copy(real.parent, place, [os.fsencode(real.name)], source, say)
            (place / real.name).rename(place / name)
    _readable(folder)
    for (name, _), fits in zip(media, fitting(size for _, size in media), strict=True):
        if not fits:
            say(f"{name} is too large to be shown: Claude can read it ({ATTACHED}/{name})")


def _write(given: GivenFile, place: Path, bytes_left: int) -> tuple[str, int]:
    """Write a file that came with the call; return the name and the bytes that it has."""
    given.check()
    name, size = one_line(given.name, 100), len(given.data)
    if size > bytes_left:
        raise InvalidInput(f"{name} is too large to be attached", hint=_HINT)
    try:
        place.mkdir()
        (place / name).write_bytes(given.data)
    except OSError as error:
        raise Unavailable(
            f"{name} cannot be written: {error.strerror}", hint="free some space there"
        ) from error
    return name, size


def _looked_at(source: Path, bytes_left: int, files_left: int) -> tuple[Path, list[bytes], int]:
    """Return the real path of a source, the files in it if it is a folder, and their bytes."""
    try:
        real = source.resolve(strict=True)
        status = real.stat()
    except (OSError, ValueError, RuntimeError) as error:
        why = "is not there" if isinstance(error, FileNotFoundError) else "cannot be read"
        raise InvalidInput(f"{one_line(str(source), 200)} {why}", hint="mend the path") from error
    if not stat.S_ISDIR(status.st_mode):
        if not stat.S_ISREG(status.st_mode):
            raise InvalidInput(f"{source} is neither a file nor a folder", hint="name one that is")
        if status.st_size > bytes_left or not files_left:
            raise InvalidInput(f"{source} is too large to be attached", hint=_HINT)
        return real, [b""], status.st_size
    files: list[bytes] = []
    size = 0
    for path, folders, names in os.walk(os.fsencode(real)):
        folders[:] = [name for name in folders if name != b".git"]
        for name in names:
            entry = os.path.join(path, name)  # noqa: PTH118 - names may be no text
            files.append(os.path.relpath(entry, os.fsencode(real)))
            with suppress(OSError):
                size += os.lstat(entry).st_size
            if size > bytes_left or len(files) > files_left:
                raise InvalidInput(f"{source} is too large to be attached", hint=_HINT)
    return real, files, size


def _copy(
    here: Path, there: Path, files: list[bytes], source: Path, say: Callable[[str], None]
) -> None:
    try:
        left = copy_files(here, there, files)
    except OSError as error:
        raise Unavailable(
            f"{source} cannot be copied: {error.strerror}", hint="free some space there"
        ) from error
    if left and len(left) == len(files):
        raise InvalidInput(f"{source}: {next(iter(left.values()))}", hint="attach what can be read")
    for path, why in left.items():
        say(f"{one_line(os.fsdecode(path), 100)} is not attached: {why}")


def _readable(folder: Path) -> None:
    """Let the task's user read everything below a folder."""
    for path, folders, names in os.walk(folder):
        for entry in (Path(path) / name for name in (*folders, *names)):
            if not entry.is_symlink():
                runs = entry.is_dir() or entry.stat().st_mode & 0o100
                entry.chmod(0o755 if runs else 0o644)


def _forget_old(folder: Path) -> None:
    """Delete what commands left that were killed."""
    with suppress(OSError):
        for entry in folder.iterdir():
            if time.time() - entry.stat().st_mtime > _OLD_SECONDS:
                shutil.rmtree(entry, ignore_errors=True)
