"""Permissions: a tool of the task wants to run; also whatever no other kind claims."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from ctui.claude.protocol import control, fields
from ctui.claude.protocol.events import PermissionRequest
from ctui.claude.transcript.tools import tool_request
from ctui.paths import WORKSPACE
from ctui.redaction.redactor import MARK
from ctui.tasks.asks.kind import (
    AskEvent,
    Decision,
    Kind,
    Origin,
    details_of,
    given_of,
    new_ask,
    run_input,
)
from ctui.tasks.asks.limits import input_problem
from ctui.tasks.asks.lines import INDENT
from ctui.tasks.asks.permission_details import (
    NO_REASON,
    PermissionDetails,
    agent_lines,
    permission_details,
)
from ctui.tasks.asks.tool_input import input_lines
from ctui.tasks.model import Answer, Ask, AskKind
from ctui.text import one_line, sanitise

_WIDTH = 200

_COMMAND = re.compile(r"[!-~](?:[ -~]{0,498}[!-~])?")
"""Command that a person sees whole and unchanged."""


class Grantable(msgspec.Struct, frozen=True):
    """Tool and content that an ask would allow for good."""

    tool: str
    content: str


class Permission(Kind):
    """Request to run a tool with an input."""

    kind = AskKind.PERMISSION
    takes_the_rest = True

    def ask(self, event: AskEvent, origin: Origin, agent: str) -> Ask | None:
        if not isinstance(event, PermissionRequest):
            return None
        problem = input_problem(event.given)
        given = {} if problem else event.given
        return new_ask(
            self.kind,
            event.request_id,
            origin,
            tool=_exact(event.tool),
            title=f"{event.tool}: {problem}" if problem else _title(event.tool, given),
            given=given,
            details=permission_details(event, agent, problem),
        )

    def lines(self, ask: Ask) -> Iterator[str]:
        details = details_of(ask, PermissionDetails)
        yield f"? {tool_request(ask.tool)}:"
        yield from (INDENT + line for line in input_lines(ask.tool, given_of(ask)))
        yield from agent_lines(details)
        if details.reason:
            yield f"  because: {details.reason}"
        where = posixpath.normpath(details.blocked_path) if details.blocked_path else WORKSPACE
        if where != WORKSPACE and not where.startswith(f"{WORKSPACE}/"):
            yield f"  outside the worktree: {details.blocked_path}"
        if details.problem:
            yield f"! it can only be denied: {details.problem}"

    def allows(self, ask: Ask, decision: Decision) -> str:
        if decision == "session":
            return control.session_label(details_of(ask, PermissionDetails).suggestions)
        if decision == "always" and (found := grantable(ask)):
            return f"always run `{sanitise(found.content)}` in this repository"
        return ""

    def accepts_edits(self, ask: Ask) -> bool:
        granted = control.session_permissions(details_of(ask, PermissionDetails).suggestions)
        return any(fields.text(item, "mode") == "acceptEdits" for item in granted)

    def decisions(self, ask: Ask) -> tuple[Decision, ...]:
        if details_of(ask, PermissionDetails).problem:
            return ("deny",)
        wider: tuple[Decision, ...] = ("session", "always")
        return "allow", *(one for one in wider if self.allows(ask, one)), "deny"

    def reply(self, ask: Ask, answer: Answer) -> bytes:
        if answer.decision == "deny":
            return control.deny(ask.request, answer.message or NO_REASON)
        details = details_of(ask, PermissionDetails)
        session = answer.decision == "session"
        permissions = control.session_permissions(details.suggestions) if session else ()
        return control.allow(ask.request, run_input(ask), permissions=permissions)


KIND = Permission()


def grantable(ask: Ask) -> Grantable | None:
    """Return what `always` would allow; None for what is no plain command of one line.

    The CLI's own suggestions are not asked: they may allow more than the person has seen.
    """
    if ask.kind is not AskKind.PERMISSION or ask.tool != "Bash":
        return None
    command = fields.text(given_of(ask), "command")
    if MARK in command:
        return None  # another secret would look the same
    return Grantable(ask.tool, command) if _COMMAND.fullmatch(command) else None


def _exact(tool: str) -> str:
    """Return a tool's name; one that only looks like another's is told from it."""
    shown = one_line(tool, _WIDTH)
    return tool if shown == tool else f"{shown[:40]} (not its exact name)"


def _title(tool: str, given: Mapping[str, Any]) -> str:
    for key in ("command", "file_path", "notebook_path", "url", "pattern", "path"):
        value = given.get(key)
        if value and isinstance(value, str):
            return f"{tool}: {value}"
    written = msgspec.json.encode(given)[: _WIDTH * 8].decode("utf-8", "ignore")
    return f"{tool}: {written}" if given else tool
