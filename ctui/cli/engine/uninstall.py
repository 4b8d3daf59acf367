"""`ctui uninstall`: everything of ctui on this machine, shown and then taken away."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import click

from ctui.cli import context
from ctui.cli.output import json_option, print_json, warn

if TYPE_CHECKING:
    from ctui.client.cleaning.uninstall import Uninstall

_NEEDS_CONSENT = 3


@click.command("uninstall")
@click.option("--yes", is_flag=True, help="Take it away; without it, it is only shown.")
@json_option
def command(*, yes: bool, as_json: bool) -> int:
    """Show everything that ctui has on this machine, and with --yes take it away.

    Containers, homes of tasks with their conversations, images, networks, the stored login,
    settings, records and caches. Never a worktree, a branch or what is in the trash: those are
    yours, and are listed.

    Exit code 0: it is gone. 1: a task is not over, or a part could not be removed. 3: it was only
    shown.
    """
    from ctui.client.cleaning.uninstall import plan_uninstall, uninstall

    paths = context.paths()
    plan = asyncio.run(plan_uninstall(paths))
    done = asyncio.run(uninstall(paths, plan)) if yes else plan
    if as_json:
        print_json(done)
    else:
        _show(done)
    if not yes:
        warn("nothing was removed: `ctui uninstall --yes` does it")
        return _NEEDS_CONSENT
    if len(done.parts) < len(plan.parts):
        return 1
    warn("the program itself goes with what installed it, such as `pipx uninstall ctui`")
    return 0


def _show(done: Uninstall) -> None:
    for part in done.parts:
        verb = "would remove" if done.dry_run else "removed"
        click.echo(f"{verb} {part.what} {part.name}")
    for stays in done.stays:
        hint = f" ({stays.hint})" if stays.hint else ""
        warn(f"stays: {stays.name}: {stays.reason}{hint}")
