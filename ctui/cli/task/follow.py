"""Following a task on a plain terminal, and answering what it asks there."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from ctui.claude.protocol.decode import decode
from ctui.claude.protocol.events import is_partial
from ctui.claude.protocol.silence import SILENT_SECONDS, Silence, silence_text
from ctui.cli.output import json_text, warn
from ctui.cli.task.answering import AskPrompt
from ctui.cli.task.exit_codes import INTERRUPTED, told_exit_code
from ctui.cli.task.task_text import goes_on_text
from ctui.client.plain import PlainJournal, turn_over
from ctui.client.worktrees import open_store
from ctui.errors import Conflict, CtuiError
from ctui.tasks.asks import kind_of
from ctui.tasks.calls import AnswerAsk, StopTask, Update
from ctui.tasks.journal.archive import FILE_NAME, Entry, read_entries
from ctui.tasks.model import Answer, Ask, AskState, EndReason, Task, TaskState

if TYPE_CHECKING:
    from ctui.client.client import Client
    from ctui.paths import Paths
    from ctui.tasks.store import Store

_QUEUE_SECONDS = 2.0


class Turn(NamedTuple):
    """A turn to follow."""

    task: str
    start: int = 0
    """The byte of the journal where printing begins."""
    message: str = ""
    """The id of the message that begins it; "" for a turn that has begun, or begins by itself."""
    echoed: frozenset[str] = frozenset()
    """Messages that were taken before: one that is sent again is not printed."""
    costs_before: Mapping[int, float] = MappingProxyType({})
    """The task's cost when a run began, by the run's number."""


def turn_from_here(store: Store, paths: Paths, task_id: str, message: str = "") -> Turn:
    """Return the turn that a message begins which is sent now, or that is going on."""
    # First: what is delivered after this is behind the end of the journal.
    echoed = frozenset(one.id for one in store.messages.of(task_id) if one.delivered is not None)
    costs = _costs_before(store, task_id)
    journal = paths.task(task_id) / FILE_NAME
    start = journal.stat().st_size if journal.is_file() else 0
    return Turn(task_id, start, message, echoed, costs)


def _costs_before(store: Store, task_id: str) -> dict[int, float]:
    """Return what the task had cost when its last run began, and when the next one does."""
    run = store.runs.last(task_id)
    if run is None:
        return {}
    return {run.number: run.cost_before, run.number + 1: store.tasks.get(task_id).cost}


async def follow_turn(client: Client, turn: Turn, *, as_json: bool) -> int:
    """Print a task's journal and answer its asks until its turn is over; return the exit code.

    Ctrl-C stops a task that lives only for this command; any other one goes on.

    Args:
        client: connected to the driver.
        turn: which.
        as_json: print the CLI's own lines, and answer nothing.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGINT, stop.set)
    watcher = _Watcher(client, turn, interactive=sys.stdin.isatty() and not as_json)
    printer = Printer(client, turn, as_json=as_json)
    printing = asyncio.create_task(printer.follow())
    watching = asyncio.create_task(watcher.until_over())
    stopping = asyncio.create_task(stop.wait())
    listening = asyncio.create_task(printer.tell_of_silence())
    try:
        await asyncio.wait({watching, stopping}, return_when=asyncio.FIRST_COMPLETED)
        # The next Ctrl-C ends this command, whatever it waits for.
        loop.remove_signal_handler(signal.SIGINT)
        if not watching.done():
            await _leave(client, turn.task, watcher.task)
            return INTERRUPTED
        task = watching.result()
        await _cancel(printing)
        printer.finish()
        return told_exit_code(task, printer.failure)
    finally:
        for job in (printing, watching, stopping, listening):
            await _cancel(job)
        watcher.close()


async def _leave(client: Client, task_id: str, task: Task | None) -> None:
    if task is not None and task.detached:
        warn(f"{task_id} goes on: ctui task logs -f {task_id}")
        return
    await client.call(StopTask(task_id))
    warn(f"stopped {task_id}: `ctui task resume {task_id}` goes on with it")


class Printer:
    """Printer of a journal as it grows, which knows how far it came."""

    def __init__(self, client: Client, turn: Turn, *, as_json: bool) -> None:
        self._client = client
        self._turn = turn
        self._as_json = as_json
        self._journal = PlainJournal(turn.echoed, turn.costs_before)
        self._silence = Silence()
        self._silent = 0
        self._printed = 0

    @property
    def failure(self) -> str:
        """Return what was printed of the turn's failure, as one line."""
        return "" if self._as_json else self._journal.failure

    async def follow(self) -> None:
        """Print everything from the start, and go on as it grows."""
        async for batch in self._client.follow(self._turn.task, self._turn.start):
            for entry in batch:
                self._print(entry)

    async def until_ended(self) -> None:
        """Print everything until the task has ended."""
        printing = asyncio.create_task(self.follow())
        try:
            async for update in self._client.watch(self._turn.task):
                if update.removed or (update.task and update.task.state is TaskState.ENDED):
                    break
        finally:
            await _cancel(printing)
        self.finish()

    def finish(self) -> None:
        """Print what is in the archive and did not reach us live."""
        archive = self._client.paths.task(self._turn.task) / FILE_NAME
        for number, entry in enumerate(read_entries(archive, self._turn.start)):
            if number >= self._printed:
                self._print(entry)

    async def tell_of_silence(self) -> None:
        """Say it once when the model has said nothing for a while, and when it speaks again."""
        while True:
            await asyncio.sleep(1)
            seconds = self._silence.seconds(time.monotonic())
            if seconds >= SILENT_SECONDS and not self._silent:
                warn(f"* {silence_text(seconds)}")
            self._end_silence(seconds)

    def _end_silence(self, seconds: int) -> None:
        if seconds < self._silent:
            warn(f"* it goes on after {self._silent} s")
        self._silent = seconds if seconds >= SILENT_SECONDS else 0

    def _print(self, entry: Entry) -> None:
        if entry.stream != "out" or not is_partial(entry.line[:64].encode()):
            self._printed += 1
        now = time.monotonic()
        self._silence.feed(decode(entry.line, entry.stream), now)
        if self._silent:
            self._end_silence(self._silence.seconds(now))
        for line in entry_lines(entry, self._journal, as_json=self._as_json):
            click.echo(line)


async def _cancel(job: asyncio.Task[Any]) -> None:
    job.cancel()
    with suppress(asyncio.CancelledError, CtuiError):
        await job


def entry_lines(entry: Entry, journal: PlainJournal, *, as_json: bool) -> list[str]:
    """Return what is printed for the next line of a journal."""
    if as_json:
        return [json_text(entry.line)] if entry.stream == "out" else []
    return journal.lines(entry)


class _Watcher:
    """Watcher of the task's state and asks, which lets the person answer at the terminal."""

    def __init__(self, client: Client, turn: Turn, *, interactive: bool) -> None:
        self.task: Task | None = None
        self._client = client
        self._turn = turn
        self._interactive = interactive
        self._prompts: dict[int, AskPrompt] = {}
        self._told: set[int] = set()
        self._said_waits = False
        if interactive:
            asyncio.get_running_loop().add_reader(sys.stdin.fileno(), self._typed)
        self._jobs: set[asyncio.Task[None]] = set()

    def close(self) -> None:
        if self._interactive:
            asyncio.get_running_loop().remove_reader(sys.stdin.fileno())

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
    """Return the command that answers an ask, with its choices."""
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
    """Return what became of an ask, in a few words."""
    answer = ask.answer
    if answer is None:
        return str(ask.state)
    said = answer.message or answer.text or "; ".join(answer.answers.values())
    decided = kind_of(ask).outcomes[answer.decision]
    late = " (too late)" if ask.state is AskState.TOO_LATE else ""
    return f"{decided}{late}: {said}" if said else f"{decided}{late}"
