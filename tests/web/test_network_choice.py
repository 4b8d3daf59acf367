"""The network of a task that a program starts: over HTTP and MCP no wider than the person's."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.mcp_server.talking import refusal, talking_over_http
from tests.web.conftest import Served

WIDER: list[tuple[dict[str, Any], str]] = [
    ({"network": "open"}, "the network open is wider than the person's, which is allow"),
    ({"allow_hosts": ["pastes.example"]}, "pastes.example is no host that tasks may be allowed"),
    ({"allow_hosts": ["*.net"]}, "*.net is no host that tasks may be allowed"),
    ({"allow_hosts": ["Host:5432"]}, "host:5432 is no host that tasks may be allowed"),
    ({"allow_hosts": ["docs.example.net", "[::ffff:127.0.0.1]:80"]}, "[::ffff:7f00:1]:80 is no"),
]
WRONG: list[tuple[dict[str, Any], str]] = [
    ({"allow_hosts": ["http://docs.example.net"]}, "write HOST"),
]


@pytest.fixture(autouse=True)
def offer(quiet: Served) -> Iterator[Path]:
    """The person lets programs allow hosts below one domain."""
    file = quiet.paths.config_file
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text('[network]\noffer = "*.example.net"\n')
    yield file
    file.unlink()


@pytest.mark.parametrize(("given", "said"), [*WIDER, *WRONG])
async def test_what_is_wider_is_refused(quiet: Served, given: dict[str, Any], said: str) -> None:
    answer = quiet.ask("POST", "/api/claude/tasks", json={"prompt": "go", **given})
    assert answer.status_code == (403 if (given, said) in WIDER else 400), answer.text
    assert said in answer.json()["error"] + answer.json()["hint"]
    async with talking_over_http(quiet.url, quiet.token) as client:
        for tool in ("run_task", "execute_claude"):
            assert said in await refusal(client, tool, prompt="go", **given)
    assert quiet.get("/tasks")["tasks"] == []


def test_what_is_no_network_or_too_much_is_no_request(quiet: Served) -> None:
    for given in (
        {"network": "unsealed"},
        {"network": ""},
        {"allow_hosts": "docs.example.net"},
        {"allow_hosts": ["docs.example.net"] * 65},
    ):
        answer = quiet.ask("POST", "/api/claude/tasks", json={"prompt": "go", **given})
        assert answer.status_code == 400, given
