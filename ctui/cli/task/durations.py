"""Durations as a person writes them, and the options of a turn that nobody attends."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])

_LONGEST = 30 * 86_400
_UNITS = {"": 1, "s": 1, "m": 60, "h": 3_600, "d": 86_400}
_PART = re.compile(r"(\d{1,9})([smhd]?)")


class Duration(click.ParamType[int]):
    """Whole seconds: `90`, `90s`, `10m`, `1h30m`."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        parts = _PART.findall(value)
        seconds = sum(int(number) * _UNITS[unit] for number, unit in parts)
        whole = "".join(number + unit for number, unit in parts) == value
        if (
            not whole
            or (len(parts) > 1 and not all(unit for _, unit in parts))
            or not 0 < seconds <= _LONGEST
        ):
            self.fail(f"{value!r} is no time; write seconds, or such as 10m or 1h30m", param, ctx)
        return seconds


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
