"""View of a run, made from its lines: a pure fold, the same when a journal is read again.

It is kept in memory only. The driver that takes over a run reads the run's journal from its start
and has the same view; what a line changes in the store is not here, since that happens once.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import TypeGuard

import msgspec

from ctui.claude.protocol import control
from ctui.claude.protocol.api_failure import is_login_rejected
from ctui.claude.protocol.content import ToolResult, ToolUse
from ctui.claude.protocol.events import (
    AssistantMessage,
    BackgroundTask,
    Event,
    HookCallback,
    Init,
    McpMessage,
    PermissionRequest,
    RelayLine,
    RequestCancelled,
    Response,
    Result,
    SessionState,
    Stray,
    UsageLimit,
    UserMessage,
)
from ctui.claude.protocol.todos import Todo, TodoChange, apply_change, change_of
from ctui.claude.transcript.tools import tool_title
from ctui.sandbox.runner import NOTHING, LogLine, Seen
from ctui.tasks.asks import AskEvent
from ctui.tasks.model import BackgroundCommand
from ctui.text import one_line

_ERROR_LINES = 20
_OPEN_LIMIT = 1000
"""Open calls and requests that are remembered; the CLI never has so many."""
_REQUEST_BYTES = control.MAX_LINE + control.MARGIN
"""Bytes of the lines of all open requests that are remembered: a large one, or many."""
_COMMAND_LIMIT = 5000
"""Names of commands that are remembered."""
_ID_LIMIT = 200
"""Characters in an id or a name; the CLI's are far shorter."""
_COMMAND_WIDTH = 200
_TODO_CALLS = 50
"""Open calls that change the to-do list; each may hold a whole one."""

Request = AskEvent | McpMessage | HookCallback


def is_request(event: Event) -> TypeGuard[Request]:
    """Return True for what the CLI waits for an answer to."""
    return isinstance(event, Request)


def is_plain_id(text: str) -> bool:
    """Return True for what can be an id of the CLI's: neither empty nor too long to keep."""
    return 0 < len(text) <= _ID_LIMIT


class RunView(msgspec.Struct):
    """Facts about one run, known from its lines."""

    seen: Seen = NOTHING
    log_bytes: int = 0
    """Bytes of all these lines, also of those that no archive keeps."""
    relay_started: bool = False
    initialised: bool = False
    """True if the CLI has answered `initialize`."""
    commands: frozenset[str] = frozenset()
    """The CLI's own commands, without their slash."""
    session: str = ""
    """The first session id that the run told."""
    state: str = ""
    """The CLI's own word: `running`, `requires_action`, `idle`; "" before it said any."""
    turn_began: int = 0
    """Begin of the turn that is under way, in nanoseconds since the epoch; 0 between two turns."""
    turn_line: int | None = None
    """Lines of stdout up to the one that began the turn under way; None where none did."""
    last_turn_line: int | None = None
    """The same of the turn whose result came last."""
    passed_over: bool = False
    """True if the CLI echoed a message outside of a turn, and has begun none since: its session has
    that id from a run that was cut off, and it does nothing about it (measured with 2.1.197)."""
    login_rejected: bool = False
    limit_reset: int = 0
    """Reset of the usage limit met last, in seconds since the epoch; 0 for none."""
    home_bytes: int = 0
    home_files: int = 0
    stderr: tuple[str, ...] = ()
    """The last lines of the CLI's stderr, sanitised."""
    tools: dict[str, str] = msgspec.field(default_factory=dict)
    """Open tool calls by their ids -> the tool's name."""
    titles: dict[str, tuple[str, int]] = msgspec.field(default_factory=dict)
    """Open tool calls by their ids -> what they do, in a line, and their beginning."""
    todos: tuple[Todo, ...] = ()
    """The task's to-do list; a run goes on with that of the one before."""
    todo_calls: dict[str, TodoChange] = msgspec.field(default_factory=dict)
    """Open calls that are to change it, by their ids."""
    asked: dict[str, str] = msgspec.field(default_factory=dict)
    """Open tool calls whose permission was asked, by their ids -> the request's id."""
    requests: dict[str, Request] = msgspec.field(default_factory=dict)
    """Requests that have no answer yet, by their ids; of a live run there are none."""
    request_sizes: dict[str, int] = msgspec.field(default_factory=dict)
    """Bytes of their lines."""
    background: dict[str, BackgroundCommand] = msgspec.field(default_factory=dict)

    def clone(self) -> RunView:
        """Return a copy that can change apart."""
        other = copy.copy(self)
        other.tools = dict(self.tools)
        other.titles = dict(self.titles)
        other.todo_calls = dict(self.todo_calls)
        other.asked = dict(self.asked)
        other.requests = dict(self.requests)
        other.request_sizes = dict(self.request_sizes)
        other.background = dict(self.background)
        return other

    def count(self, line: LogLine) -> None:
        """Note that there is this line."""
        self.seen = self.seen.plus(line)
        self.log_bytes += len(line.data)

    def take(self, event: Event, time: int, size: int) -> None:
        """Add what an event says; `time` and `size`, in bytes, are its line's."""
        match event:
            case RelayLine() | Stray():
                self._stderr(event)
            case Init():
                self.session = self.session or event.session[:_ID_LIMIT]
                self._know_commands(event.commands)
            case SessionState() | UsageLimit():
                self._stands(event, time)
            case AssistantMessage():
                self._opened(event, time)
            case UserMessage():
                self.passed_over |= event.is_replay and self.state in {"", "idle"}
                self._closed(event)
            case Result():
                self._turn_over(event)
            case BackgroundTask():
                self._background(event, time)
            case RequestCancelled():
                self._withdrawn(event.request_id)
            case Response():
                self._answered(event)
            case _:
                self._requested(event, size)

    def forget_request(self, request_id: str) -> None:
        """Remember a request no more: it has its answer, or is not made any more."""
        self.requests.pop(request_id, None)
        self.request_sizes.pop(request_id, None)

    def _stands(self, event: SessionState | UsageLimit, time: int) -> None:
        if isinstance(event, UsageLimit):
            self.limit_reset = event.resets_at if event.status == "rejected" else 0
            return
        self.state = event.state[:_ID_LIMIT]
        if self.state == "idle":
            self.turn_began, self.turn_line = 0, None
        elif self.state == "running":
            self.passed_over = False
            self.turn_began = self.turn_began or time
            self.turn_line = self.seen.out if self.turn_line is None else self.turn_line

    def _stderr(self, line: RelayLine | Stray) -> None:
        if isinstance(line, RelayLine) and line.what == "started":
            self.relay_started = True
        if isinstance(line, RelayLine) and line.what == "home":
            self.home_bytes, self.home_files = line.size, line.files
        if isinstance(line, Stray) or line.what == "failed":
            said = line.text if isinstance(line, Stray) else line.reason
            self.stderr = (*self.stderr[-_ERROR_LINES:], one_line(said, 400))

    @property
    def call(self) -> tuple[str, int]:
        """Return the newest of the calls that run, and its beginning; ("", 0) if none does."""
        return self.titles[next(reversed(self.titles))] if self.titles else ("", 0)

    def _opened(self, message: AssistantMessage, time: int) -> None:
        if message.error == "authentication_failed":
            self.login_rejected = True
        for block in message.blocks:
            if isinstance(block, ToolUse) and self._fits(self.tools, block.id):
                self.tools[block.id] = block.name[:_ID_LIMIT]
                if (change := change_of(block.name, block.given)) is None:
                    title = tool_title(block.name, block.given, _COMMAND_WIDTH, ascii_only=True)
                    self.titles[block.id] = (title, time)
                elif not message.parent and len(self.todo_calls) < _TODO_CALLS:
                    self.todo_calls[block.id] = change

    def _closed(self, message: UserMessage) -> None:
        for block in message.blocks:
            if isinstance(block, ToolResult):
                self.tools.pop(block.tool_use_id, None)
                self.titles.pop(block.tool_use_id, None)
                self.asked.pop(block.tool_use_id, None)
                change = self.todo_calls.pop(block.tool_use_id, None)
                if change is not None and not block.is_error:
                    self.todos = apply_change(self.todos, change, message.tool_use_result)

    def _turn_over(self, result: Result) -> None:
        self.last_turn_line, self.turn_line = self.turn_line, None
        if not result.is_error:
            self.login_rejected = False
        elif result.api_status is not None:
            self.login_rejected = is_login_rejected(result.api_status, result.text)
        # What an interrupted turn left open is never answered; subagents in the background go on.
        if not self.background:
            self.tools, self.asked, self.titles, self.todo_calls = {}, {}, {}, {}

    def _answered(self, response: Response) -> None:
        self.forget_request(response.request_id)
        if not self.initialised and "commands" in response.response:
            self.initialised = True
            self._know_commands(control.commands_of(response.response))

    def may_ask(self, request: PermissionRequest) -> bool:
        """Return True for the first request about a call that was shown and is open."""
        first = self.asked.get(request.tool_use_id) == request.request_id
        return first and self.tools.get(request.tool_use_id) == request.tool[:_ID_LIMIT]

    def agent(self, request: PermissionRequest) -> str:
        """Return what the subagent was started for whose call it is; "" where that is unknown."""
        found = self.background.get(request.agent)
        return found.command if found is not None else ""

    def _know_commands(self, names: Iterable[str]) -> None:
        room = _COMMAND_LIMIT - len(self.commands)
        new = (name for name in names if len(name) <= _ID_LIMIT and name not in self.commands)
        self.commands |= frozenset(islice(new, max(0, room)))

    def _withdrawn(self, request_id: str) -> None:
        self.forget_request(request_id)
        for call in [call for call, request in self.asked.items() if request == request_id]:
            del self.asked[call]

    def _requested(self, event: Event, size: int) -> None:
        if isinstance(event, PermissionRequest) and event.tool_use_id in self.tools:
            # Cut off it is no request's id, so that a call that is asked about so is refused.
            self.asked.setdefault(event.tool_use_id, event.request_id[:_ID_LIMIT])
        if not is_request(event) or not self._fits(self.requests, event.request_id):
            return
        others = sum(self.request_sizes.values()) - self.request_sizes.get(event.request_id, 0)
        if others + size <= _REQUEST_BYTES:
            self.requests[event.request_id] = event
            self.request_sizes[event.request_id] = size

    @staticmethod
    def _fits(known: Mapping[str, object], new: str) -> bool:
        return is_plain_id(new) and len(known) < _OPEN_LIMIT

    def _background(self, event: BackgroundTask, time: int) -> None:
        if event.phase == "started" and self._fits(self.background, event.id):
            command = one_line(event.description or event.kind, _COMMAND_WIDTH)
            self.background[event.id] = BackgroundCommand(
                id=one_line(event.id, 80), command=command, since=time
            )
        elif event.phase == "ended" or event.status in {"completed", "failed", "killed", "stopped"}:
            self.background.pop(event.id, None)
