"""Sizes in bytes, as people write them."""

from __future__ import annotations

import re
from functools import cache

from ctui.errors import InvalidInput
from ctui.text import one_line

_SIZE = re.compile(r"(\d{1,15}(?:\.\d{1,15})?)\s*([kmgt]?)(?:i?b)?", re.IGNORECASE | re.ASCII)
_UNITS = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}


@cache
def parse_size(text: str) -> int:
    """Return the bytes of a size such as `512m`, `4g` or `2GiB`, in powers of 1024."""
    match = _SIZE.fullmatch(text.strip())
    if match is None:
        raise InvalidInput(f"{one_line(repr(text))} is not a size", hint="write it like 512m or 4g")
    return int(float(match.group(1)) * _UNITS[match.group(2).lower()])
