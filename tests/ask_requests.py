"""Asks as the CLI's requests make them: from a line, by the decoder."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ctui.claude.protocol.decode import decode
from ctui.tasks.asks import AskEvent, Origin, ask_of
from ctui.tasks.model import Ask

HERE = Origin("t", 1, 0)


def asked(
    request: Mapping[str, Any], request_id: str = "r", origin: Origin = HERE, **facts: str
) -> Ask:
    """Return the ask of a `can_use_tool`, or of an `elicitation` where a server asks.

    A `subtype` among the request's members is another one.
    """
    subtype = "elicitation" if "mcp_server_name" in request else "can_use_tool"
    line = {
        "type": "control_request",
        "request_id": request_id,
        "request": {"subtype": subtype, **request},
    }
    event = decode(json.dumps(line))
    assert isinstance(event, AskEvent)
    ask = ask_of(event, origin, **facts)
    assert ask is not None
    return ask


def permission(tool: str, given: Mapping[str, Any], *suggestions: Mapping[str, Any]) -> Ask:
    """Return the ask of a tool's call."""
    request = {"tool_name": tool, "input": given, "permission_suggestions": list(suggestions)}
    return asked(request)


def form(message: str = "Which?", /, **properties: Any) -> Ask:
    """Return the ask of a form with these fields."""
    schema = {"type": "object", "properties": properties}
    return asked({"mcp_server_name": "db", "message": message, "requested_schema": schema})
