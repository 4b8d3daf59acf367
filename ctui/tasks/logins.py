"""Which login a task runs with. Held in memory only."""

from __future__ import annotations

from collections.abc import Callable

from ctui.claude.credentials import Credential, Redactor
from ctui.errors import LoginRequired
from ctui.tasks.calls import Login


class Logins:
    """The login that each task's caller brought, else the one that this machine has."""

    def __init__(self, find: Callable[[], Credential]) -> None:
        self.redactor = Redactor(())
        """Takes every login that a run was given out of what is kept."""
        self._find = find
        self._brought: dict[str, Credential] = {}

    def remember(self, task: str, login: Login) -> None:
        """Keep what the caller of a task brought along."""
        if login.environment:
            found = Credential.from_environment(login.environment)
            if found is not None:
                self._brought[task] = found

    def of(self, task: str, *, needed: bool) -> Credential | None:
        """The login for a run of the task.

        Raises:
            LoginRequired: there is none, and it is `needed`.
        """
        login = self._brought.get(task) or self._here(task, needed=needed)
        if login is not None:
            self.redactor.add(login.value)
        return login

    def _here(self, task: str, *, needed: bool) -> Credential | None:
        try:
            return self._find()
        except LoginRequired as error:
            if not needed:
                return None
            raise LoginRequired(
                error.message, hint=f"{error.hint}, then `ctui task resume {task}`"
            ) from error
