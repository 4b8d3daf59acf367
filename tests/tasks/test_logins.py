"""Secrets of tasks in the memory of a driver: what it redacts, and what counts as used."""

from __future__ import annotations

import pytest

from ctui.claude.login.credentials import Credential
from ctui.errors import InvalidInput, LoginRequired
from ctui.tasks.mailbox.ports import Account
from ctui.tasks.model import Task
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
