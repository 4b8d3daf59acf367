"""Blocks of a transcript, which a person reads of a task.

Every string in a block is sanitised. Blocks are changed in place while their task goes on; `id`
names a block within its own transcript, and stays the same from its first delta to its end.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import msgspec

from ctui.text import sanitise


class LongText:
    """Text that grows at its end without being copied, and of which a part can be read."""

    __slots__ = ("_parts", "_size")

    def __init__(self, text: str = "") -> None:
        self._parts = [text] if text else []
        self._size = len(text)

    def append(self, text: str) -> None:
        self._parts.append(text)
        self._size += len(text)

    def head(self, size: int) -> str:
        """Return the first `size` characters."""
        found: list[str] = []
        for part in self._parts:
            if size <= 0:
                break
            found.append(part[:size])
            size -= len(part)
        return "".join(found)

    def tail(self, size: int) -> str:
        """Return the last `size` characters."""
        found: list[str] = []
        for part in reversed(self._parts):
            if size <= 0:
                break
            found.append(part[-size:])
            size -= len(part)
        return "".join(reversed(found))

    def __len__(self) -> int:
        """Return the number of characters, which costs nothing."""
        return self._size

    def __str__(self) -> str:
        if len(self._parts) > 1:
            self._parts = ["".join(self._parts)]
        return self._parts[0] if self._parts else ""

    def __eq__(self, other: object) -> bool:
        return str(self) == str(other) if isinstance(other, LongText | str) else NotImplemented

    __hash__ = None  # type: ignore[assignment] # it changes

    def __repr__(self) -> str:
        return f"LongText({self.head(60)!r}, {self._size} characters)"


class Block(msgspec.Struct, kw_only=True, eq=False):
    """Base of all blocks. Two are equal if they are the same one."""

    id: int = 0
    run: int
    time: int
    """Nanoseconds since the epoch: when the line that completed it was read."""
    parent: str = ""
    """The tool call whose subagent this belongs to; "" for the main conversation."""
    depth: int = 0
    """Number of subagents around it, which is how far it is indented."""


class Prompt(Block, kw_only=True, eq=False):
    """Message of the person."""

    uuid: str
    text: str
    delivered: bool = True
    """True once the CLI has taken it."""


class Speech(Block, kw_only=True, eq=False):
    """Words of the model, in Markdown."""

    text: LongText
    open: bool = False
    """True while more of it is coming."""
    error: str = ""
    """Failure that the CLI, and not the model, tells: `authentication_failed`, `rate_limit`, …"""


class Thought(Block, kw_only=True, eq=False):
    """Thought of the model."""

    text: LongText
    open: bool = False


class ToolState(StrEnum):
    """Progress of a tool call."""

    PREPARING = "preparing"
    """The model is still writing its input."""
    RUNNING = "running"
    """It runs, or waits for a permission."""
    OK = "ok"
    ERROR = "error"
    DENIED = "denied"
    STOPPED = "stopped"
    """The run ended before it did."""


class Hunk(msgspec.Struct, frozen=True):
    """A piece of a diff, as in the unified format."""

    old_start: int
    new_start: int
    lines: tuple[str, ...]
    """Each with its ` `, `-` or `+` in front."""


class ToolOutput(msgspec.Struct, frozen=True):
    """Output of a tool call. A command's text is in `stdout` and `stderr` only."""

    text: str = ""
    stdout: str = ""
    stderr: str = ""
    exit_code: int | None = None
    hunks: tuple[Hunk, ...] = ()


class ToolCall(Block, kw_only=True, eq=False):
    """A tool that the model used."""

    call_id: str
    name: str
    subject: str = ""
    """One line that says what it is used on."""
    given: Mapping[str, Any] = {}
    """Its input. The original, which an answer needs, is in the ask."""
    state: ToolState = ToolState.RUNNING
    output: ToolOutput | None = None
    growing: str = ""
    """The last lines that it has printed so far, while it runs and somebody looks."""
    finished: int | None = None
    """Nanoseconds since the epoch."""
    waited: int = 0
    """Nanoseconds of that time in which it waited for the person."""


class AskOutcome(StrEnum):
    """Outcome of something that was asked."""

    OPEN = "open"
    ALLOWED = "allowed"
    """Answered, approved, accepted."""
    DENIED = "denied"
    CANCELLED = "cancelled"
    """The CLI, or the person, took it back."""
    EXPIRED = "expired"
    """The run ended, or the tool was over, before an answer came."""


class AskRecord(Block, kw_only=True, eq=False):
    """Something that the task asked, and what became of it, as far as the CLI's lines tell."""

    request_id: str
    call_id: str = ""
    """The tool call that waits for the answer."""
    outcome: AskOutcome = AskOutcome.OPEN
    message: str = ""
    """The reason of a denial, or an answer in free words."""


class PermissionRecord(AskRecord, kw_only=True, eq=False):
    """Request to run a tool."""

    tool: str
    subject: str
    reason: str = ""
    granted: str = ""
    """Permissions that were given with it, for the rest of the session, in words."""


class QuestionItem(msgspec.Struct, frozen=True):
    """One question, with the answers to choose from."""

    text: str
    header: str = ""
    options: tuple[str, ...] = ()
    multiple: bool = False


class QuestionRecord(AskRecord, kw_only=True, eq=False):
    """Questions of the model, or of the task through `ask_user`."""

    questions: tuple[QuestionItem, ...]
    answers: Mapping[str, str] = {}
    """A question's text -> its answer."""


class PlanRecord(AskRecord, kw_only=True, eq=False):
    """A plan that waits for approval."""

    text: str


class FormRecord(AskRecord, kw_only=True, eq=False):
    """A form of an MCP server."""

    server: str
    text: str


class Notice(Block, kw_only=True, eq=False):
    """Something that happened on the way."""

    kind: str
    """`retry`, `compaction`, `mode`, `session`, `command`, `interrupted`, `context`, `denied`,
    `background`, `server`, `stderr`, or the kind of a driver's notice."""
    text: LongText
    urgent: bool = False


class TurnEnd(Block, kw_only=True, eq=False):
    """End of a turn."""

    ok: bool
    interrupted: bool = False
    """True if the person ended it, so that it is not `ok`, and no failure either."""
    text: str = ""
    """Description of what went wrong, unless the model's last words said the same."""
    cost_usd: float = 0
    """Of this turn."""
    duration_ms: int = 0
    turns: int = 0
    """Calls of the model in this turn."""
    denials: int = 0
    input_tokens: int = 0
    output_tokens: int = 0


class RunMark(Block, kw_only=True, eq=False):
    """Mark of a run's beginning or end, or of a line that was lost in between."""

    what: str
    """`started`, `exited`, `failed`, `ended`, or `dropped` for a torn line that was not passed."""
    text: str = ""
    code: int | None = None
    """The exit status, where one is known."""


_DEEPEST = 32


def sanitised(value: Any, deep: int = _DEEPEST) -> Any:
    """Return the same JSON value with every string sanitised; what lies too deep is cut off."""
    if isinstance(value, str):
        return sanitise(value)
    if isinstance(value, dict | list) and deep == 0:
        return "…"
    if isinstance(value, dict):
        return {sanitise(str(key)): sanitised(item, deep - 1) for key, item in value.items()}
    if isinstance(value, list):
        return [sanitised(item, deep - 1) for item in value]
    return value
