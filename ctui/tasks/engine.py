"""All tasks of one user: the queue, the runs, and what a person can do with them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, Protocol

from ctui.config import Config
from ctui.errors import Conflict, CtuiError, NotFound
from ctui.paths import Paths
from ctui.tasks import asks
from ctui.tasks.active import Active, Intent, Reporter
from ctui.tasks.calls import AnswerAsk, Login, RemoveTask, SendMessage, StartTask, Update
from ctui.tasks.end import settle
from ctui.tasks.grants import grantable
from ctui.tasks.journal import Journal
from ctui.tasks.launch import prepare, purge
from ctui.tasks.life import Life, Parts, RunEnd
from ctui.tasks.logins import Logins, Sources
from ctui.tasks.messages import check_text, new_message
from ctui.tasks.model import Ask, AskState, Message, Run, Task, TaskState
from ctui.tasks.naming import free_task_id, new_task
from ctui.tasks.run_queue import RunQueue
from ctui.tasks.store import Store, now
from ctui.tasks.work import Work, bring, bring_last

log = logging.getLogger(__name__)

_STOP_GRACE_SECONDS = 5.0


class Publisher(Protocol):
    """Who is told about every change."""

    def __call__(self, update: Update) -> None: ...


class TaskEngine:
    """The driver's heart. All methods run on its one event loop."""

    def __init__(
        self,
        paths: Paths,
        config: Config,
        parts: Parts,
        logins: Sources,
        publish: Publisher,
    ) -> None:
        self.paths = paths
        self.config = config
        self.parts = parts
        self.store: Store = parts.store
        self._publish = publish
        self._active: dict[str, Active] = {}
        self._journals: dict[str, Journal] = {}
        self._logins = Logins(logins)
        self._queue = RunQueue(
            config.tasks.max_running,
            self._active,
            self.store,
            lambda task: self._spawn(self._sleep(task)),
        )
        self._background: set[asyncio.Task[None]] = set()

    @property
    def busy(self) -> bool:
        """Whether any sandbox runs or waits for its turn."""
        return bool(self._active or self._background)

    # -- life of the driver

    async def adopt(self) -> None:
        """Take over what an earlier driver left: running sandboxes, and tasks in the queue."""
        for run in self.store.open_runs():
            self._launch(self.store.task(run.task), adopt=run)
        for task in self.store.tasks():
            if task.state in {TaskState.QUEUED, TaskState.STARTING} and task.id not in self._active:
                self._launch(task)

    async def detach(self) -> None:
        """Let go of everything and leave it running."""
        for active in list(self._active.values()):
            if active.job is not None:
                active.job.cancel()
                with suppress(asyncio.CancelledError):
                    await active.job
            if active.life is not None:
                await active.life.detach()
        for journal in self._journals.values():
            journal.close()

    # -- what a person can do

    def start(self, call: StartTask) -> Task:
        """Make a task and put it into the queue."""
        check_text(call.prompt)
        for other in self.store.tasks(worktree=call.worktree):
            if other.state.live or other.id in self._active:
                raise Conflict(
                    f"the task {other.id} works on this worktree already",
                    hint=f"send it a message, or `ctui task stop {other.id}` first",
                )
        if call.trust:
            self.store.trust(call.repository)
        task = new_task(call, free_task_id(call, self._taken_ids()))
        self._logins.remember(task.id, call.login)
        self.store.add_task(task)
        self.store.add_message(new_message(task.id, task.prompt, task.created))
        self._launch(task)
        return task

    def _taken_ids(self) -> set[str]:
        """Every id that was ever given, also by a store that was lost."""
        folder = self.paths.state / "tasks"
        found = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
        return self.store.task_ids() | found

    def send(self, call: SendMessage) -> Task:
        """Add a message, and wake the task if it sleeps or ended."""
        check_text(call.text)
        task = self.store.task(call.task)
        self._logins.remember(task.id, call.login)
        message = Message(id=call.id, task=task.id, text=call.text, created=now())
        self.store.add_message(message)
        active = self._active.get(task.id)
        if active is None:
            self._wake(task)
        elif active.life is not None and not active.intent:
            active.stay_awake()
            active.life.conversation.say(message)
        return self.store.task(task.id)

    def answer(self, call: AnswerAsk) -> Ask:
        """Accept an answer: the first one wins."""
        ask = self.store.ask(call.ask)
        asks.check(ask, call.answer)
        with self.store.transaction():
            if not self.store.claim_ask(ask.id, call.answer):
                raise Conflict(
                    f"ask {ask.id} is {self.store.ask(ask.id).state}, not pending",
                    hint="nothing was sent; `ctui task show` tells what became of it",
                )
            if call.answer.decision == "always" and (granted := grantable(ask)):
                repository = self.store.task(ask.task, removed=True).repository
                self.store.add_grant(repository, granted, ask.task, now())
        claimed = self.store.ask(ask.id)
        active = self._active.get(ask.task)
        if active is not None and active.life is not None and active.life.run.number == ask.run:
            active.life.conversation.answer(claimed, call.answer)
        elif active is None:
            self.store.move_ask(ask.id, AskState.ANSWERED, AskState.TOO_LATE)
        self._publish(Update(ask=self.store.ask(ask.id)))
        return self.store.ask(ask.id)

    def interrupt(self, task_id: str) -> Task:
        task = self.store.task(task_id)
        active = self._active.get(task_id)
        if active is None or active.life is None or not task.state.live:
            raise Conflict(f"the task {task_id} is {task.state}", hint="there is no turn to end")
        active.life.conversation.interrupt()
        return task

    async def stop(self, task_id: str, intent: Intent) -> Task:
        """Stop the sandbox. Returns when its work was imported and its log archived."""
        task = self.store.task(task_id)
        active = self._active.get(task_id)
        if active is None:
            if task.state is not TaskState.ENDED and intent != "asleep":
                settle(task, None, intent)
                self._save(task)
            if task.work is not None and task.work.problem:
                await bring_last(self.paths.task(task_id), task, self.store, needed=False)
            return self.store.task(task_id)
        active.intent = active.intent or intent
        if active.life is not None and active.life.created:
            await active.life.stop(_STOP_GRACE_SECONDS)
        elif active.job is not None:
            active.job.cancel()
        if active.job is not None:
            await asyncio.wait([active.job])
        return self.store.task(task_id)

    async def resume(self, task_id: str, login: Login) -> Task:
        """A new run of the same conversation."""
        self._logins.remember(task_id, login)
        active = self._active.get(task_id)
        if active is not None and active.intent and active.job is not None:
            await asyncio.wait([active.job])
        task = self.store.task(task_id)
        if task_id in self._active:
            raise Conflict(f"the task {task_id} is {task.state} already", hint="send it a message")
        last = self.store.last_message(task_id)
        if task.state is TaskState.WAITING and last is not None and last.delivered is not None:
            # It was read, and answered by the rejection of the login; its id would not run again.
            self.store.add_message(new_message(task_id, last.text, now()))
        # Nobody follows it: it stays to hear what it is told next.
        task.detached = True
        self._wake(task)
        return self.store.task(task_id)

    async def remove(self, call: RemoveTask) -> None:
        """Stop a task and take it off the list; one that is off the list can still be purged."""
        task = self.store.task(call.task, removed=call.purge)
        if not task.removed:
            task = await self.stop(call.task, "stopped")
        await bring_last(
            self.paths.task(task.id), task, self.store, needed=call.purge and not call.force
        )
        journal = self._journals.pop(task.id, None)
        if journal is not None:
            journal.close()
        if call.purge:
            await purge(self.paths, self.parts, task)
            self.store.forget_task(task.id)
        else:
            self.store.mark_removed(task.id)
        self._publish(Update(removed=task.id))

    def put_back(self, task_id: str) -> Task:
        """Put a task on the list again that was taken off it."""
        task = self.store.task(task_id, removed=True)
        if task.removed:
            self.store.mark_removed(task_id, removed=False)
            task = self.store.task(task_id)
            self._publish(Update(task=task))
        return task

    def journal(self, task_id: str) -> Journal:
        """The task's archive, open for appending."""
        if task_id not in self._journals:
            self.store.task(task_id)
            self._journals[task_id] = Journal(self.paths.task(task_id), self._logins.redactor)
        return self._journals[task_id]

    # -- runs

    def _wake(self, task: Task) -> None:
        task.state, task.reason, task.problem = TaskState.QUEUED, None, ""
        self._save(task)
        self._launch(task)

    def _launch(self, task: Task, *, adopt: Run | None = None) -> None:
        active = Active(self.journal(task.id))
        self._active[task.id] = active
        active.job = asyncio.create_task(self._attend(task, active, adopt), name=f"task {task.id}")

    async def _attend(self, task: Task, active: Active, adopt: Run | None) -> None:
        """One run, from the queue to the state that its task has afterwards."""
        end: RunEnd | None = None
        try:
            async with self._queue.slot(active):
                end = await self._run(task, active, adopt)
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
        if end is not None and end.torn_input and not active.intent:
            # Half a line reached the CLI and ended it: what it was not told yet is told again.
            self._wake(task)
        elif active.intent != "stopped" and self._has_news(task, end):
            self._wake(task)

    def _has_news(self, task: Task, end: RunEnd | None) -> bool:
        """A message that came while the sandbox was being put to sleep still has to be read."""
        clean = end is not None and not end.login_rejected and task.state is not TaskState.ENDED
        return clean and bool(self.store.undelivered(task.id))

    async def _run(self, task: Task, active: Active, adopt: Run | None) -> RunEnd:
        # A keyring may take its time.
        account = await asyncio.to_thread(self._logins.of, task.id, needed=adopt is None)
        if adopt is None:
            task.state = TaskState.STARTING
            self._save(task)
        launch = await prepare(self.paths, self.config, self.parts, task, account, adopt=adopt)
        active.work = Work(
            task, self.store, launch.private.fingerprint, lambda: bring(launch.private, task)
        )
        run = launch.run
        outward = Reporter(self, task, run, active)
        active.life = Life(self.parts, task, run, active.journal, outward)
        if adopt is None:
            self.store.add_run(run)
            end = await active.life.begin(launch.spec, launch.first_line)
        else:
            end = await active.life.adopt(launch.first_line)
        await active.work.bring_in()
        outward.report_work()
        return end

    # -- what follows from a run's lines

    def turn_ended(self, task: Task, active: Active) -> None:
        """Import what was done; then sleep soon, or stop at once if nobody wants to go on."""
        if active.life is not None and active.life.conversation.login_rejected:
            # The next run begins with another login: nothing is gained by keeping this one.
            self._spawn(self._sleep(task.id))
            return
        if not task.detached:
            self._spawn(self._finish(task.id))
            return
        active.stay_awake()
        seconds = self.config.tasks.idle_minutes * 60
        active.sleep = asyncio.get_running_loop().call_later(
            seconds, lambda: self._spawn(self._doze(task.id))
        )
        self._queue.make_room()

    def watch_expiry(self, ask: Ask, active: Active) -> None:
        """Give up on an `ask_user` when its time is over."""
        active.watch_expiry(ask)

    def publish(self, update: Update) -> None:
        self._publish(update)

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        self._spawn(work)

    async def _finish(self, task_id: str) -> None:
        if not self.store.undelivered(task_id):
            await self.stop(task_id, "completed")

    async def _sleep(self, task_id: str) -> None:
        with suppress(NotFound):
            await self.stop(task_id, "asleep")

    async def _doze(self, task_id: str) -> None:
        with suppress(NotFound):
            if self.store.task(task_id).state is TaskState.IDLE:
                await self.stop(task_id, "asleep")

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        job = asyncio.create_task(work)
        self._background.add(job)
        job.add_done_callback(self._background.discard)

    def _save(self, task: Task) -> None:
        task.updated = now()
        self.store.save_task(task)
        self._publish(Update(task=task))
