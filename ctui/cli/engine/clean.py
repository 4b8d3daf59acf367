"""`ctui clean`: everything that ctui has left behind, at once."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import click

from ctui.cli import context
from ctui.cli.output import json_option, print_json, warn
from ctui.errors import CtuiError
from ctui.humanize import size_text

if TYPE_CHECKING:
    from ctui.git.repository.repository import Repository


@click.command("clean")
@click.option(
    "--force",
    is_flag=True,
    help="Also homes of tasks whose worktree is in the trash, and stopped sandboxes "
    "that no task knows.",
)
@click.option("--dry-run", is_flag=True, help="Say what would be done, do nothing.")
@click.option(
    "--repo", type=click.Path(path_type=str), help="A folder in the repository.  [default: here]"
)
@json_option
def command(repo: str | None, *, force: bool, dry_run: bool, as_json: bool) -> None:
    """Remove what nobody needs any more.

    Stopped sandboxes, homes of tasks that cannot come back, old images that this ctui built, what
    is in the trash for longer than worktrees.trash_days, and caches. Never a worktree (`ctui
    worktree clean` does that) and never a task's journal.
    """
    from ctui.client.cleaning.prune import prune_everything

    done = asyncio.run(
        prune_everything(context.paths(), _repository(repo), force=force, dry_run=dry_run)
    )
    if as_json:
        print_json(done)
        return
    for one in done.removed:
        size = f" ({size_text(one.size)})" if one.size is not None else ""
        click.echo(f"{'would remove' if dry_run else 'removed'} {one.what} {one.name}{size}")
    for kept in done.kept:
        warn(
            f"kept {kept.what} {kept.name}: {kept.reason}"
            + (f" ({kept.hint})" if kept.hint else "")
        )
    if not done.removed:
        click.echo("there is nothing to remove")


def _repository(repo: str | None) -> Repository | None:
    """Return the named repository, or the one around us if there is one."""
    try:
        return context.repository(repo or ".")
    except CtuiError:
        if repo is not None:
            raise
        return None
