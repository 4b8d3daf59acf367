"""The gateway as the driver has it: the table of all sealed runs, pushed whenever it changes."""

from __future__ import annotations

import asyncio
import logging
import shutil
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from ctui.errors import CtuiError, RunnerUnavailable, Unavailable
from ctui.gateway.model import Access, Login
from ctui.paths import private_folder
from ctui.tasks.network.sealed import SealedRun

_CLOSE_SECONDS = 3.0
"""For which the end of a task waits for the gateway; nothing is left by then that could ask it."""

log = logging.getLogger(__name__)


class Link(Protocol):
    """The way to the gateway, which is started where it does not run."""

    async def serve(
        self, accesses: Iterable[Access], logins: Iterable[Login], *, gate: int, elsewhere: str
    ) -> dict[str, str]:
        """Push the whole table, now and at each new connection; return when it is in force.

        Returns:
            why some runs are not served.

        Raises:
            Unavailable: there is no gateway; it gets the table as soon as there is one.
            Refused: the gateway is a newer ctui's.
        """

    def decide(self, question: str, *, allow: bool) -> None:
        """Answer what was asked about a host."""


class Gate:
    """All sealed runs of a driver, and their folders."""

    def __init__(self, link: Link, folder: Path, shown_on: Callable[[], tuple[int, str]]) -> None:
        """Begin with no run.

        Args:
            link: to the gateway.
            folder: that each access has one of its own in; only this user may enter it.
            shown_on: returns the port on which ports of tasks are shown, and the domain below which
                other machines see them.
        """
        self._link, self._shown_on = link, shown_on
        self.folder = folder
        self._accesses: dict[str, Access] = {}
        self._logins: dict[str, Login] = {}

    def begin(self, accesses: Iterable[Access]) -> None:
        """Take over the runs of an earlier driver, before the table is pushed first."""
        self._accesses.update({access.run: access for access in accesses})

    async def open(self, run: SealedRun) -> None:
        """Let a run reach what it may; its folder and its sockets are there then.

        Raises:
            RunnerUnavailable: the gateway does not serve it.
        """
        access = run.access
        private_folder(self.folder)
        Path(access.folder).mkdir(exist_ok=True)
        # The sandbox's user is another one: it gets in by the mount, and by no other way.
        Path(access.folder).chmod(0o755)
        self._accesses[access.run] = access
        if run.login is not None:
            self._logins[run.login.name] = run.login
        problems = await self._push()
        if problem := problems.get(access.run):
            raise RunnerUnavailable(f"the gateway does not serve the task: {problem}")

    async def close(self, task: str) -> None:
        """Take everything away that a task reached: none of its sandboxes is left."""
        gone = [access for access in self._accesses.values() if access.task == task]
        if not gone and task not in self._logins:
            return
        for access in gone:
            del self._accesses[access.run]
        self._logins.pop(task, None)
        # One that does not answer keeps no task from its end: the next push says it.
        with suppress(CtuiError, TimeoutError):
            async with asyncio.timeout(_CLOSE_SECONDS):
                await self._push()
        for access in gone:
            if access.run not in self._accesses:  # a build may have been lent it anew meanwhile
                await asyncio.to_thread(shutil.rmtree, access.folder, ignore_errors=True)

    async def renew(self, login: Login) -> None:
        """Have a task's calls made with another login, also those that wait."""
        self._logins[login.name] = login
        await self._push()

    async def change(self, now: Callable[[Access], Access]) -> None:
        """Have other rules count, also for what waits and what is open."""
        changed = {run: now(access) for run, access in self._accesses.items()}
        if changed != self._accesses:
            self._accesses = changed
            await self._push()

    async def _push(self) -> dict[str, str]:
        try:
            gate, elsewhere = self._shown_on()
            problems = await self._link.serve(
                self._accesses.values(), self._logins.values(), gate=gate, elsewhere=elsewhere
            )
        except Unavailable as error:
            # As an engine that is away: what needs it waits, and goes on with it.
            raise RunnerUnavailable(error.message, hint=error.hint) from error
        if hidden := problems.pop("", ""):
            log.warning("ports of tasks are not shown: %s", hidden)
        return problems
