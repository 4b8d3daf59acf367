"""Every command of ctui, as click knows it."""

from __future__ import annotations

from collections.abc import Iterator

import click

from ctui.cli.main import cli

_ALIASES = frozenset({"wt"})


def commands() -> Iterator[tuple[str, click.Command]]:
    """The path of each command (`worktree list`), with it; groups before what is in them."""
    yield from _below(cli, "")


def context_of(path: str) -> click.Context:
    """A context for a command, as if it had been called by its path."""
    context = click.Context(cli, info_name="ctui")
    for word in path.split():
        assert isinstance(context.command, click.Group)
        command = context.command.get_command(context, word)
        assert command is not None, path
        context = click.Context(command, info_name=word, parent=context)
    return context


def _below(group: click.Group, path: str) -> Iterator[tuple[str, click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if command is None or name in _ALIASES:
            continue
        yield f"{path}{name}", command
        if isinstance(command, click.Group):
            yield from _below(command, f"{path}{name} ")
