"""Hooks of the person, as a task's managed settings have them."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import msgspec

from ctui.errors import InvalidInput
from ctui.text import one_line

Event = Literal[
    "PreToolUse",
    "PostToolUse",
    "PostToolUseFailure",
    "PostToolBatch",
    "Notification",
    "UserPromptSubmit",
    "UserPromptExpansion",
    "SessionStart",
    "SessionEnd",
    "Stop",
    "StopFailure",
    "SubagentStart",
    "SubagentStop",
    "PreCompact",
    "PostCompact",
    "PermissionRequest",
    "PermissionDenied",
    "TaskCreated",
    "TaskCompleted",
]
"""Events of the CLI that a task has; what it does not know, it would leave out with all others."""


class Hook(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """A command that the CLI runs, in the sandbox."""

    command: str
    type: Literal["command"]
    timeout: float | None = None
    """Seconds."""
    status_message: str | None = None
    async_: bool | None = msgspec.field(default=None, name="async")
    shell: Literal["bash"] | None = None


class Matched(msgspec.Struct, frozen=True, omit_defaults=True):
    """Hooks of what an expression matches: a tool's name, or how a session begins."""

    hooks: list[Hook]
    matcher: str | None = None


class _File(msgspec.Struct, frozen=True):
    """A file of settings; what else it says is the CLI's own business on the person's machine."""

    hooks: dict[Event, list[Matched]]


Hooks = dict[str, list[dict[str, Any]]]
"""Event -> hooks, as the CLI's settings say them."""


def read_hooks(source: str, text: bytes, folders: Mapping[str, str]) -> Hooks:
    """Return the hooks of a file of settings, with the sandbox's paths in their commands.

    Args:
        source: the file, as it is named in messages.
        text: its content.
        folders: path of a folder of this machine -> its path in the sandbox.

    Raises:
        InvalidInput: it has no hooks, or some that the CLI would not take.
    """
    try:
        found = msgspec.json.decode(text, type=_File, strict=True).hooks
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidInput(
            f"claude.hooks: {source}: {one_line(str(error), 200)}",
            hint='it is JSON such as {"hooks": {"SessionStart": [{"hooks": '
            '[{"type": "command", "command": "…"}]}]}}',
        ) from error
    hooks: Hooks = msgspec.to_builtins(found)
    for hook in _each(hooks):
        for outside, inside in folders.items():
            for form in _forms(outside):
                hook["command"] = hook["command"].replace(f"{form}/", f"{inside}/")
    return hooks


def merged(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, Any]:
    """Return the hooks of both, those of `first` before those of `second`."""
    return {event: [*first.get(event, ()), *second.get(event, ())] for event in {**first, **second}}


def outside_paths(hooks: Hooks) -> Iterator[str]:
    """Yield commands that name a file of the person's home, which no sandbox has."""
    for hook in _each(hooks):
        if any(f"{form}/" in hook["command"] for form in _forms(str(Path.home()))):
            yield hook["command"]


def _each(hooks: Hooks) -> Iterator[dict[str, Any]]:
    for matched in hooks.values():
        for one in matched:
            yield from one["hooks"]


def _forms(folder: str) -> list[str]:
    """Return a path as a command may write it."""
    home = str(Path.home())
    forms = [folder]
    if folder == home or folder.startswith(f"{home}/"):
        below = posixpath.relpath(folder, home)
        tail = "" if below == "." else f"/{below}"
        forms += [f"{start}{tail}" for start in ("~", "$HOME", "${HOME}")]
    return forms
