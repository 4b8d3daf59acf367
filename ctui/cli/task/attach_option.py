"""The option that gives files with a message: `--attach`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click


def attach_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the option to a command."""
    return click.option(
        "--attach",
        multiple=True,
        metavar="PATH",
        type=click.Path(),
        help="Give it this image, PDF, other file or folder, copied read-only; may be repeated.",
    )(command)
