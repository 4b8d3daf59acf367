"""Events of the CLI's lines: one frozen struct for each kind that somebody acts on.

Nothing in an event is sanitised: whoever shows it to a person does that.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from ctui.claude.protocol.content import Content
from ctui.claude.protocol.fields import JsonObject
from ctui.text import one_line

Stream = Literal["out", "err", "ctui"]
"""The CLI's stdout, its stderr with the relay's lines, and the driver's own notices."""

_PARTIAL = b'{"type":"stream_event"'


def is_partial(line: bytes) -> bool:
    """Return True if a line is a part of a block that a later line repeats as a whole.

    A look at its beginning is enough, and on a large log all that one can afford.
    """
    return line.startswith(_PARTIAL)


class Event(msgspec.Struct, frozen=True):
    """Base of everything that a line can be."""


class Stray(Event, frozen=True):
    """A line that is no JSON object, or text on stderr. Not sanitised."""

    text: str


class Ignored(Event, frozen=True):
    """A JSON object that says nothing to us: keep-alives, and whatever newer versions add."""

    type: str
    subtype: str = ""


# -- system lines


class Init(Event, frozen=True):
    """The beginning of a turn. Another session id than before means that `/clear` was run."""

    session: str
    model: str
    permission_mode: str
    cwd: str
    version: str
    tools: tuple[str, ...]
    failed_servers: tuple[str, ...]
    """MCP servers that did not connect."""
    commands: tuple[str, ...] = ()
    """Slash commands without the slash, those of MCP servers included."""


class Status(Event, frozen=True):
    """Activity of the CLI between lines, or a change of its permission mode."""

    status: str
    """`requesting`, `compacting` or ""."""
    permission_mode: str
    compact_result: str
    """`success`, `failed` or ""."""
    compact_error: str


class ApiRetry(Event, frozen=True):
    """Failure of the API, which will be asked again."""

    attempt: int
    max_retries: int
    delay_ms: int
    status: int | None
    """The HTTP status; None where there was no answer."""
    error: str


class UsageLimit(Event, frozen=True):
    """State of a subscription's usage limit."""

    status: str
    """`rejected` where it is reached."""
    resets_at: int
    """Seconds since the epoch; 0 where that is not said."""


class PermissionDenied(Event, frozen=True):
    """Denial of a tool call by a rule, without anybody being asked."""

    tool: str
    tool_use_id: str
    message: str


class Compacted(Event, frozen=True):
    """Replacement of the conversation so far by a summary."""

    trigger: str
    before_tokens: int
    after_tokens: int


class SessionState(Event, frozen=True):
    """State of the session. `idle` is the only word that a turn is really over."""

    state: str
    """`running`, `requires_action` or `idle`."""


class BackgroundTask(Event, frozen=True):
    """A subagent or a background command of the CLI (not a task of ctui)."""

    phase: Literal["started", "updated", "ended"]
    id: str
    kind: str
    """`local_agent` or `local_bash`, said only when it starts."""
    tool_use_id: str
    description: str
    status: str
    summary: str


# -- the conversation


class CommandOutput(Event, frozen=True):
    """The last lines that a running command has printed; they replace those before."""

    call: str
    text: str


class AssistantMessage(Event, frozen=True):
    """One content block of the model's message: the CLI writes a line for each."""

    message_id: str
    parent: str
    """The tool call that runs the subagent who speaks; "" for the main conversation."""
    error: str
    """`authentication_failed`, `rate_limit`, `server_error` or ""."""
    blocks: tuple[Content, ...]


class UserMessage(Event, frozen=True):
    """Tool results, echoes of what the person said, or texts that the CLI put in."""

    uuid: str
    parent: str
    is_replay: bool
    blocks: tuple[Content, ...]
    tool_use_result: Any
    """The tool's result as data; its shape is the tool's own, and a string for an error."""


class Result(Event, frozen=True):
    """The end of a turn. An API failure has subtype `success` and `is_error` true."""

    subtype: str
    is_error: bool
    text: str
    errors: tuple[str, ...]
    api_status: int | None
    reason: str
    """`completed`, `aborted_streaming`, `aborted_tools`, …"""
    denials: int
    turns: int
    duration_ms: int
    total_cost_usd: float
    """Over the life of the process, not of the turn."""
    input_tokens: int
    output_tokens: int

    @property
    def interrupted(self) -> bool:
        """Return True if the person ended the turn; the CLI calls that an error."""
        return self.reason.startswith("aborted")


# -- parts of blocks


class Part(Event, frozen=True):
    """Base of what an archive leaves out, because a later line says it again."""


class MessageStarted(Part, frozen=True):
    """Beginning of a message; if it is a retry, the parts before it will never be completed."""

    message_id: str
    parent: str


class BlockStarted(Part, frozen=True):
    """Beginning of a content block, mostly empty."""

    parent: str
    index: int
    block: Content


class BlockDelta(Part, frozen=True):
    """More of an open block: its text, its thinking or the JSON of its input."""

    parent: str
    index: int
    text: str


class PartIgnored(Part, frozen=True):
    """A part that changes nothing that is shown."""


# -- requests and answers


class PermissionRequest(Event, frozen=True):
    """Request to run a tool (`can_use_tool`); also how AskUserQuestion and ExitPlanMode ask."""

    request_id: str
    tool: str
    tool_use_id: str
    given: JsonObject
    suggestions: tuple[JsonObject, ...]
    reason: str
    blocked_path: str
    description: str
    agent: str = ""
    """The id of the subagent whose call it is; "" for the main conversation."""


class McpMessage(Event, frozen=True):
    """A JSON-RPC message for one of our tool servers."""

    request_id: str
    server: str
    message: JsonObject


class Elicitation(Event, frozen=True):
    """Request of one of the task's MCP servers to fill in a form."""

    request_id: str
    server: str
    message: str
    schema: JsonObject


class HookCallback(Event, frozen=True):
    """Run of a hook; we register none."""

    request_id: str


class OtherRequest(Event, frozen=True):
    """Any other request: one that no kind of ask takes must be refused, or the CLI waits."""

    request_id: str
    subtype: str
    given: JsonObject = {}
    """All its members, `subtype` among them."""


class RequestCancelled(Event, frozen=True):
    """Withdrawal of a request by the CLI; a late answer is ignored."""

    request_id: str


class Response(Event, frozen=True):
    """The CLI's answer to a request of ours, or the echo of our answer to one of its own."""

    request_id: str
    error: str
    """"" where it succeeded."""
    response: JsonObject
    pending: tuple[PermissionRequest, ...] = ()
    """Requests that the CLI still waits for; only with the answer to `initialize`."""


# -- not from the CLI


class RelayLine(Event, frozen=True):
    """A line of the relay's own. Believed only on stderr, and even there not trusted."""

    what: str
    """`started`, `set_aside`, `home`, `dropped`, `lost`, `exposed`, `start_failed`, `failed` or
    `exited`."""
    code: int | None = None
    size: int = 0
    """Bytes of the line that was dropped, or of the home folder."""
    files: int = 0
    """Number of files in the home folder."""
    reason: str = ""
    paths: tuple[str, ...] = ()
    """Guarded files of the home folder that were set aside."""

    @property
    def start_failure(self) -> str:
        """Return what a person is told of a command of the start that failed; else ""."""
        if self.what != "start_failed":
            return ""
        code = "" if self.code is None else f" (exit code {self.code})"
        return f"a command of the start failed{code}: {one_line(self.reason)}"


class DriverNotice(Event, frozen=True):
    """A line that the driver added to the journal."""

    kind: str
    text: str
    urgent: bool = False
