"""`ctui --mcp`: how soon it answers, and what its list of worktrees costs beside the command's."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from tests.bench.big_repository import BRANCHES
from tests.bench.figures import ratio
from tests.bench.worktrees import make_field

_CTUI = str(Path(sys.executable).with_name("ctui"))
_STARTS = 15
_LISTS = 7


async def mcp() -> None:
    """From the start of the process to the answer to `initialize`; then 100 worktrees listed."""
    with tempfile.TemporaryDirectory() as folder:
        environ = {**os.environ, "CTUI_HOME": f"{folder}/home"}
        _starts(folder, environ)
        _lists(Path(folder), environ)


def _starts(folder: str, environ: Mapping[str, str]) -> None:
    server = [_CTUI, "--mcp", "--repo", folder]
    smallest = [sys.executable, "-m", "tests.bench.minimal_server"]
    ours, theirs = [], []
    for number in range(_STARTS + 1):
        pair = _initialized(server, environ), _initialized(smallest, environ)
        if number:  # the first pair reads everything from the disk
            ours.append(pair[0])
            theirs.append(pair[1])
    ratio("ctui --mcp / smallest server", "<= 1.3", ours, theirs)


def _lists(folder: Path, environ: Mapping[str, str]) -> None:
    repository = str(make_field(folder).repository.work_tree)
    command = [_CTUI, "worktree", "list", "--json", "--repo", repository]
    ours, theirs = [], []
    with _Server([_CTUI, "--mcp", "--repo", repository], environ) as server:
        for number in range(_LISTS + 1):
            took, listed = server.timed("tools/call", {"name": "list_worktree", "arguments": {}})
            if len(listed["structuredContent"]["worktrees"]) != BRANCHES:
                raise SystemExit("the list is not complete")
            begun = time.perf_counter()
            subprocess.run(command, env=environ, check=True, stdout=subprocess.DEVNULL)
            if number:  # what is proven is kept from then on
                ours.append(took)
                theirs.append(time.perf_counter() - begun)
    ratio("list_worktree / ctui worktree list", "<= 1.2", ours, theirs)


def _initialized(command: Sequence[str], environ: Mapping[str, str]) -> float:
    begun = time.perf_counter()
    with _Server(command, environ):
        return time.perf_counter() - begun


class _Server:
    """A server that was initialized; it is told to end by the end of its stdin."""

    def __init__(self, command: Sequence[str], environ: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            command, env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )

    def __enter__(self) -> Self:
        given = {
            "protocolVersion": "2025-11-25",
            "capabilities": {},
            "clientInfo": {"name": "bench", "version": "1"},
        }
        self.timed("initialize", given)
        self._write({"jsonrpc": "2.0", "method": "notifications/initialized"})
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()

    def timed(self, method: str, params: Mapping[str, Any]) -> tuple[float, dict[str, Any]]:
        """Seconds until the reply, and its result."""
        begun = time.perf_counter()
        self._write({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
        assert self._process.stdout is not None
        reply = json.loads(self._process.stdout.readline())
        return time.perf_counter() - begun, reply["result"]

    def _write(self, message: Mapping[str, Any]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(message).encode() + b"\n")
        self._process.stdin.flush()
