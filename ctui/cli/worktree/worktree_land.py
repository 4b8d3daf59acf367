"""`ctui worktree commit`, `land` and `push`."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Literal

import click
import msgspec

from ctui.cli import context
from ctui.cli.output import json_option, print_json, repo_option, report, warn
from ctui.cli.worktree.worktree_check import (
    check_options,
    land_checked,
    say_not_checked,
    wanted_check,
)
from ctui.cli.worktree.worktree_conflict import say_conflict
from ctui.cli.worktree.worktree_names import named, worktree_argument
from ctui.errors import CtuiError, Refused
from ctui.text import one_line

if TYPE_CHECKING:
    from ctui.client.landing.records import Check
    from ctui.git.repository.repository import Repository
    from ctui.worktrees.landing.checkouts import Checkout
    from ctui.worktrees.landing.land import Landed, LandingOptions


@click.command("commit")
@worktree_argument
@click.option("-m", "--message", required=True, help="The commit's message.")
@repo_option
@json_option
def commit(name: str, message: str, repo: str, *, as_json: bool) -> None:
    """Commit everything in a worktree that is not ignored, as you.

    No hook and no filter runs. The commit is signed where commit.gpgSign says so.
    """
    from ctui.worktrees.landing.commit import commit_all

    repository = context.judged_repository(repo, "")
    checkout = _checkout(repository, name, to_commit=True)
    done = asyncio.run(commit_all(checkout, message, run_filters=_run_filters()))
    if done is None:
        raise Refused(f"there is nothing to commit in {one_line(name)}", hint="ctui worktree diff")
    if as_json:
        from ctui.cli.shapes import Committed

        print_json(Committed(done.after, done.branch, len(done.paths)))
    else:
        files = "1 file" if len(done.paths) == 1 else f"{len(done.paths)} files"
        click.echo(f"committed {files} as {done.after[:10]} on {done.branch}")


@click.command("land")
@worktree_argument
@click.option(
    "--method",
    type=click.Choice(["merge", "squash", "rebase"]),
    default="merge",
    show_default=True,
    help="One merge commit, one commit with all changes, or each commit anew.",
)
@click.option("--target", help="The branch to land in.  [default: worktrees.target]")
@click.option("-m", "--message", default="", help="Of the merge or squash commit.")
@click.option("--commit", "first", metavar="MESSAGE", help="Commit what is uncommitted first.")
@click.option("--push", "push_too", is_flag=True, help="Push the target afterwards.")
@click.option("--dry-run", is_flag=True, help="Say whether it would work, move nothing.")
@click.option(
    "--allow-filters",
    is_flag=True,
    help="Even if it changes which filter (.gitattributes) applies to a file.",
)
@click.option("--tell-task", is_flag=True, help="Let the worktree's task resolve what conflicts.")
@check_options
@repo_option
@json_option
def land(
    name: str,
    method: Literal["merge", "squash", "rebase"],
    target: str | None,
    message: str,
    first: str | None,
    repo: str,
    *,
    push_too: bool,
    dry_run: bool,
    allow_filters: bool,
    tell_task: bool,
    check: bool | None,
    check_command: str,
    as_json: bool,
) -> int:
    """Bring a worktree's commits into a branch, with its checkout: all of it, or nothing.

    What conflicts is listed, and nothing is moved. With --check, or where landing.check is set,
    what would be landed is checked first, in a sandbox, and only that is landed.

    Exit code 1: conflict, or the check failed. 2: no check is named. 3: the environment is not
    built, or needs consent. 4: the check took too long.
    """
    from ctui.client.landing.failures import CheckFailed, NoCheck
    from ctui.worktrees.landing.merge_plan import MergeConflict as Conflicting

    repository = context.judged_repository(repo, "")
    command = wanted_check(check_command, check=check, dry_run=dry_run)
    try:
        return asyncio.run(
            _land(
                repository,
                name,
                {"method": method, "target": target, "message": message, "filters": allow_filters},
                command=command,
                first=first,
                push_too=push_too,
                dry_run=dry_run,
                as_json=as_json,
            )
        )
    except (NoCheck, CheckFailed) as error:
        return say_not_checked(error, as_json=as_json)
    except Conflicting as error:
        if first is not None and not dry_run and not as_json:
            warn("what was uncommitted is committed all the same")
        worktree, then = named(repository, name), "then land it again"
        tell = tell_task and not dry_run
        return say_conflict(worktree, error, tell=tell, then=then, as_json=as_json)


@click.command("push")
@worktree_argument
@click.option("--remote", help="Which one.  [default: origin, or the only one]")
@click.option("--pull-request", "title", metavar="TITLE", help="Open a pull request, by gh.")
@click.option("--body", default="", help="Of the pull request.")
@repo_option
@json_option
def push(
    name: str, remote: str | None, title: str | None, body: str, repo: str, *, as_json: bool
) -> None:
    """Push a worktree's branch, and open a pull request for it."""
    from ctui.worktrees.landing.publish import push as publish
    from ctui.worktrees.landing.pull_request import open_pull_request

    repository = context.judged_repository(repo, "")
    branch = _branch(_checkout(repository, name))

    async def go() -> tuple[Any, str]:
        pushed = await publish(repository, branch, remote=remote)
        if title is None:
            return pushed, ""
        base = repository.default_branch() or "main"
        url = await open_pull_request(
            repository, branch, base=base, title=title, body=body, remote=remote
        )
        return pushed, url

    pushed, url = asyncio.run(go())
    if as_json:
        from ctui.cli.shapes import Pushed

        print_json(Pushed(pushed.remote, pushed.branch, pushed.commit, url or None))
        return
    word = "pushed" if pushed.changed else "nothing new to push:"
    click.echo(f"{word} {pushed.branch} to {pushed.remote}")
    if url:
        click.echo(one_line(url, 500))


async def _land(
    repository: Repository,
    name: str,
    how: LandingOptions,
    *,
    command: str | None,
    first: str | None,
    push_too: bool,
    dry_run: bool,
    as_json: bool,
) -> int:
    from ctui.client.worktrees.worktrees import as_stored
    from ctui.worktrees.landing.commit import commit_all
    from ctui.worktrees.landing.land import land as land_branch
    from ctui.worktrees.landing.publish import push as publish

    checkout = _checkout(repository, name, to_commit=first is not None)
    if first is not None and not dry_run:
        await commit_all(checkout, first, run_filters=_run_filters())
    how |= {
        "run_filters": _run_filters(),
        "as_stored": as_stored(context.paths(), repository),
    }
    record = None
    if command is None:
        landed = await land_branch(repository, checkout, **how, dry_run=dry_run)
    else:
        landed, record = await land_checked(
            repository, lambda: _checkout(repository, name), how, command, as_json=as_json
        )
    problem = None
    if wanted := push_too and not dry_run:
        try:
            await publish(repository, landed.target)
        except CtuiError as error:
            problem = error
    pushed = wanted and problem is None
    if not dry_run:
        from ctui.client.tasks.rebuild import rebuild_in_background

        if rebuilt := rebuild_in_background(context.paths(), repository):
            warn(f"* its environment changed, and is built in the background: {rebuilt}")
    check = None if record is None else record.check
    _tell(landed, check, as_json=as_json, pushed=pushed, dry_run=dry_run, problem=problem)
    return 1 if problem else 0


def _tell(
    landed: Landed,
    check: Check | None,
    *,
    as_json: bool,
    pushed: bool,
    dry_run: bool,
    problem: CtuiError | None,
) -> None:
    if as_json:
        from ctui.cli.shapes import LandedWorktree

        fields: dict[str, Any] = msgspec.structs.asdict(landed)
        if problem is not None:
            fields |= {"error": problem.message, "hint": problem.hint}
        print_json(LandedWorktree(**fields, pushed=pushed, dry_run=dry_run, check=check))
        return
    count = f"{landed.commits} commit{'' if landed.commits == 1 else 's'}"
    if dry_run:
        click.echo(f"would land {count} in {landed.target}, without conflicts")
        return
    click.echo(f"landed {count} in {landed.target}: {landed.before[:10]} -> {landed.after[:10]}")
    if pushed:
        click.echo(f"pushed {landed.target}")
    if problem is not None:
        report(problem, as_json=False)


def _checkout(repository: Repository, name: str, *, to_commit: bool = False) -> Checkout:
    from ctui.client.tasks.landing import landable

    worktree = named(repository, name)
    return landable(context.paths(), repository, worktree, to_commit=to_commit)


def _run_filters() -> tuple[str, ...]:
    from ctui.config import load_config

    return load_config(context.paths()).git.filter_names


def _branch(checkout: Checkout) -> str:
    ref = checkout.ref
    if ref is None:
        hint = "git switch --create NAME"
        raise Refused(f"no branch is checked out in {checkout.work_tree}", hint=hint)
    return ref.removeprefix("refs/heads/")
