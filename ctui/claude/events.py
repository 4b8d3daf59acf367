"""The CLI's lines, decoded."""

from __future__ import annotations

_PARTIAL = b'{"type":"stream_event"'


def is_partial(line: bytes) -> bool:
    """Whether a line is a part of a block that a later line repeats as a whole."""
    return line.startswith(_PARTIAL)
