"""Requests by which the API itself would reach a host for a task; pure.

Claude Code makes none of them. By one a task would have another way out than the gateway's, to
any host, past the person's rules: pictures and documents by their address, servers of tools, and
pages that the model fetches. What the model searches for is no such way: a task names no host.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ctui.gateway.api.members import Ambiguous, has_hidden_names, once

_NAMED = re.compile(rb':\s*"(?:url"|web_fetch)')
_OWN_WORDS = {"input", "input_schema"}
"""Members with what tools are given: the API takes them as they are."""


def fetches(body: bytes) -> str:
    """Return what in a request has the API reach a host, in words; "" where nothing does."""
    if not _may_fetch(body):
        return ""
    try:
        request = once(body)
    except Ambiguous as error:  # another reader may see more in it
        return str(error)
    if not isinstance(request, dict):
        return ""
    if request.get("mcp_servers"):
        return "servers of tools"
    tools = request.get("tools")
    for tool in tools if isinstance(tools, list) else ():
        if isinstance(tool, dict) and str(tool.get("type", "")).startswith("web_fetch"):
            return "pages of the web"
    named = (request.get("messages"), request.get("system"))
    return "files by their address" if any(map(_is_address, _objects(named))) else ""


def _may_fetch(body: bytes) -> bool:
    """Return False for nearly all requests, in next to no time."""
    return bool(b'"mcp_servers"' in body or _NAMED.search(body) or has_hidden_names(body))


def _is_address(one: dict[str, Any]) -> bool:
    source = one.get("source")
    return isinstance(source, dict) and source.get("type") == "url"


def _objects(value: object) -> Iterator[dict[str, Any]]:
    """Yield every object in a value, however deep."""
    left = [value]
    while left:
        one = left.pop()
        if isinstance(one, dict):
            yield one
            left += [inner for name, inner in one.items() if name not in _OWN_WORDS]
        elif isinstance(one, list | tuple):
            left += one
