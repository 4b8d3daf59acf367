"""Durations in seconds, as people write them."""

from __future__ import annotations

import re

from ctui.errors import InvalidInput
from ctui.text import one_line

_LONGEST = 30 * 86_400
_UNITS = {"": 1, "s": 1, "m": 60, "h": 3_600, "d": 86_400}
_PART = re.compile(r"(\d{1,9})([smhd]?)", re.ASCII)


def parse_duration(text: str) -> int:
    """Return the whole seconds of a duration such as `90`, `90s`, `10m` or `1h30m`.

    Raises:
        InvalidInput: it is none, is nothing, or is longer than 30 days.
    """
    parts = _PART.findall(text)
    seconds = sum(int(number) * _UNITS[unit] for number, unit in parts)
    whole = "".join(number + unit for number, unit in parts) == text
    units = len(parts) == 1 or all(unit for _, unit in parts)
    if not whole or not units or not 0 < seconds <= _LONGEST:
        raise InvalidInput(
            f"{one_line(repr(text))} is no time", hint="write seconds, or such as 10m or 1h30m"
        )
    return seconds
