"""Requests of the screen to the driver: each returns at once, and says what went wrong."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
from textual.app import App

from ctui.client.client import Client
from ctui.client.tasks.attaching import staged
from ctui.client.tasks.caller import new_message, resumption
from ctui.client.tasks.new_task import NewTask
from ctui.client.tasks.tasks import Started, remove_task, start_task
from ctui.errors import CtuiError
from ctui.git.repository.repository import open_repository
from ctui.tasks.calls import AnswerAsk, InterruptTask, MarkRead, StopTask
from ctui.tasks.model import Answer, Ask, Task
from ctui.text import one_line, sanitise
from ctui.tui.support.dropped import by_name
from ctui.tui.support.worker_loop import WorkerLoop

if TYPE_CHECKING:
    from ctui.client.landing.checked import Listener
    from ctui.client.landing.wish import LandingWish, Outlook

T = TypeVar("T")

_PROGRESS_SECONDS = 2.0


class TaskActions:
    """The person's commands, carried out in the background."""

    def __init__(
        self, app: App[Any], client: Client, worker_loop: WorkerLoop, git_dir: Path
    ) -> None:
        """Prepare actions of which none has begun.

        Args:
            app: where what went wrong is told.
            client: the way to the driver.
            worker_loop: where git is waited for.
            git_dir: of the repository.
        """
        self._app = app
        self._client = client
        self._worker_loop = worker_loop
        self._git_dir = git_dir

    def start(
        self, new: NewTask, started: Callable[[Task], None], refused: Callable[[CtuiError], None]
    ) -> None:
        async def go() -> Started:
            async with Client(self._client.paths) as client:
                return await start_task(
                    client, open_repository(self._git_dir), new, progress=self._progress()
                )

        def done(found: Started) -> None:
            for note in found.notes:
                self._say(note)
            started(found.task)

        self._do(self._worker_loop.submit(go()), done, refused)

    def _progress(self) -> Callable[[int, int], None]:
        """Return a callback, for any thread, that says now and then how far a long checkout is."""
        said = monotonic()

        def progress(done: int, of: int) -> None:
            nonlocal said
            if monotonic() - said > _PROGRESS_SECONDS:
                said = monotonic()
                self._app.call_later(self._say, f"the worktree has {done} of {of} files")

        return progress

    def say(
        self,
        task: str,
        message_id: str,
        text: str,
        refused: Callable[[], None],
        attach: tuple[str, ...] = (),
    ) -> None:
        """Tell a task something, with the files of these paths; `refused` if it does not arrive."""
        paths, said, notes = self._client.paths, by_name(text, attach), list[str]()

        async def go() -> None:
            call = await asyncio.to_thread(new_message, paths, task, said, message_id)
            with ExitStack() as stack:
                files = staged(paths, attach, notes.append)
                name = await asyncio.to_thread(stack.enter_context, files)
                await self._client.call(msgspec.structs.replace(call, staged=name))

        def done(_: None) -> None:
            for note in notes:
                self._say(note)

        self._do(go(), done, failed=lambda error: self._refuse(error, refused))

    def answer(self, ask: Ask, answer: Answer, refused: Callable[[], None]) -> None:
        call = self._client.call(AnswerAsk(ask.id, answer))
        self._do(call, failed=lambda error: self._refuse(error, refused))

    def mark_read(self, task: str, until: int) -> None:
        """Tell that the person has read what a task did; without a driver it stays unread."""
        self._do(self._client.call(MarkRead(task, until)), failed=lambda _: None)

    def interrupt(self, task: str) -> None:
        self._do(self._client.call(InterruptTask(task)))

    def stop(self, task: str) -> None:
        self._do(self._client.call(StopTask(task)), lambda _: self._say(f"{task} is stopped"))

    def resume(self, task: str, note: str = "") -> None:
        """Start another run; a note says what is expected of the person then."""

        async def go() -> Task:
            return await self._client.call(
                await asyncio.to_thread(resumption, self._client.paths, task)
            )

        def resumed(found: Task) -> None:
            if note and found.state.live and not found.problem:
                self._say(note)

        self._do(go(), resumed)

    def remove(self, task: Task, *, force: bool) -> None:
        def removed(entry: Any) -> None:
            where = f"; ctui worktree restore {entry.id}" if entry else ""
            self._say(f"{task.id} is removed{where}")

        async def go() -> Any:
            async with Client(self._client.paths) as client:
                return await remove_task(
                    client, task, keep_worktree=False, force=force, purge=False
                )

        self._do(self._worker_loop.submit(go()), removed)

    def update(self, path: str, updated: Callable[[], None]) -> None:
        """Bring what is new in the target into the worktree at a path."""
        from ctui.client.tasks.updating import update_or_tell

        def done(text: str) -> None:
            self._say(text)
            updated()

        work = update_or_tell(self._client.paths, self._git_dir, path)
        self._do(self._worker_loop.submit(work), done)

    async def look_at_landing(self, wish: LandingWish) -> Outlook:
        """Compute a landing where git is waited for."""
        from ctui.client.landing.wish import look_at_landing

        return await self._worker_loop.submit(
            look_at_landing(self._client.paths, self._git_dir, wish)
        )

    def land(
        self,
        wish: LandingWish,
        listener: Listener,
        done: Callable[[], None],
        refused: Callable[[CtuiError], None],
    ) -> None:
        """Land a worktree; the listener is called in another thread."""
        from ctui.client.landing.wish import land_worktree, landed_text
        from ctui.worktrees.landing.land import Landed

        def landed(found: Landed) -> None:
            self._say(landed_text(found))
            done()

        work = land_worktree(self._client.paths, self._git_dir, wish, listener)
        self._do(self._worker_loop.submit(work), landed, refused)

    def tell_of_conflict(self, path: str, message: str) -> None:
        """Let the task of a worktree resolve what conflicts."""
        from ctui.client.landing.wish import tell_of_conflict

        def told(task: Task) -> None:
            self._say(f"{task.id} was told: m lands it then")

        work = tell_of_conflict(self._client.paths, path, message)
        self._do(self._worker_loop.submit(work), told)

    def open_port(self, task: Task, port: int | None) -> None:
        """Open a port of a task in a browser, or copy its address where that is elsewhere."""
        from ctui.client.access.ports import Opened, open_in_browser

        def opened(found: Opened) -> None:
            if found.here:
                self._say(f"opened {found.address}")
            else:
                self._app.copy_to_clipboard(found.address)
                text = f"no browser here: copied, and opens once within a minute: {found.address}"
                self._app.notify(one_line(text, 400), timeout=60, markup=False)

        self._do(self._worker_loop.submit(open_in_browser(self._client.paths, task, port)), opened)

    def complain(self, error: CtuiError) -> None:
        """Show an error, and what to do about it."""
        text = f"{error.message}\n{error.hint}" if error.hint else error.message
        self._app.notify(sanitise(text), severity="error", timeout=10, markup=False)

    def _refuse(self, error: CtuiError, refused: Callable[[], None]) -> None:
        self.complain(error)
        refused()

    def _say(self, text: str) -> None:
        self._app.notify(one_line(text, 200), timeout=6, markup=False)

    def _do(
        self,
        work: Awaitable[T],
        done: Callable[[T], None] | None = None,
        failed: Callable[[CtuiError], None] | None = None,
    ) -> None:
        async def go() -> None:
            try:
                result = await work
            except CtuiError as error:
                (failed or self.complain)(error)
            else:
                if done is not None:
                    done(result)

        self._app.run_worker(go(), group="task-actions")
