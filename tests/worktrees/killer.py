"""Runs an operation in a child that kills itself with -9 at its n-th step.

A step is what the interpreter reports to audit hooks just before it changes a name or a file, or
starts a process. The children are forked from this process, which has loaded everything already and
has no thread: so each is the real thing and takes milliseconds.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

import msgspec

from ctui.git.repository.repository import open_repository
from ctui.worktrees.model import WorktreeRecord
from ctui.worktrees.trash.purge import purge
from ctui.worktrees.trash.recovery import recover
from ctui.worktrees.trash.restore import restore_worktree
from tests.worktrees.looking import nothing_proven, remove_worktree, worktree_status

_STEPS = frozenset(
    {
        "os.rename",
        "os.mkdir",
        "os.rmdir",
        "os.remove",
        "os.chmod",
        "os.link",
        "os.symlink",
        "os.truncate",
        "subprocess.Popen",
    }
)
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT


class Outcome(NamedTuple):
    killed: bool
    exit_code: int


class Killer:
    """The process that forks the children."""

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.worktrees.killer"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.communicate()

    def run(self, operation: str, **request: Any) -> Outcome:
        """Run an operation; it is killed at step `at`, or after `seconds`, if it lasts so long."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"operation": operation, **request}) + "\n")
        self._process.stdin.flush()
        return Outcome(*json.loads(self._process.stdout.readline()))


def _main() -> None:
    gc.disable()
    for line in sys.stdin:
        request = json.loads(line)
        child = os.fork()
        if child == 0:
            _child(request)
        if "seconds" in request:
            time.sleep(request["seconds"])
            os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        code = 0 if os.WIFSIGNALED(status) else os.waitstatus_to_exitcode(status)
        sys.stdout.write(json.dumps([os.WIFSIGNALED(status), code]) + "\n")
        sys.stdout.flush()


def _child(request: dict[str, Any]) -> None:
    code = 1
    try:
        work = _OPERATIONS[request["operation"]](request)
        if "at" in request:
            sys.addaudithook(_kill_at(request["at"]))
        asyncio.run(work)
        code = 0
    finally:
        os._exit(code)


def _kill_at(wanted: int) -> Callable[[str, tuple[Any, ...]], None]:
    count = 0

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal count
        writes = event == "open" and arguments[2] is not None and arguments[2] & _WRITES
        if event in _STEPS or (writes and arguments[0] != "/dev/null"):
            count += 1
            if count == wanted:
                os.kill(os.getpid(), signal.SIGKILL)

    return hook


async def _remove(request: dict[str, Any]) -> None:
    repository = open_repository(Path(request["repository"]))
    record = msgspec.convert(request["record"], WorktreeRecord)
    status = await worktree_status(repository, record, prove=nothing_proven)
    companions = [Path(path) for path in request.get("companions", [])]
    await remove_worktree(
        repository,
        status,
        record,
        prove=nothing_proven,
        force=True,
        delete_branch=True,
        companions=companions,
    )


async def _restore(request: dict[str, Any]) -> None:
    await restore_worktree(open_repository(Path(request["repository"])), request["entry"])


async def _purge(request: dict[str, Any]) -> None:
    await purge(open_repository(Path(request["repository"])), older_than=0)


async def _recover(request: dict[str, Any]) -> None:
    await recover(open_repository(Path(request["repository"])))


_OPERATIONS: dict[str, Callable[[dict[str, Any]], Coroutine[Any, Any, None]]] = {
    "remove": _remove,
    "restore": _restore,
    "purge": _purge,
    "recover": _recover,
}

if __name__ == "__main__":
    _main()
