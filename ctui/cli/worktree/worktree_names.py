"""Worktrees as arguments: by name, branch or path, completed by the shell."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.shell_completion import CompletionItem

from ctui.cli import context
from ctui.errors import CtuiError

if TYPE_CHECKING:
    from ctui.git.repository.repository import Repository
    from ctui.worktrees.known import KnownWorktree

F = TypeVar("F", bound=Callable[..., Any])


def known(repository: Repository) -> list[KnownWorktree]:
    """Return all worktrees of a repository."""
    from ctui.client.worktrees.worktrees import records
    from ctui.worktrees.known import known_worktrees

    return known_worktrees(repository, records(context.paths(), repository))


def named(repository: Repository, name: str) -> KnownWorktree:
    """Return the worktree that a person means, also by a request (`pr:7`).

    Raises:
        NotFound, Conflict: there is none, or there are several.
        CtuiError: the request could not be asked for.
    """
    from ctui.client.worktrees.worktrees import REQUESTS, meant_by
    from ctui.worktrees.known import find_worktree

    if name[:3].lower() in REQUESTS:
        # Some callers are in a loop already.
        with ThreadPoolExecutor(1) as thread:
            name = thread.submit(asyncio.run, meant_by(repository, name)).result()
    return find_worktree(known(repository), name)


def _complete(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    try:
        worktrees = known(context.repository(ctx.params.get("repo") or "."))
    except CtuiError:
        return []
    return [
        CompletionItem(worktree.name, help=worktree.branch or "")
        for worktree in worktrees
        if worktree.name.startswith(incomplete)
    ]


def _complete_trash(
    ctx: click.Context, _: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    from ctui.worktrees.trash.entries import records

    try:
        entries = records(context.repository(ctx.params.get("repo") or "."))
    except CtuiError:
        return []
    return [
        CompletionItem(record.entry.id, help=record.entry.name)
        for record in entries
        if record.entry.id.startswith(incomplete)
    ]


def worktree_argument(function: F) -> F:
    """Add the argument NAME of one worktree."""
    return click.argument("name", shell_complete=_complete)(function)


def worktree_arguments(function: F) -> F:
    """Add the arguments NAME… of one or more worktrees."""
    return click.argument(
        "names", nargs=-1, required=True, metavar="NAME…", shell_complete=_complete
    )(function)


def trash_arguments(function: F) -> F:
    """Add the arguments ID… of entries of the trash; a worktree's name will do."""
    return click.argument("ids", nargs=-1, metavar="[ID…]", shell_complete=_complete_trash)(
        function
    )
