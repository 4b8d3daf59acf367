"""Commands of a run that the CLI says still run, with the calls that they belong to."""

from __future__ import annotations

import re

import msgspec

_SYSTEM = b'{"type":"system","subtype":"task_'
_USER = b'{"type":"user"'
_HEAD = 1024
"""Bytes of a line in which the call stands whose result it is."""
_LONGEST = 1 << 16
_MOST = 32
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


class _Line(msgspec.Struct):
    subtype: str = ""
    task_id: str = ""
    task_type: str = ""
    tool_use_id: str = ""


def note_commands(running: dict[str, str], line: bytes) -> bool:
    """Take a line of the CLI into account; return True if something has changed.

    Args:
        running: the CLI's id of a command -> id of its call.
        line: whole.
    """
    if line.startswith(_USER) and running:
        head = line[:_HEAD]
        over = [name for name, call in running.items() if f'"{call}"'.encode() in head]
        for name in over:
            del running[name]
        return bool(over)
    if not line.startswith(_SYSTEM) or len(line) > _LONGEST:
        return False
    try:
        said = msgspec.json.decode(line, type=_Line)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False
    if said.subtype == "task_notification":
        return running.pop(said.task_id, None) is not None
    known = said.subtype == "task_started" and said.task_type == "local_bash"
    if not known or not (_ID.fullmatch(said.task_id) and _ID.fullmatch(said.tool_use_id)):
        return False
    if len(running) >= _MOST:
        return False
    running[said.task_id] = said.tool_use_id
    return True
