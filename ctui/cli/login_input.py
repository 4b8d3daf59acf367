"""Logins as a person gives them: a token that is read, and a name that is completed."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ctui.cli import context
from ctui.cli.output import read_stdin
from ctui.errors import CtuiError, NotFound, Unavailable

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

_TOKEN_LIMIT = 1 << 16


def complete_login(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the logins whose names begin so."""
    from click.shell_completion import CompletionItem

    from ctui.claude.login.named import named_logins

    try:
        known = named_logins(context.paths())
    except CtuiError:
        return []
    return [CompletionItem(name) for name in known if name.startswith(incomplete)]


def given_token(token_file: str | None) -> str:
    """Return what the person gives for a login; "" for nothing."""
    if token_file == "-":  # noqa: S105 - a name, no secret
        text = read_stdin().strip()
        if not text:
            raise Unavailable("there is no token on stdin", hint="ctui setup --token-file - < FILE")
        return text
    if token_file is not None:
        return _read(Path(token_file))
    if not sys.stdin.isatty():
        return sys.stdin.readline(_TOKEN_LIMIT).strip()
    asked = "Token or API key (nothing keeps the login that there is)"
    return str(click.prompt(asked, default="", show_default=False, hide_input=True, err=True))


def _read(file: Path) -> str:
    from ctui.small_file import read_small_file

    try:
        return read_small_file(file, _TOKEN_LIMIT).decode("ascii", "replace").strip()
    except FileNotFoundError as error:
        raise NotFound(f"there is no file {file}", hint="name the file with the token") from error
    except OSError as error:
        raise Unavailable(f"{file} cannot be read: {error.strerror}") from error
