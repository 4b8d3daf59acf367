"""A person's own Dockerfile and the files it may copy, packed as a tar archive for the engine."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from ctui.errors import Unavailable

_CONTEXT_LIMIT = 64 << 20


class File(NamedTuple):
    """File of an archive."""

    content: bytes
    mode: int = 0o644
    link: str = ""
    """Target of a symbolic link; empty for a file."""


def toolchain_context(dockerfile: Path) -> bytes:
    """Return a tar archive of the Dockerfile's folder without what its `.dockerignore` names.

    The same files make the same bytes.

    Raises:
        Unavailable: a file cannot be read, or there is more than 64 MiB of them.
    """
    folder = dockerfile.parent
    files = {"Dockerfile": File(_read(dockerfile))}
    size = 0
    for name in _walk(folder):
        path = folder / name
        if path.is_symlink():
            files[name] = File(b"", link=str(path.readlink()))
        elif path.is_file() and path != dockerfile:
            facts = path.stat()
            size += facts.st_size
            if size > _CONTEXT_LIMIT:
                raise Unavailable(
                    f"{folder} holds more than {_CONTEXT_LIMIT >> 20} MiB for image.dockerfile",
                    hint="give the Dockerfile a folder of its own, or a .dockerignore",
                )
            files[name] = File(_read(path), facts.st_mode & 0o777)
    return make_tar(files)


def make_tar(files: Mapping[str, File]) -> bytes:
    """Return an archive without times and owners."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, file in sorted(files.items()):
            entry = tarfile.TarInfo(name)
            entry.mode = file.mode
            if file.link:
                entry.type, entry.linkname = tarfile.SYMTYPE, file.link
            else:
                entry.size = len(file.content)
            archive.addfile(entry, io.BytesIO(file.content))
    return buffer.getvalue()


def _walk(folder: Path) -> list[str]:
    from docker.utils.build import PatternMatcher

    ignored = folder / ".dockerignore"
    lines = _read(ignored).decode("utf-8", "replace").splitlines() if ignored.is_file() else []
    rules = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    return sorted(PatternMatcher(rules).walk(str(folder)))


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise Unavailable(
            f"{path} cannot be read: {error.strerror}", hint="check image.dockerfile in the config"
        ) from error
