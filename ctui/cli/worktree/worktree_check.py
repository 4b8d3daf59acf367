"""The check of `ctui worktree land`, and `ctui worktree landings`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ctui.cli import context
from ctui.cli.output import drop_output, json_option, print_json, print_table, repo_option, report
from ctui.humanize import age, duration
from ctui.text import sanitise

if TYPE_CHECKING:
    from ctui.client.landing.failures import CheckFailed, NoCheck
    from ctui.client.landing.records import LandingRecord
    from ctui.git.repository.repository import Repository
    from ctui.worktrees.landing.checkouts import Checkout
    from ctui.worktrees.landing.land import Landed, LandingOptions

F = TypeVar("F", bound=Callable[..., Any])

_FAILED, _USAGE, _OUT_OF_TIME = 1, 2, 4


def check_options(function: F) -> F:
    """Add `--check`, `--no-check` and `--check-command`."""
    function = click.option(
        "--check-command",
        default="",
        metavar="COMMAND",
        help="Check it by this, whatever the settings say.",
    )(function)
    return click.option(
        "--check/--no-check",
        default=None,
        help="Land only what passes landing.check.  [default: where you have set it]",
    )(function)


def wanted_check(command: str, *, check: bool | None, dry_run: bool) -> str | None:
    """Return the command of the check, "" for the one that is named elsewhere; None is no check."""
    from ctui.config import load_config

    if check is False and command:
        raise click.UsageError("--no-check does not go with --check-command")
    if dry_run and (check or command):
        raise click.UsageError("--dry-run checks nothing: leave out one of them")
    if dry_run or check is False:
        return None
    named = command or load_config(context.paths()).landing.check
    return named if named or check else None


async def land_checked(
    repository: Repository,
    checkout: Callable[[], Checkout],
    how: LandingOptions,
    command: str,
    *,
    as_json: bool,
) -> tuple[Landed, LandingRecord]:
    """Check a landing and land it.

    Args:
        repository: of the worktree.
        checkout: returns it, if no task works there; it is asked again whenever it is computed.
        how: options of `prepare`.
        command: the check, or "" for the one that is named elsewhere.
        as_json: stdout is for the result alone.
    """
    from ctui.client.landing.checked import CheckedLanding, Listener, Wanted
    from ctui.config import load_config
    from ctui.worktrees.landing.land import prepare

    paths = context.paths()

    def show(line: str, *, err: bool = as_json) -> None:
        try:
            click.echo(line, err=err)
        except BrokenPipeError:  # whoever read it has seen enough, and the landing goes on
            drop_output(2 if err else 1)

    listener = Listener(line=show, note=lambda line: show(f"* {sanitise(line)}", err=True))
    checked = CheckedLanding(paths, load_config(paths), repository, listener)
    wanted = Wanted(
        worktree=checkout().work_tree,
        target=how.get("target"),
        prepare=lambda: prepare(repository, checkout(), **how),
        command=command,
    )
    return await checked.land(wanted)


def say_not_checked(error: NoCheck | CheckFailed, *, as_json: bool) -> int:
    """Report what was not landed, and return the exit code."""
    from ctui.cli.shapes import NotLanded
    from ctui.client.landing.failures import CheckTimedOut, NoCheck

    check = None if isinstance(error, NoCheck) else error.check
    if as_json and check is not None:
        print_json(NotLanded(error.message, error.hint, check=check))
    else:
        report(error, as_json=as_json)
    if isinstance(error, NoCheck):
        return _USAGE
    return _OUT_OF_TIME if isinstance(error, CheckTimedOut) else _FAILED


@click.command("landings")
@click.option("--all", "everything", is_flag=True, help="Of all repositories.")
@repo_option
@json_option
def landings(repo: str, *, everything: bool, as_json: bool) -> None:
    """List the last landings that were checked, newest first."""
    from ctui.client.landing.records import LandingRecords

    common = None if everything else str(context.repository(repo).common_dir)
    found = LandingRecords(context.paths()).all(common)
    if as_json:
        print_json(found)
        return
    header = ["ID", "OUTCOME", "BRANCH", "TARGET", "TOOK", "AGE", "CHECK"]
    print_table(header, [_row(one) for one in found], empty="no landing was checked yet")


def _row(one: LandingRecord) -> list[str]:
    took = duration(one.check.seconds)
    return [one.id, one.outcome, one.branch, one.target, took, age(one.when), one.check.command]
