"""Following a task on a plain terminal, and answering what it asks there."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import click

from ctui.claude.events import is_partial
from ctui.claude.summary import describe
from ctui.cli.output import warn
from ctui.errors import Conflict, CtuiError
from ctui.tasks.calls import AnswerAsk, StopTask, Update
from ctui.tasks.model import Answer, Ask, AskKind, AskState, Notice, Task, TaskState
from ctui.text import sanitise

if TYPE_CHECKING:
    from ctui.client import Client
    from ctui.tasks.journal import Entry

_INTERRUPTED = 130


async def follow_turn(client: Client, task_id: str, *, as_json: bool) -> int:
    """Print a task's journal and answer its asks until its turn is over; the exit code."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGINT, stop.set)
    watcher = _Watcher(client, task_id, interactive=sys.stdin.isatty() and not as_json)
    printer = Printer(client, task_id, as_json=as_json)
    printing = asyncio.create_task(printer.follow())
    watching = asyncio.create_task(watcher.until_over())
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({watching, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if not watching.done():
            await client.call(StopTask(task_id))
            return _INTERRUPTED
        task = watching.result()
        await _cancel(printing)
        printer.finish()
        return _exit_code(task)
    finally:
        for job in (printing, watching, stopping):
            await _cancel(job)
        watcher.close()


class Printer:
    """Prints a journal as it grows, and knows how far it came."""

    def __init__(self, client: Client, task_id: str, *, as_json: bool) -> None:
        self._client = client
        self._task_id = task_id
        self._as_json = as_json
        self._printed = 0

    async def follow(self) -> None:
        """Print everything from the journal's start, and go on as it grows."""
        async for batch in self._client.follow(self._task_id):
            for entry in batch:
                self._print(entry)

    def finish(self) -> None:
        """Print what is in the archive and did not reach us live."""
        from ctui.tasks.journal import FILE_NAME, read_entries

        entries = read_entries(self._client.paths.task(self._task_id) / FILE_NAME)
        for number, entry in enumerate(entries):
            if number >= self._printed:
                self._print(entry)

    def _print(self, entry: Entry) -> None:
        if entry.stream != "out" or not is_partial(entry.line[:64].encode()):
            self._printed += 1
        for line in entry_lines(entry, as_json=self._as_json):
            click.echo(line)


async def _cancel(job: asyncio.Task[Any]) -> None:
    job.cancel()
    with suppress(asyncio.CancelledError, CtuiError):
        await job


def entry_lines(entry: Entry, *, as_json: bool) -> list[str]:
    """What is printed for one journal line."""
    if as_json:
        return [entry.line] if entry.stream == "out" else []
    if entry.stream == "ctui":
        return _notice(entry.line)
    if entry.stream == "err":
        relay = entry.line.startswith('{"ctui_relay"')
        return [] if relay else [f"! {sanitise(entry.line)}"]
    return [] if is_partial(entry.line[:64].encode()) else describe(entry.line)


def _notice(line: str) -> list[str]:
    import msgspec

    notice = msgspec.json.decode(line, type=Notice)
    return [] if notice.kind in {"started", "ended"} else [f"* {sanitise(notice.text)}"]


class _Watcher:
    """Sees the task's state and asks, and lets the person answer at the terminal."""

    def __init__(self, client: Client, task_id: str, *, interactive: bool) -> None:
        self._client = client
        self._task_id = task_id
        self._interactive = interactive
        self._asks: dict[int, Ask] = {}
        self._told: set[int] = set()
        if interactive:
            asyncio.get_running_loop().add_reader(sys.stdin.fileno(), self._typed)
        self._jobs: set[asyncio.Task[None]] = set()

    def close(self) -> None:
        if self._interactive:
            asyncio.get_running_loop().remove_reader(sys.stdin.fileno())

    async def until_over(self) -> Task:
        async for update in self._client.watch(self._task_id):
            self._see(update)
            task = update.task
            if task is not None and _is_over(task):
                return task
        raise Conflict("the driver went away")

    def _see(self, update: Update) -> None:
        ask = update.ask
        if ask is None:
            return
        if ask.state is AskState.PENDING:
            self._asks[ask.id] = ask
            self._prompt()
        elif self._asks.pop(ask.id, None) is not None and ask.id in self._told:
            warn(f"ask {ask.id}: {ask.state}")
            self._prompt()

    def _prompt(self) -> None:
        """Show the oldest ask, once."""
        if not self._asks:
            return
        ask = self._asks[min(self._asks)]
        if ask.id in self._told:
            return
        self._told.add(ask.id)
        warn(f"? {ask.title}")
        if self._interactive:
            warn(_keys(ask))
        else:
            warn(f"  answer it: ctui task answer {self._task_id} allow|session|deny")

    def _typed(self) -> None:
        try:
            typed = os.read(sys.stdin.fileno(), 4096)
        except BlockingIOError:
            return
        if not typed:
            self.close()
            return
        if not self._asks:
            return
        ask = self._asks[min(self._asks)]
        answer = parse_answer(ask, typed.decode("utf-8", "replace").strip())
        if answer is None:
            warn(_keys(ask))
            return
        job = asyncio.create_task(self._answer(ask, answer))
        self._jobs.add(job)
        job.add_done_callback(self._jobs.discard)

    async def _answer(self, ask: Ask, answer: Answer) -> None:
        try:
            await self._client.call(AnswerAsk(ask.id, answer))
        except CtuiError as error:
            warn(f"{error.message} ({error.hint})")


def parse_answer(ask: Ask, typed: str) -> Answer | None:
    """What a typed line means, or None if it means nothing."""
    if ask.kind is AskKind.QUESTION:
        return Answer("allow", text=typed, by="terminal") if typed else None
    word, _, rest = typed.partition(" ")
    match word:
        case "y":
            return Answer("allow", by="terminal")
        case "s" if ask.kind is not AskKind.ELICITATION:
            return Answer("session", by="terminal")
        case "d":
            return Answer("deny", message=rest, by="terminal")
    return None


def _keys(ask: Ask) -> str:
    if ask.kind is AskKind.QUESTION:
        return "  type your answer"
    return "  y once   s for this task   d deny   d MESSAGE deny with a message"


def _is_over(task: Task) -> bool:
    if task.state is TaskState.WAITING:
        return bool(task.problem)
    # A task whose sandbox stops with its turn is idle for the moment until it has stopped.
    return task.state is TaskState.ENDED or (task.state is TaskState.IDLE and task.detached)


def _exit_code(task: Task) -> int:
    if task.problem:
        warn(f"ctui: {task.problem}")
        return 1
    if task.denials:
        warn(f"ctui: {task.denials} tool calls were denied")
        return 1
    return 0
