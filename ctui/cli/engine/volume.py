"""`ctui volume`: the homes of tasks, and what their environments give them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import click

from ctui.cli import context
from ctui.cli.output import json_option, print_json, print_table, warn
from ctui.humanize import age, size_text

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from ctui.sandbox.docker.volumes import Volume

_NOTHING = "nothing to make: each task gets a home of its own with its first run"
_OLD = "npm-cache and node-cache are of an older ctui, and nothing uses them: `ctui clean`"
_SHARED = (
    "Tasks share what has no task: what one writes there, the others read. "
    "sandbox.shared_folder = false keeps them apart."
)


@click.group("volume")
def command() -> None:
    """List and remove the volumes of tasks: their homes, and those of their environments."""


def _complete(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    from click.shell_completion import CompletionItem

    from ctui.client.cleaning.volumes import list_volumes
    from ctui.errors import CtuiError

    try:
        volumes = asyncio.run(list_volumes(context.paths()))
    except CtuiError:
        return []
    return [
        CompletionItem(volume.name, help=volume.task or volume.kind)
        for volume in volumes
        if volume.name.startswith(incomplete)
    ]


@command.command("init")
@json_option
def init(*, as_json: bool) -> None:
    """Say that there is nothing to make: a task's home comes with its first run.

    It begins with what the set-up of its environment left in HOME, package caches too.
    """
    if as_json:
        print_json(list[object]())
    else:
        click.echo(_NOTHING)


@command.command("list")
@json_option
def list_(*, as_json: bool) -> None:
    """List the volumes of this ctui, with the task that each belongs to.

    Volumes of other programs, users and CTUI_HOMEs are never listed.
    """
    from ctui.client.cleaning.volumes import list_volumes

    found = asyncio.run(list_volumes(context.paths()))
    if as_json:
        print_json(found)
    else:
        header = ["VOLUME", "KIND", "TASK", "SIZE", "IN USE", "AGE"]
        print_table(header, [_row(one) for one in found], empty="no volumes: tasks make theirs")
        if any(one.kind == "shared" for one in found):
            warn(_SHARED)
        if any(one.kind in {"npm-cache", "node-cache"} for one in found):
            warn(_OLD)


@command.command("clean")
@click.argument("names", nargs=-1, metavar="[NAME]…", shell_complete=_complete)
@click.option(
    "--force",
    is_flag=True,
    help="Also homes of tasks that could be resumed; tasks that use one are stopped.",
)
@click.option("--dry-run", is_flag=True, help="Say what would be done, do nothing.")
@json_option
def clean(names: tuple[str, ...], *, force: bool, dry_run: bool, as_json: bool) -> int:
    """Remove volumes that nobody needs any more: those named, or all.

    One that a sandbox uses, or whose task could be resumed, stays. Without NAME that is no error.
    """
    from ctui.client.cleaning.volumes import clean_volumes

    done = asyncio.run(clean_volumes(context.paths(), names or None, force=force, dry_run=dry_run))
    if as_json:
        print_json(done)
    else:
        for volume in done.removed:
            size = f" ({size_text(volume.size)})" if volume.size is not None else ""
            click.echo(f"{'would remove' if dry_run else 'removed'} {volume.name}{size}")
        for kept in done.refused:
            warn(f"kept {kept.name}: {kept.reason} ({kept.hint})")
        if not (done.removed or done.refused):
            click.echo("nothing to remove")
    return 1 if names and done.refused else 0


def _row(volume: Volume) -> list[str]:
    return [
        volume.name,
        volume.kind,
        volume.task or "(shared)",
        size_text(volume.size),
        "yes" if volume.in_use else "",
        age(volume.created),
    ]
