"""`ctui task attach`: a task in a plain terminal, with a line to write to it."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import click

from ctui.cli import context
from ctui.cli.output import warn
from ctui.cli.task.task_names import task_argument

if TYPE_CHECKING:
    from ctui.cli.task.watching import Watcher
    from ctui.client.client import Client
    from ctui.paths import Paths

Prompt = Callable[[], Awaitable[str]]

_LAST_BYTES = 16 << 10
"""Bytes of the journal, about, that are shown of what was before."""


@click.command("attach")
@task_argument
def attach(task_id: str) -> int:
    """Follow a task, and write to it, in a plain terminal.

    What it does goes by above a line of your own. A line that you enter is a message, also to a
    task that sleeps or ended; while something is asked, it is the answer, with the keys of
    `ctui run`. Ctrl-C or Ctrl-D leaves, and the task goes on. Without a terminal each line of stdin
    is taken so.
    """
    return asyncio.run(_attach(context.paths(), task_id))


async def _attach(paths: Paths, task_id: str) -> int:
    from ctui.cli.task.follow import costs_before
    from ctui.cli.task.printing import Printer, Turn, cancel
    from ctui.cli.task.watching import Watcher
    from ctui.client.client import Client
    from ctui.client.journal.history import read_past
    from ctui.client.worktrees.worktrees import open_store
    from ctui.tasks.journal.archive import FILE_NAME

    with open_store(paths) as store:
        store.tasks.get(task_id)
        costs = costs_before(store, task_id)
    start = read_past(paths.task(task_id) / FILE_NAME, size=_LAST_BYTES).start
    turn = Turn(task_id, start, costs_before=costs)
    async with Client(paths) as client:
        with _terminal() as lines:
            watcher = Watcher(client, turn, interactive=True, reads=False)
            printer = Printer(client, turn, as_json=False)
            jobs = [
                asyncio.create_task(work)
                for work in (
                    watcher.until_removed(),
                    _write(client, watcher, task_id, lines),
                    _interrupted(),
                    printer.follow(),
                    printer.tell_of_silence(),
                )
            ]
            try:
                await asyncio.wait(jobs[:3], return_when=asyncio.FIRST_COMPLETED)
                removed = jobs[0].done()
            finally:
                for job in jobs:
                    await cancel(job)
    how = "was removed" if removed else f"goes on: ctui task attach {task_id}"
    warn(f"{task_id} {how}")
    return 0


async def _write(client: Client, watcher: Watcher, task_id: str, lines: AsyncIterator[str]) -> None:
    """Answer or send each line, until there are no more."""
    from ctui.client.tasks.caller import new_message
    from ctui.errors import CtuiError

    async for line in lines:
        text = line.strip()
        if not text or watcher.take(text):
            continue
        try:
            await client.call(await asyncio.to_thread(new_message, client.paths, task_id, text))
        except CtuiError as error:
            warn(error.one_line())


async def _interrupted() -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGINT, stop.set)
    await stop.wait()


@contextmanager
def _terminal() -> Iterator[AsyncIterator[str]]:
    """Give the lines that are entered: at a terminal below everything that is printed."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        yield _plain_lines()
        return
    from prompt_toolkit import PromptSession
    from prompt_toolkit.patch_stdout import patch_stdout

    session: PromptSession[str] = PromptSession("> ")
    with patch_stdout():
        yield _prompted(session.prompt_async)


async def _prompted(prompt: Prompt) -> AsyncIterator[str]:
    with suppress(EOFError, KeyboardInterrupt):
        while True:
            yield await prompt()


async def _plain_lines() -> AsyncIterator[str]:
    while line := await asyncio.to_thread(sys.stdin.readline):
        yield line
    await asyncio.Event().wait()  # whoever has nothing to say may go on to read
