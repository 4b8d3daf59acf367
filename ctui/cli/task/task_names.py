"""Tasks as arguments: by id, completed by the shell from the store alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ctui.cli import context
from ctui.errors import CtuiError

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

F = TypeVar("F", bound=Callable[..., Any])


def complete_task(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the tasks whose ids begin so."""
    from click.shell_completion import CompletionItem

    try:
        tasks = context.store().tasks.list()
    except CtuiError:
        return []
    return [
        CompletionItem(task.id, help=str(task.state))
        for task in tasks
        if task.id.startswith(incomplete)
    ]


def task_argument(function: F) -> F:
    """Add the argument TASK: a task's id."""
    return click.argument("task_id", metavar="TASK", shell_complete=complete_task)(function)
