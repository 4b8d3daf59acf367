"""`ctui task list`, `show` and `logs`: what only reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ctui.cli import context
from ctui.cli.output import json_option, print_json, print_table, report, warn
from ctui.cli.task.task_names import task_argument
from ctui.cli.task.task_text import (
    alarm_lines,
    background_lines,
    commits_text,
    goes_on_text,
    network_text,
    sandbox_text,
    state_text,
    unusual,
)
from ctui.errors import CtuiError
from ctui.text import sanitise

if TYPE_CHECKING:
    from ctui.client.access.services import ShownService
    from ctui.tasks.model import Ask, Task

_UNUSUAL = frozenset({"ALARMS", "NOW", "NOTE"})
"""Columns that are left out where no task has anything in them."""


@click.command("list")
@click.option("--removed", is_flag=True, help="Those that were removed, but not purged.")
@json_option
def list_(*, removed: bool, as_json: bool) -> None:
    """List all tasks, oldest first."""
    store = context.store()
    tasks = _tended(store.tasks.list(removed=removed))
    asked = store.asks.pending_by_task()
    if as_json:
        from ctui.cli.shapes import ListedTask

        print_json([ListedTask(task, asked.get(task.id, 0)) for task in tasks])
        return
    notes = _environment_notes(tasks)
    rows = [_row(task, asked.get(task.id, 0), notes.get(task.id, "")) for task in tasks]
    columns = [
        name
        for name in (rows[0] if rows else ())
        if name not in _UNUSUAL or any(row[name] for row in rows)
    ]
    cells = [[row[name] for name in columns] for row in rows]
    print_table(columns, cells, empty="no tasks yet: ctui run PROMPT")


@click.command("show")
@task_argument
@json_option
def show(task_id: str, *, as_json: bool) -> None:
    """Show one task with its runs and asks."""
    from ctui.tasks.attachments import attached_names
    from ctui.tasks.model import AskState
    from ctui.text import one_line

    store = context.store()
    task, asks, runs = (
        store.tasks.get(task_id),
        store.asks.list(*AskState, task=task_id),
        store.runs.of(task_id),
    )
    _tended([task])
    services = _services(task)
    if as_json:
        from ctui.cli.shapes import ShownTask, shown_ask

        shown = [shown_ask(ask) for ask in asks]
        print_json(ShownTask(task, shown, runs, list(task.alarms), services))
        return
    for name, value in _facts(task).items():
        click.echo(f"{name:<10} {value}")
    if changes := _uncommitted(task):
        click.echo(f"{'changes':<10} {changes}, not committed")
    if names := attached_names(context.paths(), task_id):
        click.echo(f"{'attached':<10} {one_line(', '.join(names), 400)}")
    for line in background_lines(task):
        click.echo(f"{'runs on':<10} {line}")
    for service in services:
        state = service.status or service.state
        click.echo(f"{'service':<10} {service.name}: {service.image}, {sanitise(state)}")
    for line in alarm_lines(task):
        click.echo(f"{'alarm':<10} {line}")
    for run in runs:
        code = "running" if run.ended is None else f"exit code {run.exit_code}"
        click.echo(f"{'run':<10} {run.number}: {code}")
    for ask in asks:
        _show_ask(ask)


@click.command("logs")
@task_argument
@click.option("--follow", "-f", is_flag=True, help="Go on as the journal grows.")
@click.option("--service", default="", metavar="NAME", help="The log of one of its services.")
@json_option
def logs(task_id: str, service: str, *, follow: bool, as_json: bool) -> None:
    """Print a task's journal; with --json its lines as the CLI wrote them.

    With --follow until the task ends, or until Ctrl-C. The log of a service that is gone with its
    sandbox is the end of what it said.
    """
    if service:
        if as_json:
            raise click.UsageError("a service's log is plain text: leave out --json")
        context.run(_service_log(context.store().tasks.get(task_id), service, follow=follow))
        return
    from ctui.cli.task.printing import Printer, Turn, entry_lines
    from ctui.client.journal.plain import PlainJournal
    from ctui.tasks.journal.archive import FILE_NAME, read_entries

    _tended([context.store().tasks.get(task_id)])
    if not follow:
        journal = PlainJournal()
        for entry in read_entries(context.paths().task(task_id) / FILE_NAME):
            for line in entry_lines(entry, journal, as_json=as_json):
                click.echo(line)
        return

    async def go() -> None:
        from ctui.client.client import Client

        async with Client(context.paths()) as client:
            await Printer(client, Turn(task_id), as_json=as_json).until_ended()

    context.run(go())


def _uncommitted(task: Task) -> str:
    from ctui.client.tasks.uncommitted import uncommitted

    return context.run(uncommitted(task))


def _services(task: Task) -> list[ShownService]:
    from ctui.client.access.services import shown_services

    return context.run(shown_services(context.paths(), task)) if task.options.services else []


async def _service_log(task: Task, service: str, *, follow: bool) -> None:
    from ctui.client.access.services import service_log

    async for line in service_log(context.paths(), task, service, follow=follow):
        click.echo(sanitise(line.decode("utf-8", "replace")))


def _tended(tasks: list[Task]) -> list[Task]:
    """Say that nobody works on tasks that are at work, and start a driver for them.

    What is shown is what the store had: the driver needs a moment to take them over.
    """
    waiting = [task for task in tasks if task.state.live and not task.problem]
    if waiting:
        context.run(_tend(len(waiting)))
    return tasks


async def _tend(count: int) -> None:
    from ctui.client.connection import connect, driver_pid

    try:
        if await driver_pid(context.paths()) is not None:
            return
        works = "1 task waits" if count == 1 else f"{count} tasks wait"
        warn(f"* no driver runs, and {works} for one: it is started")
        (await connect(context.paths())).close()
    except CtuiError as error:
        report(error, as_json=False)


def _show_ask(ask: Ask) -> None:
    """Show a pending ask in full, with the command that answers it; any other in one line."""
    from ctui.cli.task.ask_text import ask_outcome, how_to_answer
    from ctui.tasks.asks import ask_lines
    from ctui.tasks.model import AskState

    if ask.state is not AskState.PENDING:
        click.echo(f"{'ask':<10} {ask.id} {ask_outcome(ask)} - {ask.title}")
        return
    click.echo(f"{'ask':<10} {ask.id} waits: {how_to_answer(ask)}")
    for line in ask_lines(ask):
        click.echo(line)


def _environment_notes(tasks: list[Task]) -> dict[str, str]:
    """Return what is said of environments that no task can run in any more, by task."""
    if not any(task.options.environment for task in tasks):
        return {}
    from ctui.client.tasks.environments import old_environments

    return old_environments(context.paths(), tasks)


def _row(task: Task, asks: int, note: str = "") -> dict[str, str]:
    """Return a task's cells by their columns, from left to right."""
    from ctui.text import one_line

    asks_go_to = task.options.approval_tool
    return {
        "TASK": task.id,
        "STATE": state_text(task, asks),
        "NOW": one_line(task.doing, 40),
        "ALARMS": str(task.alarm_count or ""),
        "NOTE": ", ".join(filter(None, (unusual(task), note))),
        "ASKS": f"to {asks_go_to}" if asks_go_to else str(asks or ""),
        "COST": f"${task.cost:.2f}",
        "BRANCH": task.branch or "-",
        "PROMPT": one_line(task.prompt, 50),
    }


def _facts(task: Task) -> dict[str, str]:
    from ctui.text import one_line

    # A task of a rebuilt store has lost its options, and its directory still borrows nothing.
    isolated = task.sandbox is not None and task.sandbox.isolated
    facts = {
        "task": task.id,
        "state": state_text(task),
        "now": task.doing,
        "problem": task.problem,
        "then": goes_on_text(task),
        "worktree": task.worktree,
        "branch": task.branch or "(detached)",
        "cost": f"${task.cost:.4f}",
        "turns": str(task.turns),
        "asks go to": task.options.approval_tool,
        "attended": "no: what is asked is denied" if task.options.unattended else "",
        "time": f"{task.options.timeout} s a turn" if task.options.timeout else "",
        "isolated": "yes" if task.options.isolated or isolated else "",
        "sandbox": sandbox_text(task.sandbox) if task.sandbox else "",
        "network": network_text(task),
        "ports": ", ".join(map(task.port_text, task.ports)),
        "login": task.options.login,
        "mcp": ", ".join(task.options.mcp_servers),
        "yours": "; ".join(task.sandbox.personal) if task.sandbox else "",
        "without": "; ".join(task.sandbox.skipped) if task.sandbox else "",
        "variables": ", ".join(task.options.env),
        "secrets": ", ".join(task.options.secrets),
        "files": ", ".join(task.options.files),
        "prompt": one_line(task.prompt, 120),
    }
    if task.work is not None:
        said = task.work.problem or task.work.reason
        where = commits_text(task, task.work)
        facts["commits"] = f"{where}: {said}" if said else where
        for number, ref in enumerate(task.work.refs):
            facts[f"ref {number + 1}"] = f"{ref.name} {ref.commit[:9]}"
    return {name: sanitise(value) for name, value in facts.items() if value}
