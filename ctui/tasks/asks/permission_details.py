"""Details of a tool's request beside its input, for the kinds that are made from one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import msgspec

from ctui.claude.protocol import control
from ctui.claude.protocol.events import PermissionRequest
from ctui.text import one_line

NO_REASON = "The person said no."

_WIDTH = 200
_SESSION_WIDTH = 300

_WORDS = {
    "simple_expansion": "a variable ($NAME)",
    "command_substitution": "the output of another command",
    "process_substitution": "the output of another command",
    "redirected_statement": "a redirection",
    "file_redirect": "a redirection",
    "heredoc_redirect": "a text of several lines",
    "subshell": "a command in parentheses",
}
_GRAMMAR = re.compile(rf"\b({'|'.join(sorted(_WORDS, key=len, reverse=True))})\b")


class PermissionDetails(msgspec.Struct, frozen=True, omit_defaults=True):
    """Reasons and suggestions of the CLI, and who asks."""

    tool_use_id: str = ""
    reason: str = ""
    blocked_path: str = ""
    suggestions: list[dict[str, Any]] = []
    agent: str = ""
    """Subagent of the task that asks; "" for the task itself."""
    problem: str = ""
    """Reason why it can only be denied; "" if it can be allowed."""


def permission_details(
    event: PermissionRequest, agent: str = "", problem: str = ""
) -> PermissionDetails:
    """Return what comes with a request, cut to what a person can be shown."""
    # What cannot be said in full beside its key is not offered: it would allow more than is seen.
    seen = len(control.session_label(event.suggestions)) <= _SESSION_WIDTH
    return PermissionDetails(
        tool_use_id=event.tool_use_id[:_WIDTH],
        reason=one_line(_plain(event.reason), _WIDTH),
        blocked_path=one_line(event.blocked_path, _WIDTH),
        suggestions=control.session_permissions(event.suggestions) if seen else [],
        agent=one_line(agent or event.agent, _WIDTH) if event.agent else "",
        problem=problem,
    )


def _plain(reason: str) -> str:
    """Return a reason with the names of a shell's grammar in words."""
    return _GRAMMAR.sub(lambda found: _WORDS[found[0]], reason[: 8 * _WIDTH])


def agent_lines(details: PermissionDetails) -> Iterator[str]:
    """Yield which subagent asks, if one does."""
    if details.agent:
        yield f"  asked by a subagent of the task: {details.agent}"
