"""Options that bring files that are not committed into a new worktree."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from ctui.text import sanitise

if TYPE_CHECKING:
    from ctui.client.tasks.bringing import Ask, Include


def bringing_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options to a command that makes a worktree."""
    for option in (
        click.option(
            "--yes",
            is_flag=True,
            help="Consent to what the repository brings: environment, .worktreeinclude.",
        ),
        click.option(
            "--with-changes",
            is_flag=True,
            help="Bring the checkout's uncommitted work: staged, unstaged, and new files.",
        ),
        click.option(
            "--include",
            multiple=True,
            metavar="PATTERN",
            help="Copy ignored files of the checkout that match, as in .gitignore, such as .env; "
            "may be repeated.",
        ),
    ):
        command = option(command)
    return command


def include_of(options: dict[str, Any]) -> Include:
    """Return what the options say."""
    from ctui.client.tasks.bringing import Include

    return Include(options["include"], yes=options["yes"], changes=options["with_changes"])


def ask_of(*, may_ask: bool) -> Ask | None:
    """Return the question to the person, or None where nobody is at a terminal."""
    if not (may_ask and sys.stdin.isatty() and sys.stderr.isatty()):
        return None
    return lambda text: click.confirm(sanitise(text), default=False, err=True)
