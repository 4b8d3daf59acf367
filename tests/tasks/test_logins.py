"""Secrets of tasks in the memory of a driver: what it redacts, and what counts as used."""

from __future__ import annotations

import msgspec
import pytest

from ctui.claude.login.credentials import Credential
from ctui.claude.login.platforms import platform_of
from ctui.config import Config
from ctui.errors import InvalidInput, LoginRequired
from ctui.gateway.custom_headers import custom_headers_text
from ctui.tasks.calls import Login
from ctui.tasks.mailbox.ports import Account
from ctui.tasks.model import Task, TaskOptions
from ctui.tasks.network.sealed import PLACEHOLDER, login_of, sealed_environment
from ctui.tasks.runs.logins import Logins, Sources

_OLD, _NEW = "sk-ant-api-0123456789", "sk-ant-api-9876543210"
_TASK = Task(
    id="one",
    repository="r",
    worktree="w",
    metadata=None,
    branch=None,
    base=None,
    session="s",
    prompt="p",
)


def _logins(*secrets: str) -> Logins:
    """Return what a new driver has, where the login is one of these after the other."""
    left = list(secrets)

    def own(_rejected: str) -> Account:
        return Account(Credential("api-key", left.pop(0)))

    def stored(_rejected: str) -> Credential:
        raise LoginRequired("there is none")

    return Logins(Sources(own=own, stored=stored))


async def test_a_login_that_is_only_looked_at_is_redacted() -> None:
    logins = _logins(_OLD)
    assert await logins.of(_TASK, needed=False) is not None
    assert logins.redactor.redact(f"it is {_OLD}".encode()) == b"it is [redacted]"


async def test_a_login_that_is_only_looked_at_does_not_count_as_used() -> None:
    """The run that is adopted may have another one: if that is rejected, this one is tried."""
    logins = _logins(_NEW, _NEW)
    await logins.of(_TASK, needed=False)
    assert await logins.another(_TASK)
    logins = _logins(_NEW, _NEW)
    await logins.of(_TASK, needed=True)
    assert not await logins.another(_TASK)


@pytest.mark.parametrize("error", [LoginRequired("none"), InvalidInput("no token")])
async def test_what_is_not_needed_may_be_missing(error: Exception) -> None:
    def own(_rejected: str) -> Account:
        raise error

    logins = Logins(Sources(own=own, stored=lambda _: Credential("api-key", _OLD)))
    assert await logins.of(_TASK, needed=False) is None
    with pytest.raises(type(error)):
        await logins.of(_TASK, needed=True)


_HEADERS = "X-Team: blue\nX-Company-Key: company-key-0123456789"


async def test_further_headers_are_the_caller_s_and_are_redacted() -> None:
    """Of the shell that gave the command, not of the one that the driver comes from."""
    logins = _logins(_OLD, _OLD)
    logins.remember("one", Login({"ANTHROPIC_API_KEY": _NEW, "ANTHROPIC_CUSTOM_HEADERS": _HEADERS}))
    account = await logins.of(_TASK, needed=True)
    assert account is not None
    login = login_of(_TASK, account, Config())
    assert login is not None
    assert (login.kind, login.secret) == ("api-key", _NEW)
    assert dict(login.headers) == {"X-Team": "blue", "X-Company-Key": "company-key-0123456789"}
    assert custom_headers_text(account.headers) == _HEADERS
    said = logins.redactor.redact(b"blue company-key-0123456789")
    assert said == b"blue [redacted]"


async def test_a_task_s_platform_gets_no_other_login(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a stored one nor one of Claude's own API stands in for a key that is not there."""
    monkeypatch.setenv("ANTHROPIC_API_KEY", _NEW)
    platform = platform_of({"CLAUDE_CODE_USE_BEDROCK": "1"}, PLACEHOLDER)
    options = TaskOptions(network="allow", platform=platform)
    task = msgspec.structs.replace(_TASK, options=options)
    logins = _logins(_OLD)
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(LoginRequired, match="`aws` prints, which is not installed"):
        await logins.of(task, needed=True)
    logins.remember("one", Login({"AWS_BEARER_TOKEN_BEDROCK": "key-of-the-caller"}, stored=True))
    monkeypatch.setenv("AWS_BEARER_TOKEN_BEDROCK", "key-of-another-shell")
    account = await logins.of(task, needed=True)
    assert account is not None
    login = login_of(task, account, Config())
    assert login is not None
    assert (login.kind, login.secret) == ("bedrock", "key-of-the-caller")
    assert login.base_url == "https://bedrock-runtime.us-east-1.amazonaws.com"
    assert login.region == ""
    keys = {"AWS_ACCESS_KEY_ID": "AKIA0123456789", "AWS_SECRET_ACCESS_KEY": "secret/of+aws"}
    logins.remember("one", Login(keys, stored=True))
    monkeypatch.delenv("AWS_BEARER_TOKEN_BEDROCK")
    signed = login_of(task, await logins.of(task, needed=True), Config())
    assert signed is not None
    assert (signed.region, signed.secret) == ("us-east-1", "AKIA0123456789:secret/of+aws")
    assert logins.redactor.redact(b"secret/of+aws") == b"[redacted]"
    environment = sealed_environment(login, (), platform)
    assert "key-of" not in str(environment)
    assert "bedrock-runtime.us-east-1.amazonaws.com" in environment["NO_PROXY"]
    assert "ANTHROPIC_AUTH_TOKEN" not in environment
