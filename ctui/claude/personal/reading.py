"""Bounded reading of folders that the person names in the settings; no link in them is followed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from ctui.errors import InvalidInput, Unavailable
from ctui.small_file import read_small_file
from ctui.text import one_line

FILE_LIMIT = 1 << 20
"""Bytes of one file."""
TOTAL_LIMIT = 16 << 20
FILES_LIMIT = 2_000
_DEPTH = 16
_NEVER = frozenset({".git", ".DS_Store", "__pycache__"})


class Found(NamedTuple):
    """A file that was found, by its path below the folder that was named."""

    name: str
    path: Path


class Folder(NamedTuple):
    """A folder, and the setting that named it."""

    key: str
    path: Path

    @classmethod
    def at(cls, key: str, path: Path) -> Folder:
        """Return the folder of a path. Raises InvalidInput where it is none."""
        if not path.is_dir():
            raise InvalidInput(f"claude.{key}: {path} is no folder", hint=f"name a folder of {key}")
        return cls(key, path)

    def has(self, name: str) -> bool:
        """Return True if it has a file of this name, which is no link."""
        file = self.path / name
        return file.is_file() and not file.is_symlink()

    def folders(self, left_out: list[str]) -> Iterator[Folder]:
        """Yield the folders in it by name; links are noted as left out."""
        for entry in self._entries():
            if entry.is_symlink():
                left_out.append(_link(self.key, entry.path))
            elif entry.is_dir(follow_symlinks=False):
                yield Folder(self.key, Path(entry.path))

    def files(self, left_out: list[str], below: str = "", depth: int = 0) -> Iterator[Found]:
        """Yield all files in it and in the folders in it; links are noted as left out."""
        for entry in self._entries():
            name = f"{below}{entry.name}"
            if entry.is_symlink():
                left_out.append(_link(self.key, entry.path))
            elif entry.is_file(follow_symlinks=False):
                yield Found(name, Path(entry.path))
            elif entry.is_dir(follow_symlinks=False):
                if depth == _DEPTH:
                    raise _too_large(self.key, entry.path)
                inner = Folder(self.key, Path(entry.path))
                yield from inner.files(left_out, f"{name}/", depth + 1)

    def _entries(self) -> list[os.DirEntry[str]]:
        found: list[os.DirEntry[str]] = []
        try:
            with os.scandir(self.path) as entries:
                for entry in entries:
                    if entry.name in _NEVER:
                        continue
                    found.append(entry)
                    if len(found) > FILES_LIMIT:
                        raise _too_large(self.key, str(self.path))
        except OSError as error:
            raise _unreadable(self.key, self.path, error) from error
        return sorted(found, key=lambda entry: entry.name)


class Given:
    """Files as they are collected, with a bound on all of them together."""

    def __init__(self, folder: Path) -> None:
        """Begin with none; relative paths begin at `folder`."""
        self.files: dict[str, tuple[bytes, int]] = {}
        """Path below the folder of managed settings -> content and mode."""
        self.left_out: list[str] = []
        self._folder = folder
        self._bytes = 0

    def paths(self, key: str, value: str | tuple[str, ...]) -> list[Path]:
        """Return the paths that a setting names.

        Raises:
            InvalidInput: one is not there, or is a link.
        """
        return [self._path(key, text) for text in _several(value)]

    def add(self, key: str, name: str, file: Found) -> None:
        """Take a file; of two of one name the first counts, and the other is noted as left out.

        Raises:
            InvalidInput: it is too large, or a text of the CLI's that is not UTF-8.
            Unavailable: it cannot be read.
        """
        if name in self.files:
            self.left_out.append(f"claude.{key}: {file.path}: there is another {name}")
            return
        data = _read(key, file.path)
        if name.endswith(".md"):
            _decoded(key, file.path, data)
        self._bytes += len(data)
        if self._bytes > TOTAL_LIMIT or len(self.files) == FILES_LIMIT:
            raise _too_large(key, str(file.path.parent))
        runs = file.path.stat().st_mode & 0o100
        self.files[name] = data, 0o755 if runs else 0o644

    def _path(self, key: str, text: str) -> Path:
        path = self._folder / Path(text).expanduser()
        if path.is_symlink():
            raise InvalidInput(
                f"claude.{key}: {path} is a link", hint=f"name what it leads to: {path.resolve()}"
            )
        if not path.exists():
            raise InvalidInput(
                f"claude.{key}: {path} is not there", hint="mend the path, or remove it"
            )
        return path


def found_files(
    given: Given, key: str, value: str | tuple[str, ...], *, suffix: str
) -> Iterator[Found]:
    """Yield the files that a setting names, and those of a suffix in the folders that it names."""
    for path in given.paths(key, value):
        if not path.is_dir():
            if path.suffix != suffix:
                raise InvalidInput(
                    f"claude.{key}: {path} is neither a folder nor a file {suffix}",
                    hint=f"name a folder of {key}",
                )
            yield Found(path.name, path)
            continue
        for file in Folder(key, path).files(given.left_out):
            if file.path.suffix == suffix:
                yield file


def read_text_file(key: str, path: Path) -> str:
    """Return the text of a file. Raises as `Given.add`."""
    return _decoded(key, path, _read(key, path))


def _several(value: str | tuple[str, ...]) -> list[str]:
    return [text for text in ((value,) if isinstance(value, str) else value) if text]


def _read(key: str, path: Path) -> bytes:
    try:
        return read_small_file(path, FILE_LIMIT, follow_links=False)
    except OSError as error:
        raise _unreadable(key, path, error) from error


def _decoded(key: str, path: Path, data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise InvalidInput(f"claude.{key}: {path} is not UTF-8", hint="save it as UTF-8") from error


def _link(key: str, path: str) -> str:
    return one_line(f"claude.{key}: {path} is a link, and not followed: name what it leads to", 300)


def _unreadable(key: str, path: Path, error: OSError) -> Unavailable:
    return Unavailable(
        f"claude.{key}: {path} cannot be read: {error.strerror}",
        hint=f"mend it, or take it out of claude.{key}",
    )


def _too_large(key: str, path: str) -> InvalidInput:
    return InvalidInput(
        f"claude.{key}: {path} is too large",
        hint=f"{FILES_LIMIT} files and {TOTAL_LIMIT >> 20} MiB at most: name what tasks need",
    )
