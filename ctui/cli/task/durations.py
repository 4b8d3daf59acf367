"""Durations as a person writes them, and the options of a turn that nobody attends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from ctui.errors import InvalidInput

F = TypeVar("F", bound=Callable[..., Any])


class Duration(click.ParamType[int]):
    """Whole seconds: `90`, `90s`, `10m`, `1h30m`."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        from ctui.config.durations import parse_duration

        try:
            return parse_duration(str(value))
        except InvalidInput as error:
            self.fail(f"{error.message}; {error.hint}", param, ctx)


def unattended_options(function: F) -> F:
    """Add `--unattended` and `--timeout`."""
    function = click.option(
        "--timeout",
        type=Duration(),
        metavar="SECONDS|10m",
        help="Interrupt a turn that works longer; the exit code is 4.",
    )(function)
    return click.option(
        "--unattended",
        is_flag=True,
        help="Nobody answers: what is asked is denied, and the exit code is 3.",
    )(function)
