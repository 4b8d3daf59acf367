"""Options that give a task variables: `--env`, `--env-file`, `--secret`."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ctui.errors import CtuiError

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

_FILE_LIMIT = 1 << 20


def variable_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options to a command."""
    for option in (
        click.option(
            "--secret",
            "secrets",
            multiple=True,
            metavar="NAME",
            shell_complete=_complete,
            help="Give the task this secret as a variable; may be repeated (`ctui secret set`).",
        ),
        click.option(
            "--env-file",
            "env_files",
            multiple=True,
            metavar="FILE",
            help="Give the task the variables of this file, in docker's format; may be repeated.",
        ),
        click.option(
            "--env",
            "env",
            multiple=True,
            metavar="NAME=VALUE",
            callback=lambda _context, _option, value: _checked(value),
            help="Give the task a variable; NAME alone takes its value here; may be repeated.",
        ),
    ):
        command = option(command)
    return command


def _complete(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    from click.shell_completion import CompletionItem

    from ctui.cli import context
    from ctui.tasks.secrets.registry import all_secrets

    try:
        known = all_secrets(context.paths())
    except CtuiError:
        return []
    return [CompletionItem(name) for name in known if name.startswith(incomplete)]


def _checked(given: tuple[str, ...]) -> tuple[str, ...]:
    from ctui.config.variables import person_variables

    try:
        person_variables(given, (), (), os.environ)
    except CtuiError as error:
        raise click.BadParameter(error.one_line()) from error
    return given


def env_file_texts(names: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """Return names and texts of files of variables; what is wrong with one is wrong usage."""
    from ctui.config.variables import person_variables

    try:
        found = tuple((name, _text(name)) for name in names)
        person_variables((), found, (), os.environ)
    except CtuiError as error:
        raise click.BadParameter(error.one_line()) from error
    return found


def _text(name: str) -> str:
    """Return what is in the file, which may be a pipe: `--env-file <(sops -d .env)`."""
    try:
        with Path(name).expanduser().open("rb") as file:
            data = file.read(_FILE_LIMIT + 1)
        if len(data) > _FILE_LIMIT:
            raise click.BadParameter(f"{name} is larger than 1 MiB")
        return data.decode()
    except OSError as error:
        raise click.BadParameter(f"{name} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise click.BadParameter(f"{name} is not UTF-8") from error
