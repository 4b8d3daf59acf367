"""What the screen asks the driver to do: each returns at once, and says what went wrong."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

from textual.app import App

from ctui.client import Client
from ctui.client.tasks import NewTask, login, remove_task, start_task
from ctui.errors import CtuiError
from ctui.git.repository import open_repository
from ctui.tasks.calls import AnswerAsk, InterruptTask, ResumeTask, SendMessage, StopTask
from ctui.tasks.model import Answer, Ask, Task
from ctui.text import one_line, sanitise

T = TypeVar("T")


class Deeds:
    """The person's commands, carried out in the background."""

    def __init__(self, app: App[Any], client: Client, git_dir: Path) -> None:
        self._app = app
        self._client = client
        self._git_dir = git_dir

    def start(self, new: NewTask, started: Callable[[Task], None]) -> None:
        async def go() -> Task:
            repository = await asyncio.to_thread(open_repository, self._git_dir)
            return await start_task(self._client, repository, new)

        self._do(go(), started)

    def say(self, task: str, message_id: str, text: str) -> None:
        call = SendMessage(task, message_id, text, login(self._client.paths))
        self._do(self._client.call(call))

    def answer(self, ask: Ask, answer: Answer, refused: Callable[[], None]) -> None:
        self._do(self._client.call(AnswerAsk(ask.id, answer)), failed=refused)

    def interrupt(self, task: str) -> None:
        self._do(self._client.call(InterruptTask(task)))

    def stop(self, task: str) -> None:
        self._do(self._client.call(StopTask(task)), lambda _: self._say(f"{task} is stopped"))

    def resume(self, task: str) -> None:
        self._do(self._client.call(ResumeTask(task, login(self._client.paths))))

    def remove(self, task: Task, *, force: bool, keep_worktree: bool) -> None:
        def removed(entry: Any) -> None:
            where = f"; ctui worktree restore {entry.id}" if entry else ""
            self._say(f"{task.id} is removed{where}")

        removal = remove_task(
            self._client, task, keep_worktree=keep_worktree, force=force, purge=False
        )
        self._do(removal, removed)

    def complain(self, error: CtuiError) -> None:
        """Show an error, and what to do about it."""
        text = f"{error.message}\n{error.hint}" if error.hint else error.message
        self._app.notify(sanitise(text), severity="error", timeout=10, markup=False)

    def _say(self, text: str) -> None:
        self._app.notify(one_line(text, 200), timeout=6, markup=False)

    def _do(
        self,
        work: Awaitable[T],
        done: Callable[[T], None] | None = None,
        failed: Callable[[], None] | None = None,
    ) -> None:
        async def go() -> None:
            try:
                result = await work
            except CtuiError as error:
                self.complain(error)
                if failed is not None:
                    failed()
            else:
                if done is not None:
                    done(result)

        self._app.run_worker(go(), group="deeds")
