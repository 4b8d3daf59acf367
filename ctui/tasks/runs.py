"""The runs of all tasks, from the queue to the state that a task has afterwards."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, Protocol

from ctui.config import Config
from ctui.errors import CtuiError, NotFound
from ctui.paths import Paths
from ctui.tasks.active import Active, Intent, Reporter
from ctui.tasks.calls import Update
from ctui.tasks.end import settle
from ctui.tasks.journals import Journals
from ctui.tasks.launch import prepare
from ctui.tasks.life import Life, Parts, RunEnd
from ctui.tasks.logins import Logins
from ctui.tasks.messages import new_message
from ctui.tasks.model import Notice, Run, Task, TaskState
from ctui.tasks.run_queue import RunQueue
from ctui.tasks.store import now
from ctui.tasks.work import Work, bring, bring_last

_STOP_GRACE_SECONDS = 5.0


class Publisher(Protocol):
    """Who is told about every change."""

    def __call__(self, update: Update) -> None: ...


class Runs:
    """The tasks that have a run or wait for one. All methods run on the driver's loop."""

    def __init__(
        self,
        paths: Paths,
        config: Config,
        parts: Parts,
        logins: Logins,
        journals: Journals,
        publish: Publisher,
    ) -> None:
        self._paths = paths
        self._config = config
        self._parts = parts
        self._store = parts.store
        self._logins = logins
        self._journals = journals
        self._publish = publish
        self._active: dict[str, Active] = {}
        self._background: set[asyncio.Task[None]] = set()
        self._queue = RunQueue(
            config.tasks.max_running,
            self._active,
            self._store,
            lambda task: self.spawn(self._sleep(task)),
        )

    @property
    def busy(self) -> bool:
        """Whether any sandbox runs or waits for its turn."""
        return bool(self._active or self._background)

    def of(self, task_id: str) -> Active | None:
        """The run that a task has or waits for."""
        return self._active.get(task_id)

    # -- life of the driver

    def adopt(self) -> None:
        """Take over what an earlier driver left: running sandboxes, and tasks in the queue."""
        for run in self._store.runs.open():
            self.launch(self._store.tasks.get(run.task), adopt=run)
        for task in self._store.tasks.list():
            if task.state in {TaskState.QUEUED, TaskState.STARTING} and task.id not in self._active:
                self.launch(task)

    async def detach(self) -> None:
        """Let go of all sandboxes and leave them running."""
        for active in list(self._active.values()):
            if active.job is not None:
                active.job.cancel()
                with suppress(asyncio.CancelledError):
                    await active.job
            if active.life is not None:
                await active.life.detach()

    # -- beginning and stopping

    def wake(self, task: Task) -> None:
        """Put a task that sleeps or ended into the queue again."""
        task.state, task.reason, task.problem = TaskState.QUEUED, None, ""
        self._save(task)
        self.launch(task)

    def launch(self, task: Task, *, adopt: Run | None = None) -> None:
        """Give a task a run as soon as there is room for one, or the run that it has already."""
        active = Active(self._journals.of(task.id))
        self._active[task.id] = active
        active.job = asyncio.create_task(self._attend(task, active, adopt), name=f"task {task.id}")

    async def stop(self, task_id: str, intent: Intent) -> Task:
        """Stop the sandbox. Returns when its work was imported and its log archived."""
        task = self._store.tasks.get(task_id)
        active = self._active.get(task_id)
        if active is None:
            if task.state is not TaskState.ENDED and intent != "asleep":
                settle(task, None, intent)
                self._save(task)
            if task.work is not None and task.work.problem:
                await bring_last(self._paths.task(task_id), task, self._store, needed=False)
            return self._store.tasks.get(task_id)
        if active.intent in {"", "asleep"}:
            active.intent = intent
        if active.life is not None and active.life.created:
            await active.life.stop(_STOP_GRACE_SECONDS)
        elif active.job is not None:
            active.job.cancel()
        if active.job is not None:
            await asyncio.wait([active.job])
        return self._store.tasks.get(task_id)

    def say_again(self, task: Task) -> None:
        """What was read, and answered by the rejection of the login; its id would not run again."""
        last = self._store.messages.last(task.id)
        if last is not None and last.delivered is not None:
            self._store.messages.add(new_message(task.id, last.text, now()))

    # -- one run

    async def _attend(self, task: Task, active: Active, adopt: Run | None) -> None:
        """One run, from the queue to the state that its task has afterwards."""
        end: RunEnd | None = None
        again = False
        try:
            async with self._queue.slot(active):
                end = await self._run(task, active, adopt)
            if await self._has_another_login(task, active, end):
                self.say_again(task)
                self._tell(task, "Claude rejected the login; a newer one was found and is tried")
                task.state, again = TaskState.QUEUED, True
            else:
                settle(task, end, active.intent)
        except CtuiError as error:
            settle(task, None, active.intent, error)
        except asyncio.CancelledError:
            if not active.intent:
                raise
            settle(task, None, active.intent)
        finally:
            active.forget_timers()
            self._active.pop(task.id, None)
        self._save(task)
        if again:
            self.wake(task)
        elif end is not None and end.torn_input and not active.intent:
            # Half a line reached the CLI and ended it: what it was not told yet is told again.
            self.wake(task)
        elif active.intent != "stopped" and self._has_news(task, end):
            self.wake(task)

    async def _run(self, task: Task, active: Active, adopt: Run | None) -> RunEnd:
        account = await self._logins.of(task, needed=adopt is None)
        if adopt is None:
            task.state = TaskState.STARTING
            self._save(task)
        launch = await prepare(self._paths, self._config, self._parts, task, account, adopt=adopt)
        active.work = Work(
            task, self._store, launch.private.fingerprint, lambda: bring(launch.private, task)
        )
        run = launch.run
        outward = Reporter(self, task, run, active)
        active.life = Life(self._parts, task, run, active.journal, outward)
        if adopt is None:
            self._store.runs.add(run)
            end = await active.life.begin(launch.spec, launch.first_line)
        else:
            end = await active.life.adopt(launch.first_line)
        await active.work.bring_in()
        outward.report_work()
        return end

    async def _has_another_login(self, task: Task, active: Active, end: RunEnd) -> bool:
        """Whether a rejected login has a successor: the host's own CLI renews its one, say."""
        if not end.login_rejected:
            self._logins.accepted(task.id)
            return False
        # A keyring may take its time, and the person may stop the task meanwhile.
        found = active.intent in {"", "asleep"} and await self._logins.another(task)
        return found and active.intent in {"", "asleep"}

    def _has_news(self, task: Task, end: RunEnd | None) -> bool:
        """A message that came while the sandbox was being put to sleep still has to be read."""
        clean = end is not None and not end.login_rejected and task.state is not TaskState.ENDED
        return clean and bool(self._store.messages.undelivered(task.id))

    def _tell(self, task: Task, text: str) -> None:
        number = len(self._store.runs.of(task.id))
        self._journals.of(task.id).note(number, now(), Notice(kind="problem", text=text))

    # -- what follows from a run's lines

    def turn_ended(self, task: Task, active: Active) -> None:
        """Import what was done; then sleep soon, or stop at once if nobody wants to go on."""
        if active.life is not None and active.life.conversation.login_rejected:
            # The next run begins with another login: nothing is gained by keeping this one.
            self.spawn(self._sleep(task.id))
            return
        if not task.detached:
            self.spawn(self._finish(task.id))
            return
        active.stay_awake()
        seconds = self._config.tasks.idle_minutes * 60
        active.sleep = asyncio.get_running_loop().call_later(
            seconds, lambda: self.spawn(self._doze(task.id))
        )
        self._queue.make_room()

    def publish(self, update: Update) -> None:
        self._publish(update)

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Do it in the background; the driver stays until it is done."""
        job = asyncio.create_task(work)
        self._background.add(job)
        job.add_done_callback(self._background.discard)

    async def _finish(self, task_id: str) -> None:
        if not self._store.messages.undelivered(task_id):
            await self.stop(task_id, "completed")

    async def _sleep(self, task_id: str) -> None:
        with suppress(NotFound):
            await self.stop(task_id, "asleep")

    async def _doze(self, task_id: str) -> None:
        with suppress(NotFound):
            if self._store.tasks.get(task_id).state is TaskState.IDLE:
                await self.stop(task_id, "asleep")

    def _save(self, task: Task) -> None:
        task.updated = now()
        self._store.tasks.save(task)
        self._publish(Update(task=task))
