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
from ctui.cli.answering import AskPrompt
from ctui.cli.output import json_text, warn
from ctui.client.plain import plain_lines, turn_over
from ctui.errors import Conflict, CtuiError
from ctui.tasks.asks import kind_of
from ctui.tasks.calls import AnswerAsk, StopTask, Update
from ctui.tasks.journal import FILE_NAME, Entry, read_entries
from ctui.tasks.model import Answer, Ask, AskState, Task, TaskState

if TYPE_CHECKING:
    from ctui.client import Client

_INTERRUPTED = 130
_QUEUE_SECONDS = 2.0


async def follow_turn(client: Client, task_id: str, *, as_json: bool, start: int = 0) -> int:
    """Print a task's journal and answer its asks until its turn is over; the exit code.

    Ctrl-C stops a task that lives only for this command; any other one goes on.

    Args:
        client: connected to the driver.
        task_id: whose turn.
        as_json: print the CLI's own lines, and answer nothing.
        start: the byte of the journal where printing begins.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGINT, stop.set)
    watcher = _Watcher(client, task_id, interactive=sys.stdin.isatty() and not as_json)
    printer = Printer(client, task_id, as_json=as_json, start=start)
    printing = asyncio.create_task(printer.follow())
    watching = asyncio.create_task(watcher.until_over())
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({watching, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if not watching.done():
            await _leave(client, task_id, watcher.task)
            return _INTERRUPTED
        task = watching.result()
        await _cancel(printing)
        printer.finish()
        return _exit_code(task)
    finally:
        for job in (printing, watching, stopping):
            await _cancel(job)
        watcher.close()


async def _leave(client: Client, task_id: str, task: Task | None) -> None:
    if task is not None and task.detached:
        warn(f"{task_id} goes on: ctui task logs -f {task_id}")
        return
    await client.call(StopTask(task_id))
    warn(f"stopped {task_id}: `ctui task resume {task_id}` goes on with it")


class Printer:
    """Prints a journal as it grows, and knows how far it came."""

    def __init__(self, client: Client, task_id: str, *, as_json: bool, start: int = 0) -> None:
        self._client = client
        self._task_id = task_id
        self._as_json = as_json
        self._start = start
        self._printed = 0

    async def follow(self) -> None:
        """Print everything from the start, and go on as it grows."""
        async for batch in self._client.follow(self._task_id, self._start):
            for entry in batch:
                self._print(entry)

    async def until_ended(self) -> None:
        """Print everything until the task has ended."""
        printing = asyncio.create_task(self.follow())
        try:
            async for update in self._client.watch(self._task_id):
                if update.removed or (update.task and update.task.state is TaskState.ENDED):
                    break
        finally:
            await _cancel(printing)
        self.finish()

    def finish(self) -> None:
        """Print what is in the archive and did not reach us live."""
        entries = read_entries(self._client.paths.task(self._task_id) / FILE_NAME, self._start)
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
        return [json_text(entry.line)] if entry.stream == "out" else []
    return plain_lines(entry)


class _Watcher:
    """Sees the task's state and asks, and lets the person answer at the terminal."""

    def __init__(self, client: Client, task_id: str, *, interactive: bool) -> None:
        self.task: Task | None = None
        self._client = client
        self._task_id = task_id
        self._interactive = interactive
        self._prompts: dict[int, AskPrompt] = {}
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
            if update.task is not None:
                self._see_task(update.task)
            if update.task is not None and turn_over(update.task):
                return update.task
            if update.removed:
                break
        raise Conflict(f"the task {self._task_id} was removed meanwhile")

    def _see_task(self, task: Task) -> None:
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

    def _typed(self) -> None:
        try:
            typed = os.read(sys.stdin.fileno(), 4096)
        except BlockingIOError:
            return
        if not typed:
            self.close()
            return
        if not self._prompts:
            return
        prompt = self._prompts[min(self._prompts)]
        answer = prompt.take(typed.decode("utf-8", "replace").strip())
        if answer is None:
            if prompt.problem:
                warn(f"  {prompt.problem}")
            warn(prompt.choices())
            return
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


def how_to_answer(ask: Ask) -> str:
    """The command that answers an ask, with its choices."""
    command = f"ctui task answer {ask.task}"
    kind = kind_of(ask)
    asked = kind.questions(ask)
    words: dict[str, str] = {}
    if asked and kind.is_form:
        words["allow"] = "allow --answer FIELD=VALUE"
    elif asked:
        words["allow"] = '--answer "QUESTION=ANSWER" …' if len(asked) > 1 else "--text ANSWER"
    if kind.explains:
        words["deny"] = "deny [--message WHY]"
    taken = (words.get(decision, decision) for decision in kind.decisions(ask))
    return f"{command} {' | '.join(taken)}"


def ask_outcome(ask: Ask) -> str:
    """What became of an ask, in a few words."""
    answer = ask.answer
    if answer is None:
        return str(ask.state)
    said = answer.message or answer.text or "; ".join(answer.answers.values())
    decided = kind_of(ask).outcomes[answer.decision]
    late = " (too late)" if ask.state is AskState.TOO_LATE else ""
    return f"{decided}{late}: {said}" if said else f"{decided}{late}"


def _exit_code(task: Task) -> int:
    if task.problem:
        warn(f"ctui: {task.problem}")
        return 1
    if task.work is not None and task.work.problem:
        warn(f"ctui: {task.work.problem}")
        return 1
    if task.denials:
        calls = "1 tool call was" if task.denials == 1 else f"{task.denials} tool calls were"
        warn(f"ctui: {calls} denied, so this is no success")
        return 1
    return 0
