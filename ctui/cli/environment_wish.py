"""A command's words on a task's environment, and the question to a person at a terminal."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from ctui.cli.output import warn

if TYPE_CHECKING:
    from ctui.client.tasks.environments import EnvironmentWish


def wish_of(image: str, *, yes: bool, may_ask: bool = True, later: bool = False) -> EnvironmentWish:
    """Return what a command says of an environment; a person at a terminal is asked.

    With `later` the task asks in the inbox.
    """
    from ctui.client.tasks.environments import EnvironmentWish

    terminal = may_ask and sys.stdin.isatty() and sys.stderr.isatty()
    return EnvironmentWish(
        image=image, yes=yes, ask=_ask if terminal and not yes else None, progress=warn, later=later
    )


def _ask(text: str) -> bool:
    click.echo(text, err=True)
    return click.confirm("Build and run this?", err=True)
