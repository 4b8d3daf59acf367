"""A process that lands or commits again and again, and each time is killed one step later.

It reads lines `OPERATION STEP` and answers `killed` or `done`. Each is carried out by a child that
kills itself before its STEP-th step: what touches a file or starts a process (`sys.addaudithook`),
and every line of the functions that decide what a crash leaves behind.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Any

from ctui.errors import Refused
from ctui.git.repository.repository import Repository, open_repository
from ctui.worktrees.landing.checkouts import Checkout, linked_checkout
from ctui.worktrees.landing.commit import commit_all
from ctui.worktrees.landing.land import land, undo_landing

_TOUCHING = {
    "os.rename",
    "os.remove",
    "os.rmdir",
    "os.mkdir",
    "os.link",
    "os.symlink",
    "os.chown",
    "shutil.rmtree",
    "shutil.copyfile",
    "subprocess.Popen",
}
_DECIDING = {"move", "_save", "compare_and_swap", "_finish", "_release", "_recover"}


class Steps:
    """Counts steps from the first touch of a transition on, and kills this process at one."""

    def __init__(self, last: int) -> None:
        self.left = last
        self.begun = False

    def audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        opened = event == "open"
        self.begun = self.begun or (opened and str(arguments[0]).endswith("ctui-transition.lock"))
        if event in _TOUCHING or (opened and isinstance(arguments[2], int) and arguments[2] & 3):
            self.step()

    def trace(self, frame: FrameType, event: str, _argument: object) -> Callable[..., Any] | None:
        code = frame.f_code
        if not code.co_filename.endswith("ref_transaction.py") or code.co_name not in _DECIDING:
            return None
        if event == "line":
            self.step()
        return self.trace

    def step(self) -> None:
        if not self.begun:
            return
        self.left -= 1
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


async def carry_out(operation: str, repository: Repository, worktree: Checkout) -> None:
    if operation == "commit":
        await commit_all(worktree, "Committed")
    elif operation == "undo":
        await undo_landing(repository, await land(repository, worktree, fast_forward=True))
    else:
        # There is nothing to land where the call has only completed what was cut off.
        with suppress(Refused):
            await land(repository, worktree, fast_forward=True)


def main() -> None:
    repository = open_repository(Path(sys.argv[1]))
    worktree = linked_checkout(repository, Path(sys.argv[2]))
    for line in sys.stdin:
        operation, step = line.split()
        child = os.fork()
        if child == 0:
            steps = Steps(int(step))
            sys.addaudithook(steps.audit)
            threading.settrace(steps.trace)
            sys.settrace(steps.trace)
            asyncio.run(carry_out(operation, repository, worktree))
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if os.WIFSIGNALED(status):
            answer = "killed"
        else:
            answer = "done" if os.waitstatus_to_exitcode(status) == 0 else "failed"
        sys.stdout.write(f"{answer}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
