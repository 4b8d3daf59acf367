"""All tasks of one user, and what a person can do with them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, cast

import msgspec

from ctui.errors import Conflict, CtuiError, RunnerUnavailable
from ctui.tasks.calls import (
    AnswerAsk,
    HoldShell,
    InterruptTask,
    LendNetwork,
    MarkRead,
    PutBackTask,
    RemoveTask,
    ResumeTask,
    SendMessage,
    StartTask,
    StopTask,
    Update,
)
from ctui.tasks.journal.archive import Journal
from ctui.tasks.left_behind import left_behind
from ctui.tasks.mailbox.mail import (
    Adopt,
    Answer,
    GatewayMail,
    Hold,
    HostAsked,
    Interrupt,
    Mail,
    PutBack,
    Read,
    Remove,
    Resume,
    Send,
    Start,
    Stop,
    Trouble,
)
from ctui.tasks.mailbox.ports import Services
from ctui.tasks.mailbox.run_view import RunView
from ctui.tasks.mailbox.states import Intent, Phase
from ctui.tasks.mailbox.step import Reply, Standing
from ctui.tasks.model import Ask, AskState, Task, TaskState
from ctui.tasks.naming import free_task_id, new_task
from ctui.tasks.runs.actor import TaskActor
from ctui.tasks.runs.disks.watching import needs_space
from ctui.tasks.runs.slots import Slots
from ctui.tasks.runs.space import SpaceWatch
from ctui.tasks.runs.store_lock import StoreLockWatch
from ctui.tasks.session.messages import check_text, new_message
from ctui.tasks.store import Unfinished

log = logging.getLogger(__name__)

_RECEIPT_SECONDS = 8.0
"""Time limit of waiting for an answer's receipt; afterwards the ask is returned as it is."""


class TaskEngine:
    """The driver's heart: an actor for each task that is not at rest. Runs on one event loop."""

    def __init__(self, services: Services, taken_ids: set[str]) -> None:
        """Begin with no actor.

        Args:
            services: what all runs share.
            taken_ids: every id that was ever given, also by a store that was lost.
        """
        self.store = services.store
        self.slots = Slots(lambda: services.config().tasks.max_running)
        self._services = services
        self._taken_ids = taken_ids
        self._actors: dict[str, TaskActor] = {}
        self._receipts: dict[int, list[Reply]] = {}
        self._jobs: set[asyncio.Task[None]] = set()
        self._space = SpaceWatch(services, self._actors.values)
        self._store_lock = StoreLockWatch(self.store)

    @property
    def busy(self) -> bool:
        """Return True while any task is not at rest, or waits for its time."""
        return bool(self._actors)

    # -- life of the driver

    def adopt(self) -> None:
        """Take over what an earlier driver left: running sandboxes, and tasks in the queue."""
        self.store.quarantine_orphans()
        adopted = set()
        for run in self.store.runs.open():
            if run.task in adopted:
                continue
            adopted.add(run.task)
            try:
                task = self.store.tasks.get(run.task, removed=True)
            except CtuiError as error:  # one bad record hides no other
                log.warning("the run of %s is not adopted: %s", run.task, error.one_line())
            else:
                self._actor(task).put(Adopt(run))
        unfinished = self.store.unfinished.all()
        for task in self.store.tasks.list():
            if task.id in adopted:
                continue
            waits = task.state is TaskState.WAITING and task.cause in {"login", "consent"}
            left = unfinished.get(task.id, Unfinished())
            if (task.state.live and not waits) or left.intent or left.again:
                self._actor(task).put(Adopt(None))
            elif task.cause == "engine" and task.state is TaskState.IDLE:
                self._actor(task).put(Trouble(""))  # nothing of it waits for the engine any more
            elif task.resume_at is not None:
                actor = self._actor(task)
                actor.pending.set_timer("reset", 0.0, actor.standing.epoch)  # it looks at the clock
        self._spawn(self._sweep())
        # A step that waited for the store would hold up the loop of all tasks.
        self.store.never_wait()

    async def detach(self) -> None:
        """Let go of everything and leave it running."""
        self._space.close()
        self._store_lock.close()
        for job in self._jobs:
            job.cancel()
        for actor in list(self._actors.values()):
            await actor.let_go()
        self._services.journals.close_all()

    # -- commands

    async def start(self, call: StartTask) -> Task:
        """Make a task and put it into the queue."""
        check_text(call.prompt)
        for other in self.store.tasks.list(worktree=call.worktree):
            if other.state.live or self._has_run(other.id):
                raise Conflict(
                    f"the task {other.id} works on this worktree already",
                    hint=f"send it a message, or `ctui task stop {other.id}` first",
                )
        task = new_task(call, free_task_id(call, self.store.tasks.ids() | self._taken_ids))
        task.options = msgspec.structs.replace(
            task.options,
            trusted=call.trust or task.options.trusted,
            env=dict.fromkeys(call.options.env, ""),  # the store has the values
        )
        self._services.logins.remember(task.id, call.login)
        self._taken_ids.add(task.id)
        try:
            text, attached = await self._attach(task.id, task.prompt, call.staged)
            prompt = new_message(task.id, text, task.created, attached)
            started: Task = await self._ask(task, lambda reply: Start(task, call, prompt, reply))
        except CtuiError:
            if call.staged:
                await self._services.workspace.discard(task)
            self._taken_ids.discard(task.id)
            self._services.logins.forget(task.id)
            raise
        return started

    def _has_run(self, task_id: str) -> bool:
        actor = self._actors.get(task_id)
        return actor is not None and actor.standing.phase is not Phase.RESTING

    async def send(self, call: SendMessage) -> Task:
        """Add a message, and wake the task if it sleeps or ended."""
        check_text(call.text)
        task = self.store.tasks.get(call.task)
        self._services.logins.remember(task.id, call.login)
        known = self.store.messages.get(task.id, call.id) is not None
        text, attached = await self._attach(task.id, call.text, "" if known else call.staged)
        said = msgspec.structs.replace(call, text=text)
        sent: Task = await self._ask(task, lambda reply: Send(said, reply, attached))
        return sent

    async def _attach(self, task_id: str, text: str, staged: str) -> tuple[str, str]:
        """Return a message with the names of the files that a call brought."""
        if not staged:
            return text, ""
        return await self._services.workspace.attach(task_id, text, staged)

    async def answer(self, call: AnswerAsk) -> Ask:
        """Accept an answer, and return the ask when it has arrived, or did not."""
        ask = self.store.asks.get(call.ask)
        task = self.store.tasks.get(ask.task, removed=True)
        answered: Ask = await self._ask(task, lambda reply: Answer(call, reply))
        return answered

    async def interrupt(self, call: InterruptTask) -> Task:
        """End the turn."""
        task: Task = await self._ask(self.store.tasks.get(call.task), Interrupt)
        return task

    async def stop(self, call: StopTask) -> Task:
        """Stop the sandbox; return when the runner confirms that none is left."""
        intent: Intent = "completed" if call.completed else "stopped"
        found = self.store.tasks.get(call.task)
        task: Task = await self._ask(found, lambda reply: Stop(intent, reply))
        return task

    async def resume(self, call: ResumeTask) -> Task:
        """Begin a new run of the same conversation."""
        task = self.store.tasks.get(call.task)
        self._services.logins.remember(task.id, call.login)
        resumed: Task = await self._ask(task, lambda reply: Resume(call, reply))
        return resumed

    async def remove(self, call: RemoveTask) -> None:
        """Stop a task and take it off the list; one that is off the list can still be purged."""
        task = self.store.tasks.get(call.task, removed=call.purge)
        await self._ask(task, lambda reply: Remove(call, reply))

    async def put_back(self, call: PutBackTask) -> Task:
        """Put a task on the list again that was taken off it."""
        found = self.store.tasks.get(call.task, removed=True)
        task: Task = await self._ask(found, PutBack)
        return task

    async def mark_read(self, call: MarkRead) -> Task:
        """Note that the person has read what a task did."""
        found = self.store.tasks.get(call.task)
        task: Task = await self._ask(found, lambda reply: Read(call=call, reply=reply))
        return task

    async def hold_shell(self, call: HoldShell) -> str:
        """Keep a sandbox awake for a shell; return it where the shell needs one."""
        task = self.store.tasks.get(call.task)
        sandbox: str = await self._ask(task, lambda reply: Hold(call=call, reply=reply))
        return sandbox

    def tell(self, task_id: str, mail: GatewayMail) -> None:
        """Tell a task what the gateway says of its run; one that is at rest has none."""
        if (actor := self._actors.get(task_id)) is not None:
            actor.put(mail)
        elif isinstance(mail, HostAsked):
            self._services.network.decide(mail.request, allow=False)

    async def lend_network(self, call: LendNetwork) -> Path:
        """Let a build reach what a repository's tasks do."""
        return await self._services.network.lend(call.name, call.repository)

    def rules_changed(self) -> None:
        """Have the rules of hosts count as they are kept now."""
        self._services.network.rules_changed()

    def journal(self, task_id: str) -> Journal:
        """Return the task's archive, open for appending. Raises NotFound."""
        self.store.tasks.get(task_id)
        return self._services.journals.of(task_id)

    def rest_journal(self, task_id: str) -> None:
        """Close a task's archive, unless somebody follows it or its actor may write to it."""
        if task_id not in self._actors:
            self._services.journals.rest(task_id)

    async def _ask(self, task: Task, mail: Callable[[Reply], Mail]) -> Any:
        """Put a command into the task's mailbox, and wait for its effect."""
        reply: Reply = asyncio.get_running_loop().create_future()
        self._actor(task).put(mail(reply))
        return await reply

    # -- what actors need of each other

    def rested(self, actor: TaskActor) -> None:
        """Forget an actor that has nothing more to do."""
        if actor.at_rest:
            self._actors.pop(actor.id, None)
            self._services.journals.rest(actor.id)
            actor.dismiss()
        elif needs_space(actor.standing):
            self._space.wake()

    def occupied(self, task: Task) -> str:
        """Return the id of another task that has a run on the same worktree, or ""."""
        for other in self._actors.values():
            same = other.standing.task.worktree == task.worktree
            if same and other.id != task.id and other.standing.phase is not Phase.RESTING:
                return other.id
        return ""

    def make_room(self) -> None:
        """Put those to sleep that have been idle for longest, one for each that waits."""
        idle = sorted(
            (actor.standing.task.updated, actor.id, actor)
            for actor in self._actors.values()
            if actor.standing.phase is Phase.LIVE
            and not actor.standing.intent
            and actor.standing.task.state is TaskState.IDLE
            and not actor.standing.task.background
        )
        leaving = sum(bool(actor.standing.intent) for actor in self._actors.values())
        for _, _, actor in idle[: max(0, self.slots.crowded - leaving)]:
            actor.put(Stop("asleep"))

    def tell_trouble(self, actor: TaskActor, error: CtuiError) -> None:
        """Show what keeps a task waiting."""
        if isinstance(error, RunnerUnavailable):
            actor.put(Trouble(error.one_line()))
        else:  # it cannot be stored
            problem = error.one_line()
            shown = msgspec.structs.replace(actor.standing.task, problem=problem, cause="store")
            self._services.publish(Update(task=shown))

    def trouble_over(self, actor: TaskActor) -> None:
        """Show that the runner answers again."""
        actor.put(Trouble(""))

    def stored_again(self, actor: TaskActor) -> None:
        """Show a task as it is, after its trouble with the store."""
        self._services.publish(Update(task=actor.standing.task))

    async def store_writable(self, seconds: float) -> bool:
        """Wait for at most so long; return True once the store is not locked any more."""
        return await self._store_lock.writable(seconds)

    def ask_changed(self, ask: Ask) -> None:
        """Tell everybody how an ask is, and whoever waits for its receipt."""
        self._services.publish(Update(ask=ask))
        if ask.state not in {AskState.PENDING, AskState.ANSWERED}:
            for reply in self._receipts.pop(ask.id, ()):
                if not reply.done():
                    reply.set_result(ask)

    def await_receipt(self, ask_id: int, reply: Reply) -> None:
        """Settle the reply with the ask's end, or with the ask as it is after some seconds."""
        self._receipts.setdefault(ask_id, []).append(reply)
        asyncio.get_running_loop().call_later(_RECEIPT_SECONDS, self._no_receipt, ask_id)

    def _no_receipt(self, ask_id: int) -> None:
        for reply in self._receipts.pop(ask_id, ()):
            if not reply.done():
                reply.set_result(self.store.asks.get(ask_id))

    def removed(self, task_id: str) -> None:
        """Tell everybody that a task is off the list."""
        self._services.publish(Update(removed=task_id))

    def _actor(self, task: Task) -> TaskActor:
        if task.id not in self._actors:
            left = self.store.unfinished.of(task.id)
            standing = Standing(
                task,
                view=RunView(todos=task.activity.todos),
                intent=cast("Intent", left.intent),
                again=left.again,
                interrupt=left.interrupt,
                mode=left.mode,
                told=left.told,
                config=self.store.unfinished.config(task.id),
            )
            self._actors[task.id] = TaskActor(standing, self._services, self)
        return self._actors[task.id]

    # -- what earlier drivers left

    async def _sweep(self) -> None:
        """Have every sandbox of ours removed that no run is on record for, or taken over."""
        async for task, sweep in left_behind(self._services, self._actors):
            self._actor(task).put(sweep)
        await self._services.network.close_others(self._actors)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        job = asyncio.create_task(work)
        self._jobs.add(job)
        job.add_done_callback(self._jobs.discard)
