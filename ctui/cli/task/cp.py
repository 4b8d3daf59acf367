"""`ctui task cp`: files into a task's sandbox, and out of it."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from ctui.cli import context
from ctui.cli.output import warn

if TYPE_CHECKING:
    from ctui.paths import Paths

_REMOTE = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*):(.*)", re.DOTALL)


class _Remote(NamedTuple):
    task: str
    path: str


@click.command("cp")
@click.argument("source")
@click.argument("target")
def cp(source: str, target: str) -> None:
    """Copy files and folders into the sandbox of a task, or out of it.

    One of the two is TASK:PATH, with a path relative to the task's folder; a local name with a
    colon is written ./NAME. As by `cp -r`: into a folder where there is one, over files that are
    there, links as links. FOLDER/. stands for what is in the folder. What comes from a task is
    written where you said and nowhere else.
    """
    there, here = _remote(source), _remote(target)
    if (there is None) == (here is None):
        raise click.UsageError("One of the two must be TASK:PATH, and the other a path here.")
    asyncio.run(_copy(context.paths(), there or source, here or target))


def _remote(text: str) -> _Remote | None:
    found = _REMOTE.fullmatch(text)
    return _Remote(found[1], found[2] or ".") if found else None


async def _copy(paths: Paths, source: _Remote | str, target: _Remote | str) -> None:
    from ctui.client.access.shells import task_commands
    from ctui.client.access.task_copy import copy_from, copy_to

    if isinstance(source, _Remote):
        async with task_commands(paths, source.task) as commands:
            await copy_from(commands, source.path, Path(str(target)), _say)
    elif isinstance(target, _Remote):
        async with task_commands(paths, target.task) as commands:
            await copy_to(commands, Path(source), target.path, _say)


def _say(text: str) -> None:
    warn(f"* {text}")
