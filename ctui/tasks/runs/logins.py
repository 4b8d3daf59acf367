"""Secrets that tasks run with, and the servers of their logins. Held in memory only."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from ctui.claude.login import keyring_store
from ctui.claude.login.credentials import VARIABLES, Credential
from ctui.claude.login.platform_credentials import platform_credential
from ctui.claude.mcp.mcp_servers import resolve_servers
from ctui.errors import CtuiError, LoginRequired, Unavailable
from ctui.gateway.custom_headers import CUSTOM_HEADERS, custom_headers
from ctui.git.process.caller import merged
from ctui.redaction.redactor import Redactor
from ctui.tasks.calls import Login
from ctui.tasks.mailbox.ports import Account
from ctui.tasks.model import Task
from ctui.tasks.network.lent import Lent
from ctui.tasks.network.sealed import is_sealed
from ctui.tasks.secrets.values import Values, no_values

_SHORTEST = 16
"""Characters of a header's value that is taken for a secret: a team's name is none."""
_THREADS = 64
"""All of them may wait for one keyring, and nothing else may wait behind them."""


def no_named(name: str, _rejected: str) -> Account:
    """Say that there is no login of a name."""
    raise LoginRequired(f"there is no login {name}", hint="`ctui login list` shows those there are")


def no_loan(_environ: Mapping[str, str]) -> Lent:
    """Return what is lent where nothing is."""
    return Lent()


class Sources(NamedTuple):
    """Lookups of a login that no caller brought. Each raises LoginRequired if there is none.

    What they are given is a secret that was rejected, or nothing.
    """

    own: Callable[[str], Account]
    """Returns the login of the driver's environment, else the one that is stored."""
    stored: Callable[[str], Credential]
    named: Callable[[str, str], Account] = no_named
    """Returns the login of a name."""
    secrets: Callable[[Sequence[str], Mapping[str, str]], Values] = no_values
    """Returns the values of secrets by name, with an environment that some are taken from."""
    lent: Callable[[Mapping[str, str]], Lent] = no_loan
    """Returns what the gateway lends sealed runs, with the same environment."""


class Logins:
    """The login that each task's caller named, else the one that the driver has."""

    def __init__(self, sources: Sources) -> None:
        self.redactor = Redactor(())
        """Takes every secret that a run was given out of what is kept."""
        self._sources = sources
        self._named: dict[str, Login] = {}
        self._variables: dict[str, dict[str, str]] = {}
        self._shells: dict[str, dict[str, str]] = {}
        self._used: dict[str, str] = {}
        self._rejected: dict[str, str] = {}
        self._tried: set[str] = set()
        self._threads = ThreadPoolExecutor(_THREADS, "login")

    def remember(self, task: str, login: Login) -> None:
        """Keep what the caller of a task brought along.

        Raises:
            InvalidInput: it is no credential.
        """
        if login.environment:
            Credential.from_environment(login.environment)
        if login.environment or login.stored:
            self._named[task] = login
        self._variables.setdefault(task, {}).update(login.variables)
        if login.caller:
            self._shells[task] = login.caller
        self._tried.discard(task)

    def shell(self, task: str) -> Mapping[str, str]:
        """Return what the task's last command brought of its shell; nothing where none did."""
        return self._shells.get(task, {})

    def variable(self, task: str) -> str:
        """Return the variable of the environment that a task's login came from, or ""."""
        used = self._used.get(task, "")
        named = self._named.get(task)
        environment = named.environment if named is not None and not named.stored else os.environ
        return next((name for name in VARIABLES.values() if environment.get(name) == used), "")

    def forget(self, task: str) -> None:
        """Keep nothing of a task that is off the list."""
        for kept in (self._named, self._variables, self._shells, self._used, self._rejected):
            kept.pop(task, None)
        self._tried.discard(task)

    def accepted(self, task: str) -> None:
        """Forget what was rejected: a run of the task ended, and its login was not the reason."""
        self._rejected.pop(task, None)
        self._tried.discard(task)

    async def of(self, task: Task, *, needed: bool) -> Account | None:
        """Return the secrets for a run of the task, or None if some are missing and not `needed`.

        Those that are found are redacted from then on. What is not `needed` is for a run that began
        with secrets of its own, which may be others: it does not count as used.

        Raises:
            LoginRequired: there is no login, or a secret of an MCP server is missing; and they are
                `needed`.
        """
        loop = asyncio.get_running_loop()
        try:
            account = await loop.run_in_executor(self._threads, self._whole, task)
        except CtuiError as error:
            if not needed:
                return None
            if not isinstance(error, Unavailable):
                raise
            raise LoginRequired(
                error.message, hint=f"{error.hint}, then `ctui task resume {task.id}`"
            ) from error
        if needed:
            self._used[task.id] = account.credential.value
        return account

    async def another(self, task: Task) -> bool:
        """Return True if there is another login than the one that the last run used.

        It is looked for once: the next rejection is the person's business.
        """
        rejected = self._rejected[task.id] = self._used.get(task.id, "")
        if task.id in self._tried:
            return False
        self._tried.add(task.id)
        loop = asyncio.get_running_loop()
        try:
            found = await loop.run_in_executor(self._threads, self._find, task)
        except CtuiError:
            return False
        return found.credential.value != rejected

    def _whole(self, task: Task) -> Account:
        values = self._sources.secrets(task.options.secrets, self._environ(task.id))
        for secret in values.redacted:
            self.redactor.add(secret)
        account = self._find(task)._replace(
            environ=merged(self.shell(task.id)), secrets=values.variables
        )
        for secret in account.credential.secrets:
            self.redactor.add(secret)
        for _, value in account.headers:
            if len(value) >= _SHORTEST:
                self.redactor.add(value)
        if values.problem is not None:
            raise values.problem
        if is_sealed(task):
            lent = self._sources.lent(self._environ(task.id))
            for secret in lent.redacted:
                self.redactor.add(secret)
            account = account._replace(lent=lent)
        if not task.options.mcp_servers:
            return account
        servers = resolve_servers(
            task.options.mcp_servers, self._environ(task.id), keyring_store.read
        )
        for secret in servers.secrets:
            self.redactor.add(secret)
        return account._replace(servers=servers)

    def _find(self, task: Task) -> Account:
        named, rejected = self._named.get(task.id), self._rejected.get(task.id, "")
        brought = os.environ if named is None else named.environment
        headers = custom_headers(brought.get(CUSTOM_HEADERS, ""))
        if (platform := task.options.platform) is not None:
            found = platform_credential(platform, {**merged(self.shell(task.id)), **brought})
            return Account(found, platform.base_url, headers=headers)
        return self._own(task, named, rejected)._replace(headers=headers)

    def _own(self, task: Task, named: Login | None, rejected: str) -> Account:
        """Return the login for Claude's own API, or what stands in its place."""
        if task.options.login:
            found = self._sources.named(task.options.login, rejected)
            return found if named is None else found._replace(base_url=named.base_url)
        if named is None:
            return self._sources.own(rejected)
        brought = Credential.from_environment(named.environment)
        return Account(brought or self._sources.stored(rejected), named.base_url)

    def _environ(self, task: str) -> Mapping[str, str]:
        # The caller's shell, not the one that the driver happens to come from.
        return {**merged(self.shell(task)), **self._variables.get(task, {})}
