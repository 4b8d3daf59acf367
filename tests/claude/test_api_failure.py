"""What the API's failures mean."""

from __future__ import annotations

import pytest

from ctui.claude.login.credentials import variable_in
from ctui.claude.protocol.api_failure import failure_text, is_login_rejected, rejected_login

_403 = "Failed to authenticate. API Error: 403 your organisation has disabled this"


@pytest.mark.parametrize(
    ("status", "text", "rejected"),
    [
        (401, "Failed to authenticate. API Error: 401 invalid x-api-key", True),
        (403, _403, False),
        (403, "Failed to authenticate. API Error: 403 OAuth token has been revoked", True),
        (400, "API Error: 400 token limit is invalid", False),
        (529, "API Error: overloaded", False),
        (None, "Connection error", False),
    ],
)
def test_only_a_rejected_login_is_called_one(status: int | None, text: str, rejected: bool) -> None:
    """S21: a 403 is a matter of permissions, although the CLI speaks of authentication."""
    assert is_login_rejected(status, text) is rejected


def test_a_failure_says_what_it_is() -> None:
    """S21: the CLI's own words where they say it, ours where they do not."""
    said = failure_text(403, _403)
    assert "organisation" in said
    assert "403 your organisation has disabled this" in said
    assert "authenticate" not in said
    assert failure_text(529, "API Error: overloaded\x1b[2J") == "API Error: overloaded"
    model = "There's an issue with the selected model (x). It may not exist. Run --model to pick."
    assert failure_text(404, model).endswith("`ctui run --model`")


def test_the_hint_names_the_login_that_counts() -> None:
    """T16: `ctui setup` would change nothing where a variable is stronger."""
    environ = {"ANTHROPIC_API_KEY": " ", "CLAUDE_CODE_OAUTH_TOKEN": "sk-ant-oat-1234"}
    variable = variable_in(environ)
    assert variable == "CLAUDE_CODE_OAUTH_TOKEN"
    said = rejected_login("fix", variable)
    assert "`unset CLAUDE_CODE_OAUTH_TOKEN`" in said
    assert "`ctui task resume fix`" in said
    assert variable_in({}) == ""
    assert "run `ctui setup`, then `ctui task resume fix`" in rejected_login("fix")
