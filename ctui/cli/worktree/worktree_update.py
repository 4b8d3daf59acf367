"""`ctui worktree update`."""

from __future__ import annotations

import asyncio

import click

from ctui.cli import context
from ctui.cli.output import json_option, print_json, repo_option, target_option, warn
from ctui.cli.worktree.worktree_conflict import say_conflict
from ctui.cli.worktree.worktree_names import named, worktree_argument
from ctui.text import one_line


@click.command("update")
@worktree_argument
@click.option("--rebase", is_flag=True, help="Replay its commits on the target, do not merge.")
@click.option("--dry-run", is_flag=True, help="Say whether it would work, move nothing.")
@click.option(
    "--tell-task/--no-tell-task",
    default=None,
    help="Let the worktree's task resolve what conflicts.  [default: if the task is idle]",
)
@target_option
@repo_option
@json_option
def update(
    name: str,
    target: str,
    repo: str,
    *,
    rebase: bool,
    dry_run: bool,
    tell_task: bool | None,
    as_json: bool,
) -> int:
    """Bring what is new in the target into a worktree's branch and files: all, or nothing.

    A task that is idle goes on from there. Nothing is moved over uncommitted work.
    """
    from ctui.client.tasks.updating import new_commits, update_text, update_worktree, waits
    from ctui.worktrees.landing.merge_plan import MergeConflict as Conflicting

    repository = context.judged_repository(repo, target)
    worktree = named(repository, name)
    try:
        done = asyncio.run(
            update_worktree(
                context.paths(),
                repository,
                worktree,
                method="rebase" if rebase else "merge",
                dry_run=dry_run,
                say=warn,
            )
        )
    except Conflicting as error:
        wanted = waits(context.paths(), worktree) if tell_task is None else tell_task
        then = "its branch has what is new then"
        tell = wanted and not dry_run
        return say_conflict(worktree, error, tell=tell, then=then, as_json=as_json)
    if as_json:
        print_json(done)
    elif dry_run and done.method != "none":
        click.echo(f"would bring {new_commits(done)} into {done.branch}, without conflicts")
    else:
        click.echo(one_line(update_text(done), 300))
    return 0
