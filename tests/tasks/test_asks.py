"""What all asks promise: a warning of secrets, and the same members everywhere."""

from __future__ import annotations

import msgspec
import pytest

from ctui.cli.shapes import ShownAsk, shown_ask
from ctui.mcp_server.protocol.asks import AskItem, ask_item
from ctui.tasks.asks.shape import AskShape
from ctui.tasks.model import Ask
from ctui.web.shapes import AskView
from ctui.web.views import ask_view
from tests.ask_requests import form, permission
from tests.tasks.ask_views import everywhere


@pytest.mark.parametrize(
    "name",
    [
        "password",
        "apiKey",
        "API_KEY",
        "db-token",
        "ssh key",
        "secret",
        "Passphrase",
        "pass\u200bword",
    ],
)
def test_a_field_that_looks_like_a_secret_is_warned_about(name: str) -> None:
    """T3: in every front end."""
    ask = form(**{name: {"type": "string"}})
    assert all("looks like a secret" in shown for shown in everywhere(ask))
    [question] = ask_view(ask).questions
    assert question.secret


@pytest.mark.parametrize(
    "ask",
    [
        form("Your login expired. Paste a new token:", value={"type": "string"}),
        form(value={"type": "string", "description": "Your password"}),
        form(value={"type": "string", "format": "password"}),
        permission("AskUserQuestion", {"questions": [{"question": "What is the API key?"}]}),
    ],
)
def test_so_is_whatever_else_asks_for_one(ask: Ask) -> None:
    """T3: by its message, its description or its format, and a question like a form."""
    assert all("looks like a secret" in shown for shown in everywhere(ask))


@pytest.mark.parametrize("name", ["keyboard", "name", "passenger", "author", "monkey"])
def test_other_fields_are_not(name: str) -> None:
    """T3: a warning that is always there is none."""
    assert not any("secret" in shown for shown in everywhere(form(**{name: {"type": "string"}})))


def test_an_ask_has_the_same_members_everywhere() -> None:
    """The command line, MCP and HTTP print one shape."""
    ask = permission("Bash", {"command": "npm test"})
    members = set(AskShape.__struct_fields__)
    found = [
        msgspec.to_builtins(view(ask), enc_hook=str) for view in (shown_ask, ask_item, ask_view)
    ]
    assert [{key: one[key] for key in members} for one in found] == [
        {key: found[0][key] for key in members}
    ] * 3
    assert found[0]["decisions"] == ("allow", "always", "deny")
    for kind in (ShownAsk, AskItem, AskView):
        assert members < set(kind.__struct_fields__)
