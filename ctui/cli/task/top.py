"""`ctui top`: what tasks take of this machine."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

import click

from ctui.cli import context
from ctui.cli.output import json_option, print_json, print_table

if TYPE_CHECKING:
    from ctui.client.access.usage import Budgets, ServiceUsage, TaskUsage, Top

_SECONDS = 2.0
_CLEAR = "\x1b[H\x1b[2J"
_OVER = "!"
_COLUMNS = ("TASK", "STATE", "CPU", "MEMORY", "PROCESSES", "WORKTREE", "HOME", "LAYER", "JOURNAL")


@click.command("top")
@click.option("--once", is_flag=True, help="Print it once, also at a terminal.")
@json_option
def command(*, once: bool, as_json: bool) -> None:
    """Show what tasks take: processors, memory, processes, and the disk; a line each, and a total.

    Services stand below their task, and are in the total. CPU is percent of one processor. WORKTREE
    has the task's own git directory in it, HOME is what its sandbox said last, LAYER what a
    container wrote over its image. Below are the sizes at which a task is paused (tasks.worktree,
    tasks.home, tasks.journal); one that is near is marked with a `!`. At a terminal it goes on
    until Ctrl-C.
    """
    asyncio.run(_top(once=once or as_json or not sys.stdout.isatty(), as_json=as_json))


async def _top(*, once: bool, as_json: bool) -> None:
    from ctui.client.access.usage import UsageWatch

    watch = UsageWatch(context.paths())
    found = await watch.first()
    if once:
        print_json(found) if as_json else _show(found)
        return
    while True:
        click.echo(_CLEAR, nl=False)
        _show(found)
        click.echo("Ctrl-C ends this")
        await asyncio.sleep(_SECONDS)
        found = await watch.look()


def _show(found: Top) -> None:
    from ctui.humanize import size_text

    rows = []
    for row in found.tasks:
        rows.append(_cells(row, (row.task, row.state), found.budgets))
        rows += [_cells(one, (f"  {one.service}", "service"), None) for one in row.services]
    rows += [_cells(found.total, (found.total.task, ""), None)] if found.tasks else []
    print_table(_COLUMNS, rows, empty="there is no task")
    limits = found.budgets
    click.echo(
        f"a task is paused at: worktree {size_text(limits.worktree)}, "
        f"home {size_text(limits.home)}, journal {size_text(limits.journal)}"
    )


def _cells(
    row: TaskUsage | ServiceUsage, names: tuple[str, str], budgets: Budgets | None
) -> list[str]:
    from ctui.humanize import size_text

    def sized(name: str) -> str:
        size: int | None = getattr(row, name, None)
        limit = getattr(budgets, name, None)
        near = size is not None and limit is not None and size * 10 > limit * 9
        return f"{size_text(size)}{_OVER if near else ''}"

    memory = size_text(row.memory)
    if row.memory is not None and row.memory_limit:
        memory += f" of {size_text(row.memory_limit)}"
    return [
        *names,
        "-" if row.cpu is None else f"{row.cpu:.0f}%",
        memory,
        "-" if row.processes is None else str(row.processes),
        *(sized(name) for name in ("worktree", "home", "layer", "journal")),
    ]
