"""Who is refused, and how: always in JSON, always at once."""

from __future__ import annotations

import pytest

from tests.web.conftest import Served


def test_openapi(quiet: Served) -> None:
    answer = quiet.ask("GET", "/openapi.json", headers={"Authorization": ""})
    print(answer.text)
    assert answer.json()["openapi"] == "3.1.0"
    print(quiet.get("/tasks"))
    for m, p, kw in [
        ("GET", "/api/claude/tasks/x", {}),
        ("PUT", "/api/claude/tasks", {}),
        ("GET", "/nix", {}),
        ("POST", "/api/claude/tasks", {"data": "{"}),
        ("POST", "/api/claude/tasks", {"json": {"prompt": " "}}),
        ("POST", "/api/claude/tasks", {"json": {}}),
        ("POST", "/api/claude/tasks", {"json": {"prompt": "x", "workdir": "/etc"}}),
        ("POST", "/api/claude/tasks", {"json": {"prompt": "x"}}),
        ("POST", "/api/claude/tasks", {"data": "x" * 10_000_000}),
        ("GET", "/api/claude/auth/token", {}),
    ]:
        a = quiet.ask(m, p, **kw)
        print(m, p, a.status_code, a.headers.get("allow"), a.text[:200])
