"""Looking at the worktrees now and then, away from the screen's loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from time import monotonic
from typing import NamedTuple

from ctui.errors import CtuiError
from ctui.paths import Paths
from ctui.worktrees.model import WorktreeStatus

_LEAST_PAUSE = 15.0
_SHARE = 200.0
"""A pause is so many times as long as the look before it, which is half a percent of a core."""


class Seen(NamedTuple):
    """The worktrees, and how far the checkout's branch is from its upstream."""

    statuses: Sequence[WorktreeStatus]
    ahead: int
    behind: int


class Scanner:
    """Looks when it is told to, and else ever again."""

    def __init__(self, paths: Paths, git_dir: Path, seen: Callable[[Seen], None]) -> None:
        self._paths = paths
        self._git_dir = git_dir
        self._seen = seen
        self._wanted = asyncio.Event()

    def look(self) -> None:
        """Something changed: look as soon as possible."""
        self._wanted.set()

    async def run(self) -> None:
        """Go on until cancelled."""
        while True:
            self._wanted.clear()
            began = monotonic()
            with suppress(CtuiError):  # the repository may be away for a while
                # Git is waited for and files are read: in a thread, with a loop of its own.
                self._seen(await asyncio.to_thread(self._statuses))
            pause = max(_LEAST_PAUSE, (monotonic() - began) * _SHARE)
            try:
                await asyncio.wait_for(self._wanted.wait(), pause)
            except TimeoutError:
                continue

    def _statuses(self) -> Seen:
        from ctui.client.worktrees import records
        from ctui.git.repository import open_repository
        from ctui.worktrees.status import list_worktrees

        repository = open_repository(self._git_dir)
        statuses = asyncio.run(list_worktrees(repository, records(self._paths, repository)))
        return Seen(statuses, *repository.upstream_distance())
