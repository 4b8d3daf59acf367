"""`ctui task`: the same tasks, from scripts."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any, Literal

import click

from ctui.cli import context
from ctui.cli.lazy_group import LazyGroup
from ctui.cli.output import json_option, print_json, read_stdin, warn
from ctui.cli.task.attach_option import attach_option
from ctui.cli.task.durations import unattended_options
from ctui.cli.task.task_names import task_argument
from ctui.cli.task.task_text import state_text
from ctui.errors import InvalidInput, NotFound

if TYPE_CHECKING:
    from ctui.cli.task.printing import Turn
    from ctui.tasks.calls import Call
    from ctui.tasks.model import Ask, Task
    from ctui.worktrees.trash.entries import TrashEntry


_HERE = "ctui.cli.task"


@click.group(
    "task",
    cls=LazyGroup,
    elsewhere={
        "list": f"{_HERE}.task_read:list_",
        "show": f"{_HERE}.task_read:show",
        "logs": f"{_HERE}.task_read:logs",
        "turns": f"{_HERE}.turns:turns",
        "snapshot": f"{_HERE}.turns:snapshot",
        "shell": f"{_HERE}.shell:shell",
        "cp": f"{_HERE}.cp:cp",
        "attach": f"{_HERE}.attach:attach",
        "open": f"{_HERE}.ports:open_",
        "forward": f"{_HERE}.ports:forward",
    },
)
def command() -> None:
    """List, follow, answer, stop and remove tasks."""


@command.command("send")
@task_argument
@click.argument("message")
@attach_option
@click.option("--wait", is_flag=True, help="Follow it to the end of the turn.")
@unattended_options
@json_option
def send(
    task_id: str,
    message: str,
    *,
    attach: tuple[str, ...],
    wait: bool,
    unattended: bool,
    timeout: int | None,
    as_json: bool,
) -> int:
    """Send a follow-up (`-` reads it from stdin); a task that sleeps or ended goes on.

    With --wait the exit code is that of `ctui run`; Ctrl-C leaves the task to itself.
    """
    import msgspec

    from ctui.cli.task.follow import turn_from_here
    from ctui.client.tasks.attaching import staged
    from ctui.client.tasks.caller import new_message

    text = read_stdin() if message == "-" else message
    call = msgspec.structs.replace(
        new_message(context.paths(), task_id, text), unattended=unattended, timeout=timeout
    )
    with closing(context.store()) as store:
        turn = turn_from_here(store, context.paths(), task_id, call.id)
    with staged(context.paths(), attach, lambda note: warn(f"* {note}")) as files:
        task = _call(msgspec.structs.replace(call, staged=files))
    if wait:
        return _follow(turn, as_json=as_json)
    _show(task, as_json=as_json, done="sent")
    return 0


@command.command("answer")
@task_argument
@click.argument(
    "decision", type=click.Choice(["allow", "session", "always", "deny", "cancel"]), required=False
)
@click.option(
    "--ask", "ask_id", type=click.IntRange(1, 2**63 - 1), help="Which ask, if there are several."
)
@click.option("--message", default="", help="Why it is denied; the model reads it.")
@click.option("--text", default="", help="The answer to a question.")
@click.option(
    "--answer",
    "answers",
    multiple=True,
    metavar="QUESTION=ANSWER",
    help="The answer to one of several questions; give one for each.",
)
@json_option
def answer(
    task_id: str,
    decision: Literal["allow", "session", "always", "deny", "cancel"] | None,
    *,
    ask_id: int | None,
    message: str,
    text: str,
    answers: tuple[str, ...],
    as_json: bool,
) -> None:
    """Answer what a task asks; the first answer wins.

    allow: this once, or what a question's --text or --answer says; session: from now on in this
    task; always: exactly this command, in all tasks of the repository (`ctui config grants` takes
    it back); deny; cancel: gives a form no answer at all. `ctui task show` shows what is asked and
    which of these it takes.
    """
    from ctui.cli.task.ask_text import ask_outcome, how_to_answer
    from ctui.tasks.calls import AnswerAsk
    from ctui.tasks.model import Answer

    chosen = _pending(task_id, ask_id)
    if decision is None and not text and not answers:
        raise InvalidInput("say what you decided", hint=how_to_answer(chosen))
    given = Answer(
        decision or "allow",
        message=message,
        text=text,
        answers=dict(pair(chosen, given) for given in answers),
        by="command line",
    )
    answered = _call(AnswerAsk(chosen.id, given))
    _say_undelivered(answered)
    if as_json:
        from ctui.cli.shapes import shown_ask

        print_json(shown_ask(answered))
    else:
        click.echo(f"{ask_outcome(answered)} - {answered.title}")


def _say_undelivered(ask: Ask) -> None:
    """Say on stderr that an answer that was accepted has not arrived, or never will."""
    from ctui.tasks.model import AskState

    look = f"`ctui task show {ask.task}` tells what becomes of it"
    if ask.state is AskState.ANSWERED:
        click.echo(f"* the task has not taken the answer yet: {look}", err=True)
    elif ask.state is AskState.TOO_LATE:
        click.echo(f"* the task did not get the answer, its run was over: {look}", err=True)


@command.command("interrupt")
@task_argument
@json_option
def interrupt(task_id: str, *, as_json: bool) -> None:
    """End the turn; the conversation stays open."""
    from ctui.tasks.calls import InterruptTask

    _show(_call(InterruptTask(task_id)), as_json=as_json, done="interrupted")


@command.command("stop")
@task_argument
@json_option
def stop(task_id: str, *, as_json: bool) -> None:
    """Stop the sandbox; `resume` or `send` goes on later."""
    from ctui.tasks.calls import StopTask

    _show(_call(StopTask(task_id)), as_json=as_json)


@command.command("resume")
@task_argument
@click.option("--wait", is_flag=True, help="Follow it to the end of the turn.")
@json_option
def resume(task_id: str, *, wait: bool, as_json: bool) -> int:
    """Start a new run of the same conversation.

    With --wait the exit code is that of `ctui run`; Ctrl-C leaves the task to itself.
    """
    from ctui.cli.task.follow import turn_from_here
    from ctui.client.tasks.caller import resumption

    with closing(context.store()) as store:
        turn = turn_from_here(store, context.paths(), task_id)
    task = _call(resumption(context.paths(), task_id))
    if wait:
        return _follow(turn, as_json=as_json)
    _show(task, as_json=as_json)
    return 0


@command.command("remove")
@task_argument
@click.option("--keep-worktree", is_flag=True, help="Leave the worktree where it is.")
@click.option("--force", is_flag=True, help="Also if the worktree is unclean.")
@click.option("--purge", is_flag=True, help="Delete the journal and the task's home, for good.")
@json_option
def remove(task_id: str, *, keep_worktree: bool, force: bool, purge: bool, as_json: bool) -> None:
    """Stop a task, move its worktree into the trash, and take it off the list.

    A task that cannot be removed is not stopped either. `remove --purge` also works on a task
    that was removed before (`ctui task list --removed`).
    """
    task = context.store().tasks.get(task_id, removed=purge)
    entry = context.run(_remove(task, keep_worktree=keep_worktree, force=force, purge=purge))
    if as_json:
        from ctui.cli.shapes import RemovedTask

        print_json(RemovedTask(task_id, purge, entry.id if entry else None))
        return
    click.echo(f"{'purged' if purge else 'removed'} {task_id}")
    if entry is not None:
        click.echo(f"restore its worktree: ctui worktree restore {entry.id}")


async def _remove(task: Task, **how: bool) -> TrashEntry | None:
    from ctui.client.client import Client
    from ctui.client.tasks.tasks import remove_task

    async with Client(context.paths()) as client:
        return await remove_task(client, task, **how)


def _call(call: Call[Any]) -> Any:
    from ctui.client.client import Client

    async def go() -> Any:
        async with Client(context.paths()) as client:
            return await client.call(call)

    return context.run(go())


def _follow(turn: Turn, *, as_json: bool) -> int:
    from ctui.cli.task.follow import follow_turn
    from ctui.client.client import Client

    async def go() -> int:
        async with Client(context.paths()) as client:
            return await follow_turn(client, turn, as_json=as_json)

    return context.run(go())


def _pending(task_id: str, ask_id: int | None) -> Ask:
    from ctui.tasks.model import AskState

    store = context.store()
    if ask_id is not None:
        found = store.asks.get(ask_id)
        if found.task != task_id:
            raise NotFound(f"ask {ask_id} is not one of {task_id}", hint="ctui task show")
        return found
    store.tasks.get(task_id)
    pending = store.asks.list(AskState.PENDING, task=task_id)
    if not pending:
        raise NotFound(f"{task_id} asks nothing", hint="`ctui task list` shows who does")
    if len(pending) > 1:
        ids = ", ".join(str(ask.id) for ask in pending)
        raise InvalidInput(f"{task_id} asks {len(pending)} things", hint=f"choose --ask: {ids}")
    return pending[0]


def pair(ask: Ask, text: str) -> tuple[str, str]:
    """Return question and answer; either of them may have a `=` in it."""
    from ctui.tasks.asks import kind_of

    for question in sorted(
        (item.text for item in kind_of(ask).questions(ask)), key=len, reverse=True
    ):
        if text.startswith(f"{question}="):
            return question, text[len(question) + 1 :]
    question, equals, chosen = text.partition("=")
    if not equals:
        raise InvalidInput(f"{text!r} is not QUESTION=ANSWER", hint="see `ctui task show`")
    return question, chosen


def _show(task: Task, *, as_json: bool, done: str = "") -> None:
    if as_json:
        print_json(task)
    else:
        click.echo(f"{task.id} {done or state_text(task)}")
