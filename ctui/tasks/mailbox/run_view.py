"""What the lines of a run have said so far: a pure fold, the same when a journal is read again.

It is kept in memory only. The driver that takes over a run reads the run's journal from its start
and has the same view; what a line changes in the store is not here, since that happens once.
"""

from __future__ import annotations

import copy
from typing import TypeGuard

import msgspec

from ctui.claude import control
from ctui.claude.api_failure import is_login_rejected
from ctui.claude.content import ToolResult, ToolUse
from ctui.claude.events import (
    AssistantMessage,
    BackgroundTask,
    Elicitation,
    Event,
    HookCallback,
    Init,
    McpMessage,
    OtherRequest,
    PermissionRequest,
    RelayLine,
    RequestCancelled,
    Response,
    Result,
    SessionState,
    Stray,
    UserMessage,
)
from ctui.sandbox.runner import NOTHING, Seen
from ctui.tasks.model import BackgroundCommand
from ctui.text import one_line

_ERROR_LINES = 20
_OPEN_LIMIT = 1000
"""Open calls and requests that are remembered; the CLI never has so many."""
_COMMAND_WIDTH = 200

Request = PermissionRequest | Elicitation | McpMessage | HookCallback | OtherRequest


def is_request(event: Event) -> TypeGuard[Request]:
    """Return True for what the CLI waits for an answer to."""
    return isinstance(event, Request)


class RunView(msgspec.Struct):
    """What is known of one run from its lines."""

    seen: Seen = NOTHING
    relay_started: bool = False
    initialised: bool = False
    """The CLI has answered `initialize`."""
    commands: frozenset[str] = frozenset()
    """The CLI's own commands, without their slash."""
    session: str = ""
    """The first session id that the run told."""
    state: str = ""
    """The CLI's own word: `running`, `requires_action`, `idle`; "" before it said any."""
    turn_began: int = 0
    """When the turn that is under way began; 0 between two."""
    login_rejected: bool = False
    stderr: tuple[str, ...] = ()
    """The last lines of the CLI's stderr, sanitised."""
    tools: dict[str, str] = msgspec.field(default_factory=dict)
    """Open tool calls by their ids -> the tool's name."""
    requests: dict[str, Request] = msgspec.field(default_factory=dict)
    """Requests of the CLI that have no answer yet, by their ids."""
    background: dict[str, BackgroundCommand] = msgspec.field(default_factory=dict)

    def clone(self) -> RunView:
        """Return a copy that can change apart."""
        other = copy.copy(self)
        other.tools = dict(self.tools)
        other.requests = dict(self.requests)
        other.background = dict(self.background)
        return other

    def take(self, event: Event, time: int) -> None:
        """Add what an event says; `time` is its line's."""
        match event:
            case RelayLine() | Stray():
                self._stderr(event)
            case Init():
                self.session = self.session or event.session
                self.commands |= frozenset(event.commands)
            case SessionState():
                self._moved(event.state, time)
            case AssistantMessage():
                self._opened(event)
            case UserMessage():
                self._closed(event)
            case Result():
                self._turn_over(event)
            case BackgroundTask():
                self._background(event, time)
            case RequestCancelled():
                self.requests.pop(event.request_id, None)
            case Response():
                self._answered(event)
            case _:
                self._requested(event)

    def _moved(self, state: str, time: int) -> None:
        self.state = state
        if state == "idle":
            self.turn_began = 0
        elif state == "running" and not self.turn_began:
            self.turn_began = time

    def _stderr(self, line: RelayLine | Stray) -> None:
        if isinstance(line, RelayLine) and line.what == "started":
            self.relay_started = True
        if isinstance(line, Stray) or line.what == "failed":
            said = line.text if isinstance(line, Stray) else line.reason
            self.stderr = (*self.stderr[-_ERROR_LINES:], one_line(said, 400))

    def _opened(self, message: AssistantMessage) -> None:
        if message.error == "authentication_failed":
            self.login_rejected = True
        for block in message.blocks:
            if isinstance(block, ToolUse) and len(self.tools) < _OPEN_LIMIT:
                self.tools[block.id] = block.name

    def _closed(self, message: UserMessage) -> None:
        for block in message.blocks:
            if isinstance(block, ToolResult):
                self.tools.pop(block.tool_use_id, None)

    def _turn_over(self, result: Result) -> None:
        if not result.is_error:
            self.login_rejected = False
        elif result.api_status is not None:
            self.login_rejected = is_login_rejected(result.api_status, result.text)
        # What an interrupted turn left open is never answered; subagents in the background go on.
        self.tools = {} if not self.background else self.tools

    def _answered(self, response: Response) -> None:
        self.requests.pop(response.request_id, None)
        if not self.initialised and "commands" in response.response:
            self.initialised = True
            self.commands |= control.commands_of(response.response)

    def _requested(self, event: Event) -> None:
        if is_request(event) and event.request_id and len(self.requests) < _OPEN_LIMIT:
            self.requests[event.request_id] = event

    def _background(self, event: BackgroundTask, time: int) -> None:
        if event.phase == "started" and len(self.background) < _OPEN_LIMIT:
            command = one_line(event.description or event.kind, _COMMAND_WIDTH)
            self.background[event.id] = BackgroundCommand(
                id=one_line(event.id, 80), command=command, since=time
            )
        elif event.phase == "ended" or event.status in {"completed", "failed", "killed", "stopped"}:
            self.background.pop(event.id, None)
