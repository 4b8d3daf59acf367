"""`ctui task`: the same tasks, from scripts."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Any, Literal

import click

from ctui.cli import context
from ctui.cli.output import json_option, print_json, print_table
from ctui.errors import InvalidInput, NotFound

if TYPE_CHECKING:
    from ctui.tasks.calls import Call
    from ctui.tasks.model import Ask, Task


@click.group("task")
def command() -> None:
    """List, follow, answer, stop and remove tasks."""


@command.command("list")
@json_option
def list_(*, as_json: bool) -> None:
    """List all tasks, oldest first. Reads the store only."""
    from ctui.tasks.model import AskState

    store = context.store()
    tasks = store.tasks()
    asked: dict[str, int] = {}
    for ask in store.asks(AskState.PENDING):
        asked[ask.task] = asked.get(ask.task, 0) + 1
    if as_json:
        print_json([{"task": task, "asks": asked.get(task.id, 0)} for task in tasks])
        return
    rows = [_row(task, asked.get(task.id, 0)) for task in tasks]
    if rows:
        print_table(["TASK", "STATE", "ASKS", "COST", "BRANCH", "PROMPT"], rows)


@command.command("show")
@click.argument("task_id", metavar="TASK")
@json_option
def show(task_id: str, *, as_json: bool) -> None:
    """Show one task with its runs and asks."""
    from ctui.tasks.model import AskState

    store = context.store()
    task, asks, runs = store.task(task_id), store.asks(*AskState, task=task_id), store.runs(task_id)
    if as_json:
        print_json({"task": task, "asks": asks, "runs": runs})
        return
    for name, value in _facts(task).items():
        click.echo(f"{name:<10} {value}")
    for run in runs:
        code = "running" if run.ended is None else f"exit code {run.exit_code}"
        click.echo(f"{'run':<10} {run.number}: {code}")
    for ask in asks:
        click.echo(f"{'ask':<10} {ask.id} {ask.state}: {ask.title}")


@command.command("logs")
@click.argument("task_id", metavar="TASK")
@click.option("--follow", "-f", is_flag=True, help="Go on as the journal grows.")
@json_option
def logs(task_id: str, *, follow: bool, as_json: bool) -> None:
    """Print a task's journal; with --json its lines as the CLI wrote them."""
    from ctui.cli.follow import Printer, entry_lines
    from ctui.tasks.journal import FILE_NAME, read_entries

    context.store().task(task_id)
    if not follow:
        for entry in read_entries(context.paths().task(task_id) / FILE_NAME):
            for line in entry_lines(entry, as_json=as_json):
                click.echo(line)
        return

    async def go() -> None:
        from ctui.client import Client

        async with Client(context.paths()) as client:
            await Printer(client, task_id, as_json=as_json).follow()

    asyncio.run(go())


@command.command("send")
@click.argument("task_id", metavar="TASK")
@click.argument("message")
@click.option("--wait", is_flag=True, help="Follow it to the end of the turn.")
@json_option
def send(task_id: str, message: str, *, wait: bool, as_json: bool) -> int:
    """Send a follow-up (`-` reads it from stdin); a task that sleeps or ended goes on."""
    import uuid

    from ctui.tasks.calls import SendMessage

    text = sys.stdin.read() if message == "-" else message
    call = SendMessage(task_id, str(uuid.uuid4()), text, context.login())
    task = _call(call)
    if wait:
        return _follow(task_id, as_json=as_json)
    _show(task, as_json=as_json)
    return 0


@command.command("answer")
@click.argument("task_id", metavar="TASK")
@click.argument(
    "decision", type=click.Choice(["allow", "session", "deny", "cancel"]), default="allow"
)
@click.option("--ask", "ask_id", type=int, help="Which ask, if there are several.")
@click.option("--message", default="", help="Why it is denied; the model reads it.")
@click.option("--text", default="", help="The answer to a question.")
@click.option("--answer", "answers", multiple=True, metavar="QUESTION=ANSWER")
@json_option
def answer(
    task_id: str,
    decision: Literal["allow", "session", "deny", "cancel"],
    *,
    ask_id: int | None,
    message: str,
    text: str,
    answers: tuple[str, ...],
    as_json: bool,
) -> None:
    """Answer what a task asks; the first answer wins."""
    from ctui.tasks.calls import AnswerAsk
    from ctui.tasks.model import Answer

    chosen = _pending(task_id, ask_id)
    given = Answer(
        decision, message=message, text=text, answers=dict(map(_pair, answers)), by="command line"
    )
    answered = _call(AnswerAsk(chosen.id, given))
    if as_json:
        print_json(answered)
    else:
        click.echo(f"ask {answered.id} {answered.state}: {answered.title}")


@command.command("interrupt")
@click.argument("task_id", metavar="TASK")
@json_option
def interrupt(task_id: str, *, as_json: bool) -> None:
    """End the turn; the conversation stays open."""
    from ctui.tasks.calls import InterruptTask

    _show(_call(InterruptTask(task_id)), as_json=as_json)


@command.command("stop")
@click.argument("task_id", metavar="TASK")
@json_option
def stop(task_id: str, *, as_json: bool) -> None:
    """Stop the sandbox; `resume` or `send` goes on later."""
    from ctui.tasks.calls import StopTask

    _show(_call(StopTask(task_id)), as_json=as_json)


@command.command("resume")
@click.argument("task_id", metavar="TASK")
@json_option
def resume(task_id: str, *, as_json: bool) -> None:
    """Start a new run of the same conversation."""
    from ctui.tasks.calls import ResumeTask

    _show(_call(ResumeTask(task_id, context.login())), as_json=as_json)


@command.command("remove")
@click.argument("task_id", metavar="TASK")
@click.option("--keep-worktree", is_flag=True, help="Leave the worktree where it is.")
@click.option("--force", is_flag=True, help="Also if the worktree is unclean.")
@click.option("--purge", is_flag=True, help="Delete the journal and the task's home, for good.")
@json_option
def remove(task_id: str, *, keep_worktree: bool, force: bool, purge: bool, as_json: bool) -> None:
    """Stop a task, move its worktree into the trash, and take it off the list."""
    from ctui.cli.worktree import to_trash
    from ctui.tasks.calls import RemoveTask, StopTask

    task = _call(StopTask(task_id))
    entry = None
    if task.metadata is not None and not keep_worktree:
        repository = context.repository(task.repository)
        try:
            record = context.record_named(repository, task.worktree)
        except NotFound:
            record = None
        if record is not None:
            entry = asyncio.run(to_trash(repository, record, force=force))
    _call(RemoveTask(task_id, purge=purge))
    if as_json:
        print_json({"removed": task_id, "trash_id": entry.id if entry else None})
        return
    click.echo(f"removed {task_id}")
    if entry is not None:
        click.echo(f"restore its worktree: ctui worktree restore {entry.id}")


def _call(call: Call[Any]) -> Any:
    from ctui.client import Client

    async def go() -> Any:
        async with Client(context.paths()) as client:
            return await client.call(call)

    return asyncio.run(go())


def _follow(task_id: str, *, as_json: bool) -> int:
    from ctui.cli.follow import follow_turn
    from ctui.client import Client

    async def go() -> int:
        async with Client(context.paths()) as client:
            return await follow_turn(client, task_id, as_json=as_json)

    return asyncio.run(go())


def _pending(task_id: str, ask_id: int | None) -> Ask:
    from ctui.tasks.model import AskState

    store = context.store()
    if ask_id is not None:
        found = store.ask(ask_id)
        if found.task != task_id:
            raise NotFound(f"ask {ask_id} is not one of {task_id}", hint="ctui task show")
        return found
    store.task(task_id)
    pending = store.asks(AskState.PENDING, task=task_id)
    if not pending:
        raise NotFound(f"{task_id} asks nothing", hint="`ctui task list` shows who does")
    if len(pending) > 1:
        ids = ", ".join(str(ask.id) for ask in pending)
        raise InvalidInput(f"{task_id} asks {len(pending)} things", hint=f"choose --ask: {ids}")
    return pending[0]


def _pair(text: str) -> tuple[str, str]:
    question, equals, chosen = text.rpartition("=")
    if not equals:
        raise InvalidInput(f"{text!r} is not QUESTION=ANSWER", hint="see `ctui task show`")
    return question, chosen


def _show(task: Task, *, as_json: bool) -> None:
    if as_json:
        print_json(task)
    else:
        click.echo(f"{task.id} {state_text(task)}")


def state_text(task: Task) -> str:
    """The state, with its reason where it ended."""
    return f"{task.state} ({task.reason})" if task.reason else str(task.state)


def _row(task: Task, asks: int) -> list[str]:
    from ctui.text import one_line

    return [
        task.id,
        state_text(task),
        str(asks or ""),
        f"${task.cost:.2f}",
        task.branch or "-",
        one_line(task.prompt, 50),
    ]


def _facts(task: Task) -> dict[str, str]:
    from ctui.text import one_line, sanitise

    facts = {
        "task": task.id,
        "state": state_text(task),
        "problem": task.problem,
        "worktree": task.worktree,
        "branch": task.branch or "(detached)",
        "cost": f"${task.cost:.4f}",
        "turns": str(task.turns),
        "prompt": one_line(task.prompt, 120),
    }
    if task.work is not None:
        facts["work"] = f"{task.work.branch} {task.work.reason}".strip()
        for number, ref in enumerate(task.work.refs):
            facts[f"ref {number + 1}"] = f"{ref.name} {ref.commit[:9]}"
    return {name: sanitise(value) for name, value in facts.items() if value}
