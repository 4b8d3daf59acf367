"""The driver's socket on its own; with tasks beside it see test_faults.py."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import pytest

from ctui.daemon import listener as module
from ctui.daemon.listener import Listener
from ctui.errors import Unavailable


async def _serve(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"here\n")
    writer.close()


async def _says(path: Path) -> bytes:
    reader, writer = await asyncio.open_unix_connection(path)
    said = await reader.read()
    writer.close()
    return said


async def _looked(caplog: pytest.LogCaptureFixture) -> None:
    """Wait until the watch has found something in the way."""
    async with asyncio.timeout(10):
        while "cannot be made" not in caplog.text:  # noqa: ASYNC110 - a watch by time has no event
            await asyncio.sleep(0.02)


async def test_only_its_own_socket_is_removed_at_the_end(tmp_path: Path) -> None:
    """S4: one that the next driver has made meanwhile stays."""
    path = tmp_path / "run" / "driver.sock"
    listener = Listener(path, _serve)
    await listener.open()
    assert await _says(path) == b"here\n"
    path.unlink()
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(path))
        listener.close()
        assert path.is_socket()


async def test_its_own_socket_is_removed_at_the_end(tmp_path: Path) -> None:
    """S4, beside it: nothing is left."""
    path = tmp_path / "run" / "driver.sock"
    listener = Listener(path, _serve)
    await listener.open()
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    listener.close()
    assert not path.exists()


async def test_a_folder_in_the_way_does_not_end_the_watch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """S4, beside it: as soon as it is gone, the socket is there again."""
    monkeypatch.setattr(module, "_LOOK_SECONDS", 0.02)
    path = tmp_path / "run" / "driver.sock"
    listener = Listener(path, _serve)
    await listener.open()
    path.unlink()
    (path / "inside").mkdir(parents=True)
    await _looked(caplog)
    (path / "inside").rmdir()
    path.rmdir()
    async with asyncio.timeout(10):
        while not path.is_socket():  # noqa: ASYNC110 - a watch by time has no event
            await asyncio.sleep(0.02)
    assert await _says(path) == b"here\n"
    listener.close()


async def test_a_link_in_the_way_does_not_end_the_watch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It is refused for as long as it is there; afterwards the socket is made."""
    monkeypatch.setattr(module, "_LOOK_SECONDS", 0.02)
    path = tmp_path / "run" / "driver.sock"
    listener = Listener(path, _serve)
    await listener.open()
    path.unlink()
    path.parent.rmdir()
    path.parent.symlink_to(tmp_path)
    await _looked(caplog)
    path.parent.unlink()
    async with asyncio.timeout(10):
        while not path.is_socket():  # noqa: ASYNC110 - a watch by time has no event
            await asyncio.sleep(0.02)
    assert await _says(path) == b"here\n"
    listener.close()


async def test_a_socket_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    """S4, beside it: at the start of a driver."""
    path = tmp_path / "run" / "driver.sock"
    path.mkdir(parents=True)
    path.parent.chmod(0o700)
    with pytest.raises(Unavailable, match="is in the way"):
        await Listener(path, _serve).open()
