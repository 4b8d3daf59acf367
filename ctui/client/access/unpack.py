"""An archive of a task becomes files of the person: nothing of it gets out of where it belongs.

The archive is hostile. Folders are entered one by one by descriptor and no link is followed, so
that a link which the archive itself has put there leads nowhere; and what it names must lie below
what was asked for. A link is written as the link it is.
"""

from __future__ import annotations

import errno
import os
import stat
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import IO, Self

from ctui.errors import CtuiError, Refused
from ctui.text import one_line

_COPY_BYTES = 1 << 20
_HEADER_LIMIT = 1 << 20
"""Bytes of a name or of attributes, which are read into memory."""
_SKIPS_TOLD = 5
_EXTENDED = frozenset({b"x", b"g", b"X", b"L", b"K"})
_SPARSE = b"S"

Parts = tuple[str, ...]
Say = Callable[[str], None]


class _Header(tarfile.TarInfo):
    """A header that claims no memory."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        found = super().frombuf(buf, encoding, errors)
        if found.type == _SPARSE or (found.type in _EXTENDED and found.size > _HEADER_LIMIT):
            raise tarfile.HeaderError("a header of a kind, or of a size, that is not read")
        return found


def unpack(stream: IO[bytes], root: str, target: Path, say: Say) -> None:
    """Write an archive's files.

    Args:
        stream: the archive, read from its start to its end.
        root: the first part of each name in it; "." where there is none.
        target: what the root becomes; its folder exists.
        say: told what is left out: git's own, and what is no file, folder or link.

    Raises:
        Refused: the archive names something outside of the root.
        CtuiError: it is damaged, or a file cannot be written.
    """
    try:
        with tarfile.open(fileobj=stream, mode="r|", tarinfo=_Header) as archive:
            writer = _Writer(archive, root, target, say)
            try:
                while (member := archive.next()) is not None:
                    writer.write(member)
                    vars(archive)["members"].clear()  # it would keep all of them
            finally:
                writer.finish()
    except (tarfile.TarError, ValueError, EOFError, OverflowError) as error:
        if isinstance(error, tarfile.ReadError) and "empty" in str(error):
            return  # nothing came, and whoever sent it says why
        raise CtuiError(f"what came is no whole archive: {one_line(str(error), 200)}") from error
    except OSError as error:
        name = one_line(str(error.filename or target), 200)
        raise CtuiError(f"{name} cannot be written: {error.strerror}") from error


class _Writer:
    """The files of one archive, below one folder."""

    def __init__(self, archive: tarfile.TarFile, root: str, target: Path, say: Say) -> None:
        self._archive = archive
        self._root = root
        self._say = say
        self._skipped = 0
        self._files: set[Parts] = set()
        self._modes: list[tuple[Parts, int]] = []
        self._mask = _umask()
        if root == ".":
            self._name: Parts = ()
            target.mkdir(exist_ok=True)
            self._base = os.open(target, os.O_RDONLY | os.O_DIRECTORY)
        else:
            self._name = (target.name,)
            self._base = os.open(target.parent, os.O_RDONLY | os.O_DIRECTORY)

    def write(self, member: tarfile.TarInfo) -> None:
        parts = self._parts(member.name)
        if not parts:
            return  # the folder itself, which is there
        if any(part.lower() == ".git" for part in parts[len(self._name) :]):
            self._skip(parts, "git of this machine would run what it says")
        elif member.isdir():
            self._folder(parts, member.mode)
        elif member.isreg():
            self._file(parts, member)
        elif member.issym():
            self._link(parts, member.linkname)
        elif member.islnk():
            self._hard_link(parts, self._parts(member.linkname))
        else:
            self._skip(parts, "no file, folder or link")

    def finish(self) -> None:
        """Give new folders their modes, which may forbid to write in them."""
        for parts, mode in reversed(self._modes):
            folder = self._enter(parts)
            try:
                os.fchmod(folder, mode)
            finally:
                os.close(folder)
        os.close(self._base)
        if self._skipped > _SKIPS_TOLD:
            self._say(f"left out {self._skipped - _SKIPS_TOLD} more")

    def _parts(self, name: str) -> Parts:
        parts = [part for part in name.split("/") if part not in {"", "."}]
        outside = name.startswith("/") or ".." in parts or "\0" in name
        if self._root != "." and not outside:
            outside = not parts or parts.pop(0) != self._root
        if outside:
            raise Refused(
                f"the archive names {one_line(name, 100)!r}, which is not in what was asked for",
                hint="nothing was written there; a process of the task may have put it in",
            )
        return (*self._name, *parts)

    def _enter(self, parts: Parts) -> int:
        """Return a descriptor of a folder; no link on the way is followed."""
        folder = os.dup(self._base)
        for part in parts:
            try:
                inner = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=folder)
            except OSError as error:
                error.filename = "/".join(parts)
                raise
            finally:
                os.close(folder)
            folder = inner
        return folder

    def _folder(self, parts: Parts, mode: int) -> None:
        folder = self._enter(parts[:-1])
        try:
            os.mkdir(parts[-1], 0o700, dir_fd=folder)
        except FileExistsError:
            os.close(self._enter(parts))  # a folder, or an error: nothing else becomes one
        else:
            self._modes.append((parts, mode & 0o777 & ~self._mask))
        finally:
            os.close(folder)

    def _file(self, parts: Parts, member: tarfile.TarInfo) -> None:
        folder = self._enter(parts[:-1])
        try:
            _unlink_link(parts[-1], folder)
            flags = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK
            mode = member.mode & 0o777 & ~self._mask
            number = os.open(parts[-1], flags, mode, dir_fd=folder)
        finally:
            os.close(folder)
        with os.fdopen(number, "wb") as file:
            if not stat.S_ISREG(os.fstat(number).st_mode):
                raise OSError(errno.EEXIST, "it is there, and is no file", "/".join(parts))
            os.ftruncate(number, 0)
            content = self._archive.extractfile(member)
            while content is not None and (data := content.read(_COPY_BYTES)):
                file.write(data)
        self._files.add(parts)

    def _link(self, parts: Parts, to: str) -> None:
        folder = self._enter(parts[:-1])
        try:
            _unlink_file(parts[-1], folder)
            os.symlink(to, parts[-1], dir_fd=folder)
        finally:
            os.close(folder)

    def _hard_link(self, parts: Parts, to: Parts) -> None:
        if to not in self._files:
            raise Refused(
                f"the archive links {one_line('/'.join(parts), 100)!r} to what it does not hold",
                hint="nothing was written there; a process of the task may have put it in",
            )
        source, folder = self._enter(to[:-1]), self._enter(parts[:-1])
        try:
            if parts != to:
                _unlink_file(parts[-1], folder)
                os.link(
                    to[-1], parts[-1], src_dir_fd=source, dst_dir_fd=folder, follow_symlinks=False
                )
        finally:
            os.close(source)
            os.close(folder)

    def _skip(self, parts: Parts, why: str) -> None:
        self._skipped += 1
        if self._skipped <= _SKIPS_TOLD:
            self._say(f"left out {one_line('/'.join(parts), 200)}: {why}")


def _unlink_link(name: str, folder: int) -> None:
    """Remove a link, through which a file would be written elsewhere."""
    try:
        found = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return
    if stat.S_ISLNK(found.st_mode):
        os.unlink(name, dir_fd=folder)


def _unlink_file(name: str, folder: int) -> None:
    """Remove what a link takes the place of; a folder stays, and is an error."""
    try:
        os.unlink(name, dir_fd=folder)
    except FileNotFoundError:
        return


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
