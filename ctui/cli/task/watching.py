"""The state and the asks of a task that is followed, with answers that are typed."""

from __future__ import annotations

import asyncio
import os
import sys
from typing import TYPE_CHECKING

from ctui.cli.output import warn
from ctui.cli.task.answering import AskPrompt
from ctui.cli.task.ask_text import ask_outcome, how_to_answer
from ctui.cli.task.task_text import goes_on_text
from ctui.client.journal.plain import turn_over
from ctui.client.worktrees.worktrees import open_store
from ctui.errors import Conflict, CtuiError
from ctui.tasks.calls import AnswerAsk, Update
from ctui.tasks.model import Answer, Ask, AskState, EndReason, Task, TaskState

if TYPE_CHECKING:
    from ctui.cli.task.printing import Turn
    from ctui.client.client import Client

_QUEUE_SECONDS = 2.0


class Watcher:
    """Watcher of the task's state and asks, which lets the person answer at the terminal."""

    def __init__(
        self, client: Client, turn: Turn, *, interactive: bool, reads: bool = True
    ) -> None:
        """Begin with nothing seen.

        Args:
            client: connected to the driver.
            turn: which is followed.
            interactive: somebody can answer here.
            reads: stdin is read here; otherwise `take` is told what is typed.
        """
        self.task: Task | None = None
        self._client = client
        self._turn = turn
        self._interactive = interactive
        self._reads = interactive and reads
        self._prompts: dict[int, AskPrompt] = {}
        self._told: set[int] = set()
        self._said_waits = False
        if self._reads:
            asyncio.get_running_loop().add_reader(sys.stdin.fileno(), self._typed)
        self._jobs: set[asyncio.Task[None]] = set()

    def close(self) -> None:
        if self._reads:
            asyncio.get_running_loop().remove_reader(sys.stdin.fileno())

    async def until_removed(self) -> None:
        """Show what the task asks, until it is off the list."""
        async for update in self._client.watch(self._turn.task):
            self._see(update)
            if update.task is not None:
                self._see_task(update.task)
            if update.removed:
                return

    async def until_over(self) -> Task:
        async for update in self._client.watch(self._turn.task):
            self._see(update)
            if update.task is not None:
                self._see_task(update.task)
            if update.task is not None and turn_over(update.task) and self._begun(update.task):
                return update.task
            if update.removed:
                break
        raise Conflict(f"the task {self._turn.task} was removed meanwhile")

    def _begun(self, task: Task) -> bool:
        """Return False for a state that was there before our message was taken."""
        if not self._turn.message or task.problem or task.reason is EndReason.STOPPED:
            return True
        with open_store(self._client.paths) as store:
            messages = store.messages.of(task.id)
        return any(one.id == self._turn.message and one.delivered for one in messages)

    def _see_task(self, task: Task) -> None:
        if task.resume_at is not None and (self.task is None or not self.task.resume_at):
            warn(f"* {goes_on_text(task)}")
        if task.state is TaskState.QUEUED and self.task is None:
            loop = asyncio.get_running_loop()
            loop.call_later(_QUEUE_SECONDS, self._tell_of_queue)
        self.task = task

    def _tell_of_queue(self) -> None:
        if self.task is not None and self.task.state is TaskState.QUEUED:
            warn("* it waits in the queue: tasks.max_running others run")

    def _see(self, update: Update) -> None:
        ask = update.ask
        if ask is None:
            return
        if ask.state is AskState.PENDING:
            self._prompts.setdefault(ask.id, AskPrompt(ask))
            self._prompt()
        elif self._prompts.pop(ask.id, None) is not None and ask.id in self._told:
            warn(f"= {ask_outcome(ask)}")
            self._prompt()

    def _prompt(self) -> None:
        """Show the oldest ask, once."""
        if not self._prompts:
            return
        prompt = self._prompts[min(self._prompts)]
        if prompt.ask.id in self._told:
            return
        self._told.add(prompt.ask.id)
        for line in prompt.shown():
            warn(line)
        warn(prompt.choices() if self._interactive else f"  {how_to_answer(prompt.ask)}")
        if not (self._interactive or self._said_waits):
            self._said_waits = True
            warn("* it waits for that: no terminal is here, and the task is not --unattended")

    def _typed(self) -> None:
        try:
            typed = os.read(sys.stdin.fileno(), 4096)
        except BlockingIOError:
            return
        if not typed:
            self.close()
            return
        self.take(typed.decode("utf-8", "replace").strip())

    def take(self, typed: str) -> bool:
        """Answer with a typed line what is asked; return False where nothing is."""
        if not self._prompts:
            return False
        prompt = self._prompts[min(self._prompts)]
        answer = prompt.take(typed)
        if answer is not None:
            self._begin(prompt, answer)
            return True
        if prompt.problem:
            warn(f"  {prompt.problem}")
        warn(prompt.choices())
        return True

    def _begin(self, prompt: AskPrompt, answer: Answer) -> None:
        job = asyncio.create_task(self._answer(prompt.ask, answer))
        self._jobs.add(job)
        job.add_done_callback(self._jobs.discard)

    async def _answer(self, ask: Ask, answer: Answer) -> None:
        try:
            await self._client.call(AnswerAsk(ask.id, answer))
        except CtuiError as error:
            warn(error.one_line())
            if ask.id in self._prompts:
                self._prompts[ask.id] = AskPrompt(ask)
