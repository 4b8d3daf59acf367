"""The asks of all tasks, and the one answer to each."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from ctui.errors import NotFound
from ctui.tasks.database.database import Database
from ctui.tasks.model import Answer, Ask, AskKind, AskState

_BATCH = 8


class AskTable:
    """Every ask of every task that was not purged."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, ask: Ask) -> Ask | None:
        """Insert an ask and return it with its id; None if its request is known already."""
        cursor = self._database.execute(
            "INSERT OR IGNORE INTO asks"
            " (task, run, request, kind, tool, title, input, details, state, created)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            ask.task,
            ask.run,
            ask.request,
            ask.kind,
            ask.tool,
            ask.title,
            bytes(ask.input).decode(),
            bytes(ask.details).decode(),
            ask.state,
            ask.created,
        )
        if not cursor.rowcount:
            return None
        return msgspec.structs.replace(ask, id=cursor.lastrowid or 0)

    def get(self, ask_id: int) -> Ask:
        """Return one ask. Raises NotFound."""
        row = self._database.row("SELECT * FROM asks WHERE id = ?", ask_id)
        if row is None:
            raise NotFound(f"there is no ask {ask_id}", hint="`ctui task show` lists them")
        return self._database.only("asks", row, "{id}", read_ask)

    def of_request(self, task: str, run: int, request: str) -> Ask | None:
        """Return the ask that a request of a run became, or None."""
        rows = self._database.rows(
            "SELECT * FROM asks WHERE task = ? AND run = ? AND request = ?", task, run, request
        )
        return next(iter(self._database.readable("asks", rows, "{id}", read_ask)), None)

    def list(
        self,
        *states: AskState,
        task: str | None = None,
        run: int | None = None,
        tool: str | None = None,
        since: int = 0,
    ) -> list[Ask]:
        """Return the asks in any of the states that were made since a time in ns, oldest first."""
        where, values = _where(states, task, run, tool)
        rows = self._database.rows(
            f"SELECT * FROM asks WHERE {where} AND created >= ? ORDER BY id",  # noqa: S608 - see _where
            *values,
            since,
        )
        return self._database.readable("asks", rows, "{id}", read_ask)

    def count(self, task: str, run: int | None = None, *states: AskState) -> int:
        """Return how many asks of a task, or of one of its runs, are in any of the states."""
        where, values = _where(states, task, run)
        row = self._database.row(f"SELECT count(*) FROM asks WHERE {where}", *values)  # noqa: S608 - see _where
        return 0 if row is None else int(row[0])

    def pending_by_task(self) -> dict[str, int]:
        """Return how many asks wait for the person, by task."""
        rows = self._database.rows(
            "SELECT task, count(*) AS asks FROM asks WHERE state = ? GROUP BY task",
            AskState.PENDING,
        )
        return {row["task"]: row["asks"] for row in rows}

    def pending_after(self, ask_id: int, *, task: str | None = None) -> Iterator[Ask]:
        """Yield the asks behind one that wait for the person, oldest first.

        They are read a few at a time: each may have a megabyte.
        """
        where, values = _where([AskState.PENDING], task, None)
        while rows := self._database.rows(
            f"SELECT * FROM asks WHERE {where} AND id > ? ORDER BY id LIMIT ?",  # noqa: S608 - see _where
            *values,
            ask_id,
            _BATCH,
        ):
            yield from self._database.readable("asks", rows, "{id}", read_ask)
            ask_id = rows[-1]["id"]

    def claim(self, ask_id: int, answer: Answer) -> bool:
        """Accept this answer if nobody answered before: the one place where that is decided."""
        cursor = self._database.execute(
            "UPDATE asks SET state = ?, answer = ? WHERE id = ? AND state = ?",
            AskState.ANSWERED,
            msgspec.json.encode(answer).decode(),
            ask_id,
            AskState.PENDING,
        )
        return cursor.rowcount == 1

    def move(self, ask_id: int, before: AskState, after: AskState) -> bool:
        """Change the state if it is still `before`."""
        cursor = self._database.execute(
            "UPDATE asks SET state = ? WHERE id = ? AND state = ?", after, ask_id, before
        )
        return cursor.rowcount == 1


def _where(
    states: Sequence[AskState], task: str | None, run: int | None, tool: str | None = None
) -> tuple[str, list[object]]:
    """Return a condition of question marks, which an index serves, and its values."""
    values: list[object] = [*states]
    where = f"state IN ({', '.join('?' * len(states))})"
    for column, value in (("task", task), ("run", run), ("tool", tool)):
        if value is not None:
            where += f" AND {column} = ?"
            values.append(value)
    return where, values


def read_ask(row: Mapping[str, Any] | sqlite3.Row) -> Ask:
    """Return what a row says; whatever is raised means that it cannot be read."""
    values = dict(row)
    answer = values.pop("answer")
    return Ask(
        **{
            **values,
            "kind": AskKind(values["kind"]),
            "state": AskState(values["state"]),
            "input": msgspec.Raw(values["input"].encode()),
            "details": msgspec.Raw(values["details"].encode()),
        },
        answer=msgspec.json.decode(answer, type=Answer) if answer else None,
    )
