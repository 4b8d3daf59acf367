"""Stand-in for a command that a warm interpreter runs: it imports next to nothing."""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
from collections.abc import Mapping, Sequence
from types import FrameType

STATUS_SIZE = 4


def request(folder: str, arguments: Sequence[str], environ: Mapping[str, str]) -> bytes:
    given = {"folder": folder, "arguments": list(arguments), "environ": dict(environ)}
    return json.dumps(given).encode()


def started(path: str, asked: bytes, streams: Sequence[int]) -> socket.socket:
    """The connection to the command that runs on these streams, and dies with the connection."""
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(path)
    file = os.memfd_create("request")
    fill(file, asked)
    socket.send_fds(connection, [b"\n"], [file, *streams])
    os.close(file)
    return connection


def exit_code(connection: socket.socket) -> int:
    """Wait for the command."""
    status = connection.recv(STATUS_SIZE, socket.MSG_WAITALL)
    if len(status) < STATUS_SIZE:
        raise RuntimeError("the warm interpreter has died")
    return os.waitstatus_to_exitcode(int.from_bytes(status, "big"))


def fill(file: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(file, view) :]
    os.lseek(file, 0, os.SEEK_SET)


def content(file: int) -> bytes:
    return os.pread(file, os.fstat(file).st_size, 0)


def _stand_in(path: str, arguments: Sequence[str]) -> int:
    folder = os.getcwd()  # noqa: PTH109 - it takes longer to import pathlib than all else
    with started(path, request(folder, arguments, os.environ), (0, 1, 2)) as connection:

        def passed_on(number: int, _frame: FrameType | None) -> None:
            connection.send(bytes([number]))

        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, passed_on)
        # Nobody who waits for the end of the streams has to wait for this process.
        nowhere = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(nowhere, stream)
        return exit_code(connection)


if __name__ == "__main__":
    code = _stand_in(sys.argv[1], sys.argv[2:])
    if code < 0:
        signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    os._exit(code)
