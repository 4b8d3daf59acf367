"""`ctui task turns` and `ctui task snapshot`: a task's files at each of its turns."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ctui.cli import context
from ctui.cli.output import json_option, print_json, print_table
from ctui.cli.task.task_names import task_argument

if TYPE_CHECKING:
    from ctui.tasks.turn import Turn
    from ctui.worktrees.snapshots.model import Snapshot

_PROMPT_WIDTH = 60


@click.command("turns")
@task_argument
@json_option
def turns(task_id: str, *, as_json: bool) -> None:
    """List a task's turns: what was said, what it cost, and what became of its files.

    Each turn's end is kept as a snapshot: all files of the worktree but ignored ones.
    """
    store = context.store()
    store.tasks.get(task_id)
    found = store.turns.of(task_id)
    if as_json:
        from ctui.cli.shapes import shown_turn

        print_json([shown_turn(turn) for turn in found])
        return
    columns = ["TURN", "ENDED", "FILES", "LINES", "COST", "SNAPSHOT", "PROMPT"]
    print_table(columns, [_row(turn) for turn in found], empty="no turn yet")


@click.command("snapshot")
@task_argument
@json_option
def snapshot(task_id: str, *, as_json: bool) -> None:
    """Keep a task's files as they are now, and print the snapshot's id.

    They are all files of its worktree but ignored ones, in a repository of ctui's own.
    """
    taken = context.run(_take(task_id))
    if as_json:
        print_json(taken)
        return
    click.echo(taken.id)
    for left in taken.left_out:
        click.echo(f"left out: {left.path}: {left.why}", err=True)
    if more := taken.left_out_count - len(taken.left_out):
        click.echo(f"left out: {more} more", err=True)


async def _take(task_id: str) -> Snapshot:
    from pathlib import Path

    from ctui.git.repository.repository import open_repository
    from ctui.tasks.snapshots import by_hand, snapshots_of
    from ctui.worktrees.snapshots.take import take

    task = context.store().tasks.get(task_id)
    repository = open_repository(Path(task.repository))
    return await take(snapshots_of(context.paths(), repository, task), by_hand())


def _row(turn: Turn) -> list[str]:
    from ctui.humanize import age
    from ctui.text import one_line

    changed = turn.files is not None
    return [
        str(turn.turn),
        f"{age(turn.ended)} ago" if turn.ended else "works",
        str(turn.files) if changed else "-",
        f"+{turn.added} -{turn.removed}" if changed else "-",
        f"${turn.cost_usd:.2f}",
        turn.snapshot[:12] or "-",
        one_line(turn.prompt, _PROMPT_WIDTH) or "(it went on by itself)",
    ]
