"""`ctui worktree`: create, list, remove, restore."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import click

from ctui.cli import context
from ctui.cli.output import json_option, print_json, print_table, repo_option, warn
from ctui.errors import CtuiError

if TYPE_CHECKING:
    from ctui.worktrees.model import WorktreeStatus


@click.group("worktree")
def command() -> None:
    """Create, list, remove and restore worktrees."""


@command.command("create")
@click.argument("name")
@click.option("--base", default="HEAD", show_default=True, help="Where it begins.")
@repo_option
@json_option
def create(name: str, base: str, repo: str, *, as_json: bool) -> None:
    """Make a worktree with a branch of its own."""
    from ctui.client.worktrees import make_worktree
    from ctui.config import load_config

    paths, repository = context.paths(), context.repository(repo)
    prefix = load_config(paths, repository=repository.work_tree).worktrees.prefix
    record = asyncio.run(make_worktree(paths, repository, prefix=prefix, name=name, base=base))
    if record.name != name:
        warn(f"the worktree is called {record.name}")
    print_json(record) if as_json else click.echo(record.path)


@command.command("list")
@repo_option
@json_option
def list_(repo: str, *, as_json: bool) -> None:
    """List the worktrees of a repository with their status.

    CHANGES counts files: + staged, ~ modified, ? untracked, ! in conflict. AHEAD and BEHIND count
    commits against the repository's own branch; EVIDENCE says why a worktree counts as merged.
    """
    from ctui.client.worktrees import records
    from ctui.worktrees.status import list_worktrees

    repository = context.repository(repo)
    known = records(context.paths(), repository)
    found = asyncio.run(list_worktrees(repository, known))
    tasks = _tasks()
    if as_json:
        target = repository.target()
        print_json(
            {
                "repository": str(repository.common_dir),
                "target": {"ref": target.ref, "commit": target.commit},
                "worktrees": [_entry(status, tasks) for status in found],
            }
        )
        return
    rows = [_row(status, tasks) for status in found]
    if rows:
        header = ["WORKTREE", "STATUS", "CHANGES", "AHEAD", "BEHIND", "TASK", "EVIDENCE"]
        print_table(header, rows)


@command.command("remove")
@click.argument("names", nargs=-1, required=True, metavar="NAME…")
@click.option("--force", is_flag=True, help="Also if it is unclean.")
@repo_option
@json_option
def remove(names: tuple[str, ...], repo: str, *, force: bool, as_json: bool) -> int:
    """Move worktrees into the trash; `restore` brings them back."""
    from ctui.client.worktrees import record_named, to_trash

    paths, repository = context.paths(), context.repository(repo)
    removed: list[dict[str, str]] = []
    refused: list[dict[str, str]] = []
    for name in names:
        try:
            record = record_named(paths, repository, name)
            entry = asyncio.run(to_trash(paths, repository, record, force=force))
            removed.append({"name": name, "trash_id": entry.id})
        except CtuiError as error:
            refused.append({"name": name, "reason": f"{error.message} ({error.hint})"})
    if as_json:
        print_json({"removed": removed, "refused": refused})
    for item in removed if not as_json else ():
        click.echo(f"removed {item['name']}: ctui worktree restore {item['trash_id']}")
    for item in refused if not as_json else ():
        click.echo(f"refused {item['name']}: {item['reason']}", err=True)
    return 1 if refused else 0


@command.command("restore")
@click.argument("trash_id")
@repo_option
@json_option
def restore(trash_id: str, repo: str, *, as_json: bool) -> None:
    """Bring a worktree back from the trash, exactly as it was."""
    from ctui.client.worktrees import from_trash

    restored = asyncio.run(from_trash(context.paths(), context.repository(repo), trash_id))
    for note in restored.notes:
        warn(note)
    if as_json:
        record = restored.record
        name = record.name if record is not None else restored.entry.name
        print_json({"restored": [{"name": name, "path": restored.path, "branch": restored.branch}]})
    else:
        click.echo(f"restored {restored.path}")


@command.command("trash")
@repo_option
@json_option
def trash(repo: str, *, as_json: bool) -> None:
    """List what can be restored."""
    from ctui.client.worktrees import in_trash

    entries = asyncio.run(in_trash(context.paths(), context.repository(repo)))
    if as_json:
        print_json(entries)
    elif entries:
        rows = [[entry.id, entry.name, entry.branch or "-", entry.path] for entry in entries]
        print_table(["TRASH ID", "WORKTREE", "BRANCH", "PATH"], rows)


def _tasks() -> dict[str, dict[str, Any]]:
    """The newest task of each worktree, by path."""
    from ctui.tasks.model import AskState

    store = context.store()
    asked: dict[str, int] = {}
    for ask in store.asks(AskState.PENDING):
        asked[ask.task] = asked.get(ask.task, 0) + 1
    return {
        task.worktree: {"id": task.id, "state": task.state, "asks": asked.get(task.id, 0)}
        for task in store.tasks()
    }


def _entry(status: WorktreeStatus, tasks: dict[str, dict[str, Any]]) -> dict[str, Any]:
    import msgspec

    return {**msgspec.structs.asdict(status), "task": tasks.get(status.path)}


def _row(status: WorktreeStatus, tasks: dict[str, dict[str, Any]]) -> list[str]:
    changes = status.changes
    marks = ""
    if changes is not None:
        numbers = {"+": changes.staged, "~": changes.modified, "?": changes.untracked}
        numbers["!"] = changes.conflicted
        marks = " ".join(f"{mark}{number}" for mark, number in numbers.items() if number)
    task = tasks.get(status.path)
    return [
        status.name,
        status.problem or status.status,
        marks,
        str(status.ahead or ""),
        str(status.behind or ""),
        f"{task['id']} {task['state']}" if task else "",
        status.verdict.evidence,
    ]
