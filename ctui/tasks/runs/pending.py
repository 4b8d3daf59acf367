"""Jobs and timers that a task waits for. The end of each is mail."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from ctui.errors import CtuiError
from ctui.tasks.mailbox.mail import JobDone, Mail, TimeUp
from ctui.tasks.mailbox.step import Work

log = logging.getLogger(__name__)

_CREATE_SECONDS = 10.0
"""Time for which a driver that lets go waits for a sandbox that is being made."""


class Pending:
    """The jobs and timers of one task, by their names: one of a name at a time."""

    def __init__(self, task: str, put: Callable[[Mail], None]) -> None:
        self._task = task
        self._put = put
        self._jobs: dict[str, asyncio.Task[object]] = {}
        self._timers: dict[str, asyncio.TimerHandle] = {}

    def __len__(self) -> int:
        return len(self._jobs) + len(self._timers)

    def start(self, name: str, work: Work, epoch: int) -> None:
        """Begin a job."""
        if name in self._jobs:
            return  # the same is under way
        job = asyncio.create_task(work(), name=f"{name} of {self._task}")
        self._jobs[name] = job
        job.add_done_callback(lambda done: self._job_over(name, epoch, done))

    def cancel(self, name: str) -> None:
        """End a job early."""
        if (job := self._jobs.get(name)) is not None:
            job.cancel()

    def drop(self, name: str) -> None:
        """End a job early, and take no news of it."""
        if (job := self._jobs.pop(name, None)) is not None:
            job.cancel()

    def set_timer(self, name: str, seconds: float | None, epoch: int) -> None:
        """Send mail in so many seconds; None takes the timer back."""
        if (timer := self._timers.pop(name, None)) is not None:
            timer.cancel()
        if seconds is not None:
            loop = asyncio.get_running_loop()
            self._timers[name] = loop.call_later(max(0.0, seconds), self._time_up, name, epoch)

    async def let_go(self) -> list[asyncio.Task[object]]:
        """Take all timers back, and return the jobs that can end early without leaving a trace."""
        for timer in self._timers.values():
            timer.cancel()
        if (making := self._jobs.pop("create", None)) is not None:
            # Cancelled it would take back what the next driver finds by its name.
            await asyncio.wait([making], timeout=_CREATE_SECONDS)
        return list(self._jobs.values())

    def _time_up(self, name: str, epoch: int) -> None:
        self._timers.pop(name, None)
        self._put(TimeUp(name, epoch))

    def _job_over(self, name: str, epoch: int, job: asyncio.Task[object]) -> None:
        if self._jobs.get(name) is not job:
            return
        del self._jobs[name]
        if job.cancelled():
            self._put(JobDone(name, epoch, error=asyncio.CancelledError()))
        elif error := job.exception():
            if not isinstance(error, CtuiError):
                log.error("task %s: %s", self._task, name, exc_info=error)
            self._put(JobDone(name, epoch, error=error))
        else:
            self._put(JobDone(name, epoch, job.result()))
