"""Messages of the person to each task, and their receipts."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Any

import msgspec

from ctui.tasks.database.database import Database
from ctui.tasks.model import Message
from ctui.tasks.store.clock import now


class MessageTable:
    """Every message, the task's prompt first."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, message: Message) -> bool:
        """Insert a message; return False where its id is known already, of whatever task."""
        cursor = self._database.execute(
            "INSERT OR IGNORE INTO messages"
            " (id, task, text, created, delivered, unattended, timeout, attached)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            message.id,
            message.task,
            message.text,
            message.created,
            message.delivered,
            message.unattended,
            message.timeout,
            message.attached,
        )
        return cursor.rowcount == 1

    def get(self, task_id: str, message_id: str) -> Message | None:
        """Return one message of the task, or None."""
        rows = self._database.rows(
            "SELECT * FROM messages WHERE id = ? AND task = ?", message_id, task_id
        )
        return next(iter(self._read(rows)), None)

    def of(self, task_id: str) -> list[Message]:
        """Return everything that the person told the task, its prompt first.

        The order is that in which it was said: a clock can go back.
        """
        return self._read(
            self._database.rows("SELECT * FROM messages WHERE task = ? ORDER BY rowid", task_id)
        )

    def undelivered(self, task_id: str) -> list[Message]:
        """Return what has no receipt yet, oldest first."""
        return self._read(
            self._database.rows(
                "SELECT * FROM messages WHERE task = ? AND delivered IS NULL ORDER BY rowid",
                task_id,
            )
        )

    def said_before(self, task_id: str, line: int) -> list[Message]:
        """Return what has no receipt, and was said when the run had written fewer lines."""
        return self._read(
            self._database.rows(
                "SELECT * FROM messages WHERE task = ? AND delivered IS NULL AND said < ?"
                " ORDER BY rowid",
                task_id,
                line,
            )
        )

    def note_said(self, message: Message, line: int) -> None:
        """Note how many lines the run had written when the message was first said to it."""
        self._database.execute(
            "UPDATE messages SET said = ? WHERE id = ? AND task = ? AND said IS NULL",
            line,
            message.id,
            message.task,
        )

    def note_read(self, message: Message, line: int) -> None:
        """Note that the run wrote this line before it read anything that was said later."""
        self._database.execute(
            "UPDATE messages SET said = ? WHERE task = ? AND delivered IS NULL AND said < ?"
            " AND rowid > (SELECT rowid FROM messages WHERE id = ?)",
            line,
            message.task,
            line,
            message.id,
        )

    def forget_said(self, task_id: str) -> None:
        """Note that nothing was said yet: the lines of another run begin."""
        self._database.execute(
            "UPDATE messages SET said = NULL WHERE task = ? AND delivered IS NULL", task_id
        )

    def last(self, task_id: str) -> Message | None:
        """Return the newest message of a task, or None."""
        rows = self._database.rows(
            "SELECT * FROM messages WHERE task = ? ORDER BY rowid DESC LIMIT 1",
            task_id,
        )
        return next(iter(self._read(rows)), None)

    def mark_delivered(self, task_id: str, message_id: str) -> bool:
        """Note a task's receipt; return False if it was noted before, or is not the task's own."""
        cursor = self._database.execute(
            "UPDATE messages SET delivered = ? WHERE id = ? AND task = ? AND delivered IS NULL",
            now(),
            message_id,
            task_id,
        )
        return cursor.rowcount == 1

    def _read(self, rows: list[sqlite3.Row]) -> list[Message]:
        return self._database.readable("messages", rows, "{id}", read_message)


def read_message(row: Mapping[str, Any] | sqlite3.Row) -> Message:
    """Return what a row says; whatever is raised means that it cannot be read."""
    return msgspec.convert(dict(row), Message, strict=False)
