"""An interpreter that has imported ctui, and forks a process for each command."""

from __future__ import annotations

import atexit
import gc
import importlib
import json
import os
import select
import shutil
import signal
import socket
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pygit2

from ctui.__main__ import main
from ctui.cli.commands import COMMANDS
from tests.warm import stub

_COMMANDS = (
    *(module for module, _ in COMMANDS.values()),
    *("ctui.cli.dashboard", "ctui.cli.main", "ctui.cli.shapes"),
    *("ctui.claude.login.login", "ctui.claude.login.platform_login"),
    *("ctui.client.health.health", "ctui.client.health.mending"),
    *("ctui.client.cleaning.prune", "ctui.client.cleaning.volumes"),
    *("ctui.client.worktrees.listing", "ctui.client.worktrees.worktrees"),
    *("ctui.config.claude_task", "ctui.sandbox.docker.engine"),
    *("ctui.worktrees.landing.land", "docker", "keyring.backends.SecretService"),
)
KINDS = {
    "commands": _COMMANDS,
    "servers": (*_COMMANDS, "ctui.mcp_server.http", "ctui.mcp_server.registry", "ctui.web.app"),
}
"""What is imported beforehand, of which many commands import the most only when they run."""


def serve(kind: str, folder: Path) -> int:
    """Serve until the end of stdin; in a process of a command, what `ctui` returns."""
    for module in KINDS[kind]:
        importlib.import_module(module)
    del sys.path[0]  # the folder of the tests, where no command looks for anything
    # Else each process would write to, and so copy, the memory that it shares with this one.
    gc.collect()
    gc.freeze()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(folder / "socket"))
        listener.listen()
        os.write(1, b"ready\n")
        sources: list[Any] = [0, listener]
        while listener in select.select(sources, [], [])[0]:
            connection, _ = listener.accept()
            if os.fork() == 0:
                listener.close()
                return _attend(connection)
            connection.close()
    shutil.rmtree(folder)
    return 0


def _attend(connection: socket.socket) -> int:
    """Start the command, pass on signals to it, and say how it ended."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    _, files, _, _ = socket.recv_fds(connection, 1, 4)
    child = os.fork()
    if child == 0:
        connection.close()
        return _command(files)
    for file in files:
        os.close(file)
    ended = os.pidfd_open(child)
    sources: list[Any] = [connection, ended]
    while ended not in select.select(sources, [], [])[0]:
        os.kill(child, (connection.recv(1) or bytes([signal.SIGKILL]))[0])
    _, status = os.waitpid(child, 0)
    with suppress(OSError):  # nobody waits any more
        connection.sendall(status.to_bytes(stub.STATUS_SIZE, "big"))
    os._exit(0)


def _command(files: list[int]) -> int:
    given: dict[str, Any] = json.loads(stub.content(files[0]))
    for number, file in enumerate(files[1:]):
        os.dup2(file, number)
    for file in files:
        os.close(file)
    os.chdir(given["folder"])
    os.environ.clear()
    os.environ.update(given["environ"])
    # What was read from the environment while it was another.
    time.tzset()
    for level in (pygit2.enums.ConfigLevel.GLOBAL, pygit2.enums.ConfigLevel.XDG):
        pygit2.option(pygit2.enums.Option.SET_SEARCH_PATH, level, None)
    sys.argv = ["ctui", *given["arguments"]]
    return _over(main())


def _over(code: int) -> int:
    """End as an interpreter does, but leave what this process shares with the warm one in place.

    To take it all apart would copy it first, which takes longer than most commands.
    """
    threading._shutdown()  # type: ignore[attr-defined] # waits for threads, as at any end
    atexit._run_exitfuncs()
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except (OSError, ValueError):
        return code  # what an interpreter says of that, it says by itself
    os._exit(code)


if __name__ == "__main__":
    sys.exit(serve(sys.argv[1], Path(sys.argv[2])))
