"""`ctui task list`, `show` and `logs`: what only reads."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import click

from ctui.cli import context
from ctui.cli.output import json_option, print_json, print_table
from ctui.cli.task_names import task_argument

if TYPE_CHECKING:
    from ctui.tasks.model import Ask, Task


@click.command("list")
@click.option("--removed", is_flag=True, help="Those that were removed, but not purged.")
@json_option
def list_(*, removed: bool, as_json: bool) -> None:
    """List all tasks, oldest first. Reads the store only."""
    store = context.store()
    tasks = store.tasks(removed=removed)
    asked = store.pending_counts()
    if as_json:
        from ctui.cli.shapes import ListedTask

        print_json([ListedTask(task, asked.get(task.id, 0)) for task in tasks])
        return
    rows = [_row(task, asked.get(task.id, 0)) for task in tasks]
    header = ["TASK", "STATE", "ASKS", "COST", "BRANCH", "PROMPT"]
    print_table(header, rows, empty="no tasks yet: ctui run PROMPT")


@click.command("show")
@task_argument
@json_option
def show(task_id: str, *, as_json: bool) -> None:
    """Show one task with its runs and asks."""
    from ctui.tasks.model import AskState

    store = context.store()
    task, asks, runs = store.task(task_id), store.asks(*AskState, task=task_id), store.runs(task_id)
    if as_json:
        from ctui.cli.shapes import ShownTask

        print_json(ShownTask(task, asks, runs))
        return
    for name, value in _facts(task).items():
        click.echo(f"{name:<10} {value}")
    for run in runs:
        code = "running" if run.ended is None else f"exit code {run.exit_code}"
        click.echo(f"{'run':<10} {run.number}: {code}")
    for ask in asks:
        _show_ask(ask)


@click.command("logs")
@task_argument
@click.option("--follow", "-f", is_flag=True, help="Go on as the journal grows.")
@json_option
def logs(task_id: str, *, follow: bool, as_json: bool) -> None:
    """Print a task's journal; with --json its lines as the CLI wrote them.

    With --follow until the task ends, or until Ctrl-C.
    """
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
            await Printer(client, task_id, as_json=as_json).until_ended()

    asyncio.run(go())


def _show_ask(ask: Ask) -> None:
    """One that is pending in full, with the command that answers it; any other in one line."""
    from ctui.cli.follow import ask_outcome, how_to_answer
    from ctui.tasks.ask_text import ask_lines
    from ctui.tasks.model import AskState

    if ask.state is not AskState.PENDING:
        click.echo(f"{'ask':<10} {ask.id} {ask_outcome(ask)} - {ask.title}")
        return
    click.echo(f"{'ask':<10} {ask.id} waits: {how_to_answer(ask)}")
    for line in ask_lines(ask):
        click.echo(line)


def state_text(task: Task, asks: int = 0) -> str:
    """The state, with its reason where it has one that a word can say."""
    if task.reason:
        return f"{task.state} ({task.reason})"
    if task.problem and not asks:
        return f"{task.state} (login)" if "login" in task.problem else f"{task.state} (problem)"
    return str(task.state)


def _row(task: Task, asks: int) -> list[str]:
    from ctui.text import one_line

    return [
        task.id,
        state_text(task, asks),
        f"to {task.options.approval_tool}" if task.options.approval_tool else str(asks or ""),
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
        "asks go to": task.options.approval_tool,
        "mcp": ", ".join(task.options.mcp_servers),
        "prompt": one_line(task.prompt, 120),
    }
    if task.work is not None:
        said = task.work.problem or task.work.reason
        facts["work"] = f"{task.work.branch}: {said}" if said else task.work.branch
        for number, ref in enumerate(task.work.refs):
            facts[f"ref {number + 1}"] = f"{ref.name} {ref.commit[:9]}"
    return {name: sanitise(value) for name, value in facts.items() if value}
