"""`ctui worktree remove`, `clean`, `restore` and `trash`."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ctui.cli import context
from ctui.cli.output import (
    json_option,
    print_json,
    print_table,
    repo_option,
    target_option,
    warn,
)
from ctui.cli.worktree.worktree_names import trash_arguments, worktree_arguments
from ctui.errors import InvalidInput
from ctui.text import one_line

if TYPE_CHECKING:
    from ctui.client.worktrees.bulk_removal import BulkRemover, RemovedWorktrees

dry_run_option = click.option("--dry-run", is_flag=True, help="Say what would be done, do nothing.")
branch_option = click.option(
    "--delete-branch/--keep-branch",
    default=None,
    help="Whether the branch goes too; it comes back with a restore.  "
    "[default: worktrees.delete_branch]",
)


@click.command("remove")
@worktree_arguments
@click.option("--force", is_flag=True, help="Also if it is unclean.")
@branch_option
@dry_run_option
@repo_option
@json_option
def remove(
    names: tuple[str, ...],
    repo: str,
    *,
    force: bool,
    delete_branch: bool | None,
    dry_run: bool,
    as_json: bool,
) -> int:
    """Move worktrees into the trash; `restore` brings them back.

    Tasks on them leave the list too; one that works is a reason to refuse.
    """
    remover = _remover(repo, force=force, delete_branch=delete_branch, dry_run=dry_run)
    return _tell(asyncio.run(remover.remove(list(dict.fromkeys(names)))), as_json=as_json)


@click.command("clean")
@click.option(
    "--clean/--merged",
    "also_clean",
    default=False,
    help="Also what is clean and not merged: just begun, pushed but open, or reverted.  "
    "[default: merged]",
)
@click.option("--force", is_flag=True, help="Also those that are unclean.")
@branch_option
@dry_run_option
@target_option
@repo_option
@json_option
def clean(
    repo: str,
    target: str,
    *,
    also_clean: bool,
    force: bool,
    delete_branch: bool | None,
    dry_run: bool,
    as_json: bool,
) -> int:
    """Move all worktrees that are merged into the trash.

    Those that a task works in, or that are locked, stay.
    """
    remover = _remover(repo, target, force=force, delete_branch=delete_branch, dry_run=dry_run)
    return _tell(asyncio.run(remover.clean(also_clean=also_clean)), as_json=as_json)


@click.command("restore")
@trash_arguments
@repo_option
@json_option
def restore(ids: tuple[str, ...], repo: str, *, as_json: bool) -> int:
    """Bring worktrees back from the trash, exactly as they were.

    In the folder of a removed worktree without an ID: that one.
    """
    from ctui.client.worktrees.worktree_restore import restore_worktrees
    from ctui.worktrees.trash.entries import entry_around

    repository = context.repository(repo)
    here = entry_around(repository, Path(repo).resolve())
    if not ids and here is None:
        raise click.UsageError("missing argument 'ID…'")
    chosen = ids or (here or "",)
    done = asyncio.run(restore_worktrees(context.paths(), repository.common_dir, chosen))
    for note in done.notes:
        warn(note)
    if as_json:
        print_json(done)
    for item in () if as_json else done.restored:
        click.echo(f"restored {item.path}")
    for refused in done.refused:
        warn(f"ctui: {refused.name}: {refused.reason}")
    return 1 if done.refused else 0


@click.command("trash")
@click.option("--purge", is_flag=True, help="Delete entries for good.")
@click.option("--older", "days", type=click.IntRange(0), help="With --purge: older than DAYS.")
@click.option("--all", "everything", is_flag=True, help="With --purge: all of them.")
@repo_option
@json_option
def trash(repo: str, *, purge: bool, days: int | None, everything: bool, as_json: bool) -> int:
    """List what can be restored; --purge deletes it for good."""
    from ctui.client.worktrees.worktree_restore import open_trash
    from ctui.worktrees.trash.entries import damaged_records

    repository = context.repository(repo)
    if purge:
        return _purge(repository.common_dir, days=days, everything=everything, as_json=as_json)
    if days is not None or everything:
        raise InvalidInput("--older and --all go with --purge", hint="add --purge")

    async def entries() -> object:
        async with open_trash(context.paths(), repository.common_dir) as trash:
            return await trash.entries()

    found = asyncio.run(entries())
    assert isinstance(found, list)  # noqa: S101 - for the type checker
    if as_json:
        print_json(found)
    else:
        rows = [[entry.id, entry.name, entry.branch or "-", entry.path] for entry in found]
        print_table(["TRASH ID", "WORKTREE", "BRANCH", "PATH"], rows, empty="the trash is empty")
    for path in damaged_records(repository):
        warn(f"ctui: {path} cannot be read: what it tells of stays in the trash until you mend it")
    return 0


def _purge(git_dir: Path, *, days: int | None, everything: bool, as_json: bool) -> int:
    from ctui.git.repository.repository import open_repository
    from ctui.worktrees.trash.purge import purge

    if days is None and not everything:
        raise InvalidInput("say what is deleted for good", hint="--older DAYS, or --all")
    older = 0.0 if days is None else days * 86_400.0
    done = asyncio.run(purge(open_repository(git_dir), older_than=older))
    if as_json:
        print_json(done)
    else:
        click.echo(f"deleted {len(done.ids)} for good, {done.freed / 2**20:.1f} MiB")
    for problem in done.problems:
        warn(f"ctui: {problem}")
    return 1 if done.problems else 0


def _remover(
    repo: str, target: str = "", *, force: bool, delete_branch: bool | None, dry_run: bool
) -> BulkRemover:
    from ctui.client.worktrees.bulk_removal import BulkRemover
    from ctui.config import load_config

    repository = context.judged_repository(repo, target)
    if delete_branch is None:
        delete_branch = load_config(context.paths()).worktrees.delete_branch
    return BulkRemover(
        context.paths(), repository, force=force, delete_branch=delete_branch, dry_run=dry_run
    )


def _tell(done: RemovedWorktrees, *, as_json: bool) -> int:
    """Print what became of each, and return the exit code."""
    if as_json:
        print_json(done)
        return 1 if done.refused else 0
    for item in done.removed:
        name = one_line(item.name)
        evidence = one_line(item.evidence, 200)
        if item.trash_id is None:
            click.echo(f"would remove {name}: {evidence}")
        else:
            click.echo(f"removed {name}: {evidence}  (ctui worktree restore {item.trash_id})")
    for kept in done.kept:
        warn(f"kept {kept.name}: {kept.evidence}  (clean, but not merged: --clean takes it too)")
    for refused in done.refused:
        warn(f"refused {refused.name}: {refused.reason}")
    return 1 if done.refused else 0
