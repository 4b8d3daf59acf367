"""Rules of hosts that an answer or a command made. Whoever changes one may be any front end."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Any

import msgspec

from ctui.errors import NotFound
from ctui.tasks.database.database import Database
from ctui.tasks.host_rules import Effect, HostRule


class HostRuleTable:
    """Rules by whom they are for."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def set(self, host: str, effect: Effect, created: int, repository: str, task: str) -> HostRule:
        """Write a rule in place of the one that says anything of this host to the same tasks."""
        with self._database.transaction():
            self._database.execute(
                "INSERT INTO host_rules (repository, task, host, effect, created)"
                " VALUES (?, ?, ?, ?, ?) ON CONFLICT (repository, task, host)"
                " DO UPDATE SET effect = excluded.effect, created = excluded.created",
                *(repository, task, host, effect, created),
            )
            rows = self._database.rows(
                "SELECT * FROM host_rules WHERE repository = ? AND task = ? AND host = ?",
                *(repository, task, host),
            )
        return read_host_rule(rows[0])

    def all(self) -> list[HostRule]:
        """Return every rule, oldest first."""
        rows = self._database.rows("SELECT * FROM host_rules ORDER BY id")
        return self._database.readable("host_rules", rows, "{id}", read_host_rule)

    def of(self, repository: str, task: str) -> list[HostRule]:
        """Return the rules that a task has: its own, its repository's, and those for all."""
        rows = self._database.rows(
            "SELECT * FROM host_rules WHERE repository IN ('', ?1) AND task IN ('', ?2)"
            " ORDER BY id",
            *(repository, task),
        )
        return self._database.readable("host_rules", rows, "{id}", read_host_rule)

    def forget(self, rule: int) -> HostRule:
        """Remove a rule.

        Raises:
            NotFound: there is no such rule.
        """
        with self._database.transaction():
            row = self._database.row("SELECT * FROM host_rules WHERE id = ?", rule)
            if row is None:
                raise NotFound(f"there is no rule {rule}", hint="`ctui network show` lists them")
            self._database.execute("DELETE FROM host_rules WHERE id = ?", rule)
        return read_host_rule(row)


def read_host_rule(row: Mapping[str, Any] | sqlite3.Row) -> HostRule:
    """Return what a row says; whatever is raised means that it cannot be read."""
    return msgspec.convert(dict(row), HostRule)
