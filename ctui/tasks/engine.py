"""All tasks of one user, and what a person can do with them."""

from __future__ import annotations

import asyncio

from ctui.config import Config
from ctui.errors import Conflict
from ctui.paths import Paths
from ctui.tasks import asks
from ctui.tasks.active import Intent
from ctui.tasks.asks.kinds.permission import grantable
from ctui.tasks.calls import AnswerAsk, Login, RemoveTask, SendMessage, StartTask, Update
from ctui.tasks.journal import Journal
from ctui.tasks.journals import Journals
from ctui.tasks.launch import purge
from ctui.tasks.life import Parts
from ctui.tasks.logins import Logins, Sources
from ctui.tasks.messages import check_text, new_message
from ctui.tasks.model import Ask, AskState, Message, Task
from ctui.tasks.naming import free_task_id, new_task
from ctui.tasks.results import LOGIN_PROBLEM
from ctui.tasks.runs import Publisher, Runs
from ctui.tasks.store import Store, now
from ctui.tasks.work import bring_last


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
        self.store: Store = parts.store
        self._paths = paths
        self._parts = parts
        self._publish = publish
        self._logins = Logins(logins)
        self._journals = Journals(paths, parts.store, self._logins.redactor)
        self._runs = Runs(paths, config, parts, self._logins, self._journals, publish)

    @property
    def busy(self) -> bool:
        """Whether any sandbox runs or waits for its turn."""
        return self._runs.busy

    def adopt(self) -> None:
        """Take over what an earlier driver left: running sandboxes, and tasks in the queue."""
        self._runs.adopt()

    async def detach(self) -> None:
        """Let go of everything and leave it running."""
        await self._runs.detach()
        self._journals.close_all()

    def start(self, call: StartTask) -> Task:
        """Make a task and put it into the queue."""
        check_text(call.prompt)
        for other in self.store.tasks(worktree=call.worktree):
            if other.state.live or self._runs.of(other.id):
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
        self._runs.launch(task)
        return task

    def _taken_ids(self) -> set[str]:
        """Every id that was ever given, also by a store that was lost."""
        folder = self._paths.state / "tasks"
        found = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
        return self.store.task_ids() | found

    def send(self, call: SendMessage) -> Task:
        """Add a message, and wake the task if it sleeps or ended."""
        check_text(call.text)
        task = self.store.task(call.task)
        self._logins.remember(task.id, call.login)
        message = Message(id=call.id, task=task.id, text=call.text, created=now())
        self.store.add_message(message)
        active = self._runs.of(task.id)
        if active is None:
            self._runs.wake(task)
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
        active = self._runs.of(ask.task)
        if active is not None and active.life is not None and active.life.run.number == ask.run:
            active.life.conversation.answer(claimed, call.answer)
        elif active is None:
            self.store.move_ask(ask.id, AskState.ANSWERED, AskState.TOO_LATE)
        self._publish(Update(ask=self.store.ask(ask.id)))
        return self.store.ask(ask.id)

    def interrupt(self, task_id: str) -> Task:
        task = self.store.task(task_id)
        active = self._runs.of(task_id)
        if active is None or active.life is None or not task.state.live:
            raise Conflict(f"the task {task_id} is {task.state}", hint="there is no turn to end")
        active.life.conversation.interrupt()
        return task

    async def stop(self, task_id: str, intent: Intent) -> Task:
        """Stop the sandbox. Returns when its work was imported and its log archived."""
        return await self._runs.stop(task_id, intent)

    async def resume(self, task_id: str, login: Login) -> Task:
        """A new run of the same conversation."""
        self._logins.remember(task_id, login)
        active = self._runs.of(task_id)
        if active is not None and active.intent and active.job is not None:
            await asyncio.wait([active.job])
        task = self.store.task(task_id)
        if self._runs.of(task_id):
            raise Conflict(f"the task {task_id} is {task.state} already", hint="send it a message")
        if task.problem == LOGIN_PROBLEM:
            self._runs.say_again(task)
        # Nobody follows it: it stays to hear what it is told next.
        task.detached = True
        self._runs.wake(task)
        return self.store.task(task_id)

    async def remove(self, call: RemoveTask) -> None:
        """Stop a task and take it off the list; one that is off the list can still be purged."""
        task = self.store.task(call.task, removed=call.purge)
        if not task.removed:
            task = await self.stop(call.task, "stopped")
        await bring_last(
            self._paths.task(task.id), task, self.store, needed=call.purge and not call.force
        )
        self._journals.close(task.id)
        if call.purge:
            await purge(self._paths, self._parts, task)
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
        """The task's archive, open for appending. Raises NotFound."""
        return self._journals.of(task_id)
