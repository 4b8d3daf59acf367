"""Which login a task runs with, and where it is sent. Held in memory only."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from ctui.claude.credentials import Credential, Redactor
from ctui.errors import LoginRequired
from ctui.tasks.calls import Login


class Account(NamedTuple):
    """A credential and the server that it is for; neither is ever used with another one."""

    credential: Credential
    base_url: str = ""
    """Empty means the CLI's own default."""


class Sources(NamedTuple):
    """Where a login is found that no caller brought. Each raises LoginRequired if there is none."""

    own: Callable[[], Account]
    """What the driver's environment has, else what is stored."""
    stored: Callable[[], Credential]


class Logins:
    """The login that each task's caller named, else the one that the driver has."""

    def __init__(self, sources: Sources) -> None:
        self.redactor = Redactor(())
        """Takes every login that a run was given out of what is kept."""
        self._sources = sources
        self._named: dict[str, Login] = {}

    def remember(self, task: str, login: Login) -> None:
        """Keep what the caller of a task brought along.

        Raises:
            InvalidInput: it is no credential.
        """
        if login.environment:
            Credential.from_environment(login.environment)
        if login.environment or login.stored:
            self._named[task] = login

    def of(self, task: str, *, needed: bool) -> Account | None:
        """The login for a run of the task.

        Raises:
            LoginRequired: there is none, and it is `needed`.
        """
        try:
            account = self._find(task)
        except LoginRequired as error:
            if not needed:
                return None
            raise LoginRequired(
                error.message, hint=f"{error.hint}, then `ctui task resume {task}`"
            ) from error
        self.redactor.add(account.credential.value)
        return account

    def _find(self, task: str) -> Account:
        named = self._named.get(task)
        if named is None:
            return self._sources.own()
        brought = Credential.from_environment(named.environment)
        return Account(brought or self._sources.stored(), named.base_url)
