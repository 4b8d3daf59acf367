"""A task that has a run, and what its run's lines set in motion."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, Literal, Protocol

from ctui.tasks.asks import toolbox_details
from ctui.tasks.calls import Update
from ctui.tasks.journal import Journal
from ctui.tasks.life import Life
from ctui.tasks.model import Ask, AskState, Notice, Run, Task
from ctui.tasks.store import now
from ctui.tasks.work import Work

Intent = Literal["", "asleep", "stopped", "completed"]
"""Why we stop a sandbox: the state that its task has afterwards."""


class Active:
    """A task that has a run now, or is about to have one."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self.life: Life | None = None
        self.intent: Intent = ""
        self.queued = False
        """Whether it waits until other runs have ended."""
        self.work: Work | None = None
        self.job: asyncio.Task[None] | None = None
        self.sleep: asyncio.TimerHandle | None = None
        self._timers: dict[int, asyncio.TimerHandle] = {}

    def stay_awake(self) -> None:
        """Do not put the sandbox to sleep, which was to happen soon."""
        if self.sleep is not None:
            self.sleep.cancel()
            self.sleep = None

    def watch_expiry(self, ask: Ask) -> None:
        """Give up on an `ask_user` when its time is over."""
        timer = self._timers.pop(ask.id, None)
        if timer is not None:
            timer.cancel()
        details = toolbox_details(ask)
        if details is None or ask.state is not AskState.PENDING:
            return
        if details.expires is not None and self.life is not None:
            left = max(0.0, (details.expires - now()) / 1e9)
            conversation = self.life.conversation
            self._timers[ask.id] = asyncio.get_running_loop().call_later(
                left, lambda: conversation.expire(ask)
            )

    def forget_timers(self) -> None:
        """The run is over: nothing is due any more."""
        self.stay_awake()
        for timer in self._timers.values():
            timer.cancel()


class Host(Protocol):
    """The runs, as far as a run's reports need it."""

    def publish(self, update: Update) -> None: ...

    def spawn(self, work: Coroutine[Any, Any, None]) -> None: ...

    def turn_ended(self, task: Task, active: Active) -> None: ...


class Reporter:
    """What a conversation tells, brought to where it belongs."""

    def __init__(self, host: Host, task: Task, run: Run, active: Active) -> None:
        self._host = host
        self._task = task
        self._run = run
        self._active = active
        self._reported = task.work

    def task_changed(self, task: Task) -> None:
        self._host.publish(Update(task=task))

    def ask_changed(self, ask: Ask) -> None:
        self._active.watch_expiry(ask)
        self._host.publish(Update(ask=ask))

    def note(self, notice: Notice) -> None:
        self._active.journal.note(self._run.number, now(), notice)

    def work_may_have_changed(self) -> None:
        if self._active.work is not None and self._active.work.request():
            self._host.spawn(self._import())

    def turn_ended(self) -> None:
        self._host.turn_ended(self._task, self._active)

    def report_work(self) -> None:
        """Tell what an import found, once."""
        work = self._task.work
        if work is None or work == self._reported or not (work.refs or work.problem):
            return
        self._reported = work
        kind: Literal["diverged", "imported"] = (
            "diverged" if work.branch == "diverged" else "imported"
        )
        refs = ", ".join(f"{ref.name} {ref.commit[:9]}" for ref in work.refs)
        text = work.problem or f"{work.reason or 'work imported'}: {refs}"
        self.note(Notice(kind="problem" if work.problem else kind, text=text))
        self._host.publish(Update(task=self._task))

    async def _import(self) -> None:
        if self._active.work is not None:
            await self._active.work.bring_in()
            self.report_work()
