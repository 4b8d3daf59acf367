"""Files of an image, read without starting anything of it."""

from __future__ import annotations

import io
import posixpath
import tarfile
from collections.abc import Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING

from ctui.sandbox.docker.engine import Engine

if TYPE_CHECKING:
    from docker.api.client import APIClient

_LINKS = 8
"""Links that are followed, one after the other."""


async def files_of(
    engine: Engine, image: str, paths: Iterable[str], labels: Mapping[str, str], limit: int
) -> dict[str, bytes]:
    """Return the content of files by their paths; b"" for one that is missing, odd or too long.

    Args:
        engine: that has the image.
        image: its id.
        paths: of the files.
        labels: of the container that is made for it, and removed.
        limit: of each file, in bytes.

    Raises:
        Unavailable: the engine does not answer.
    """
    return await engine.ask(partial(_files_of, image, tuple(paths), labels, limit))


def _files_of(
    image: str, paths: Iterable[str], labels: Mapping[str, str], limit: int, client: APIClient
) -> dict[str, bytes]:
    body = {"Image": image, "Cmd": ["true"], "Entrypoint": [], "Labels": dict(labels)}
    made = client.create_container_from_config(body)  # type: ignore[no-untyped-call]
    try:
        return {path: _read(client, made["Id"], path, limit) for path in paths}
    finally:
        client.remove_container(made["Id"], force=True, v=True)


def _read(client: APIClient, container: str, path: str, limit: int) -> bytes:
    for _ in range(_LINKS):
        data = _archive(client, container, path, limit)
        try:
            with tarfile.open(fileobj=io.BytesIO(data)) as archive:
                member = next(iter(archive), None)
                if member is not None and member.issym():
                    path = posixpath.join(posixpath.dirname(path), member.linkname)
                    continue
                file = archive.extractfile(member) if member and member.isreg() else None
                return file.read() if file else b""
        except tarfile.TarError:
            return b""
    return b""


def _archive(client: APIClient, container: str, path: str, limit: int) -> bytes:
    """Return what the engine packs of a path; b"" where there is nothing, or too much."""
    from docker.errors import NotFound

    try:
        stream, _ = client.get_archive(container, path)
    except NotFound:
        return b""
    data = bytearray()
    for piece in stream:
        data += piece
        if len(data) > limit:
            return b""
    return bytes(data)
