"""MCP beside the API: the same token, the same guard, and an end that nobody waits for."""

from __future__ import annotations

import asyncio

import pytest

from tests.mcp_server.talking import LEGACY, MODERN, call, talking_over_http
from tests.web.conftest import Served

_HELLO = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-11-25",
        "capabilities": {},
        "clientInfo": {"name": "test", "version": "1"},
    },
}
_ACCEPT = {"Accept": "application/json, text/event-stream"}


@pytest.mark.parametrize("mode", [LEGACY, MODERN])
async def test_several_clients_at_once(quiet: Served, mode: str) -> None:
    async def one() -> list[str]:
        async with talking_over_http(quiet.url, quiet.token, mode) as client:
            listed = await call(client, "list_worktree")
            return [item["name"] for item in listed["worktrees"]]

    assert await asyncio.gather(*(one() for _ in range(5))) == [[]] * 5


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Authorization": ""}, 401),
        ({"Authorization": "Bearer wrong"}, 401),
        ({"Origin": "https://evil.example"}, 403),
        ({"Host": "evil.example"}, 421),
    ],
)
def test_who_may_not_is_told_so(quiet: Served, headers: dict[str, str], status: int) -> None:
    refused = quiet.ask("POST", "/mcp", headers={**_ACCEPT, **headers}, json=_HELLO)
    assert refused.status_code == status
    assert refused.json()["error"]


def test_a_token_in_the_address_does_not_count(quiet: Served) -> None:
    refused = quiet.ask(
        "POST", f"/mcp?token={quiet.token}", headers={"Authorization": "", **_ACCEPT}, json=_HELLO
    )
    assert refused.status_code == 401


def test_nonsense_and_what_is_too_large_are_refused(quiet: Served) -> None:
    assert quiet.ask("POST", "/mcp", headers=_ACCEPT, data="{nonsense").status_code == 400
    assert quiet.ask("POST", "/mcp", headers=_ACCEPT, data="x" * (10 << 20)).status_code == 413
    quiet.healthy()


async def test_an_open_session_holds_up_no_end(quiet: Served) -> None:
    """The fixture ends the server, and allows it two seconds."""
    opened = quiet.ask("POST", "/mcp", headers=_ACCEPT, json=_HELLO, stream=True)
    session = opened.headers["mcp-session-id"]
    stream = quiet.ask("GET", "/mcp", headers={**_ACCEPT, "mcp-session-id": session}, stream=True)
    assert stream.status_code == 200
