"""The index of tasks, runs, asks, answers and messages: one SQLite file.

Only the driver writes the task tables. Front ends open it to read, to keep the records of the
worktrees that they made, and to revoke grants. A commit survives `kill -9` of any process; a power
cut may cost the last moment, which the engine's log still has.
"""

from __future__ import annotations

import sqlite3
import time

import msgspec

from ctui.errors import Conflict, NotFound
from ctui.tasks.grants import GrantTable
from ctui.tasks.model import Answer, Ask, AskKind, AskState, Message, Run, Task


def now() -> int:
    """Nanoseconds since the epoch."""
    return time.time_ns()


class Store(GrantTable):
    """One connection, used from one thread."""

    # -- tasks

    def add_task(self, task: Task) -> None:
        with self.transaction():
            taken = self._db.execute("SELECT 1 FROM tasks WHERE id = ?", (task.id,)).fetchone()
            if taken:
                raise Conflict(f"a task {task.id} exists already", hint="choose another --task-id")
            self._db.execute(
                "INSERT INTO tasks (id, state, worktree, repository, created, record)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (task.id, task.state, task.worktree, task.repository, task.created, _text(task)),
            )

    def save_task(self, task: Task) -> None:
        with self._translated():
            self._db.execute(
                "UPDATE tasks SET state = ?, record = ? WHERE id = ?",
                (task.state, _text(task), task.id),
            )

    def task(self, task_id: str, *, removed: bool = False) -> Task:
        """One task; with `removed` also one that was taken off the list.

        Raises:
            NotFound: there is no such task.
        """
        rows = self._rows(
            "SELECT record, removed FROM tasks WHERE id = ? AND (?2 OR removed IS NULL)",
            task_id,
            removed,
        )
        if not rows:
            raise NotFound(f"there is no task {task_id}", hint="`ctui task list` shows them")
        return _task(rows[0])

    def tasks(self, worktree: str | None = None, *, removed: bool = False) -> list[Task]:
        """All tasks on the list, or with `removed` those that were taken off it; oldest first."""
        rows = self._rows(
            "SELECT record, removed FROM tasks WHERE (removed IS NOT NULL) = ?2"
            " AND (?1 IS NULL OR worktree = ?1) ORDER BY created, id",
            worktree,
            removed,
        )
        return [_task(row) for row in rows]

    def tasks_after(
        self, created: int, task_id: str, *, most: int, removed: bool = False
    ) -> list[Task]:
        """Return the next tasks of the same order behind one that may be gone."""
        rows = self._rows(
            "SELECT record, removed FROM tasks WHERE (removed IS NOT NULL) = ?"
            " AND (created, id) > (?, ?) ORDER BY created, id LIMIT ?",
            removed,
            created,
            task_id,
            most,
        )
        return [_task(row) for row in rows]

    def task_ids(self) -> set[str]:
        """Every id that was ever given: the refs and folders of removed tasks may remain."""
        return {row["id"] for row in self._rows("SELECT id FROM tasks")}

    def mark_removed(self, task_id: str, *, removed: bool = True) -> None:
        when = now() if removed else None
        with self._translated():
            self._db.execute("UPDATE tasks SET removed = ? WHERE id = ?", (when, task_id))

    def forget_task(self, task_id: str) -> None:
        """Delete every row of a task. Its journal and volume are the caller's business."""
        with self.transaction():
            for table in ("messages", "asks", "runs"):
                self._db.execute(f"DELETE FROM {table} WHERE task = ?", (task_id,))  # noqa: S608 - three constants
            self._db.execute("DELETE FROM tasks WHERE id = ?", (task_id,))

    # -- runs

    def add_run(self, run: Run) -> None:
        with self._translated():
            self._db.execute(
                "INSERT INTO runs (task, number, container, created, cost_before)"
                " VALUES (?, ?, ?, ?, ?)",
                (run.task, run.number, run.container, run.created, run.cost_before),
            )

    def save_run(self, run: Run) -> None:
        with self._translated():
            self._db.execute(
                "UPDATE runs SET container = ?, ended = ?, exit_code = ?"
                " WHERE task = ? AND number = ?",
                (run.container, run.ended, run.exit_code, run.task, run.number),
            )

    def runs(self, task_id: str) -> list[Run]:
        rows = self._rows("SELECT * FROM runs WHERE task = ? ORDER BY number", task_id)
        return [msgspec.convert(dict(row), Run) for row in rows]

    def open_runs(self) -> list[Run]:
        """Runs whose end was not seen yet: after a crash they are adopted."""
        rows = self._rows("SELECT * FROM runs WHERE ended IS NULL ORDER BY created")
        return [msgspec.convert(dict(row), Run) for row in rows]

    # -- asks

    def add_ask(self, ask: Ask) -> Ask | None:
        """Insert it unless its request is known already. Returns it with its id, or None."""
        with self._translated():
            cursor = self._db.execute(
                "INSERT OR IGNORE INTO asks"
                " (task, run, request, kind, tool, title, input, details, state, created)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
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
                ),
            )
        if not cursor.rowcount:
            return None
        return msgspec.structs.replace(ask, id=cursor.lastrowid or 0)

    def ask(self, ask_id: int) -> Ask:
        rows = self._rows("SELECT * FROM asks WHERE id = ?", ask_id)
        if not rows:
            raise NotFound(f"there is no ask {ask_id}", hint="`ctui task show` lists them")
        return _ask(rows[0])

    def asks(self, *states: AskState, task: str | None = None) -> list[Ask]:
        """Asks in any of the states, oldest first."""
        marks = ", ".join("?" * len(states))
        rows = self._rows(
            f"SELECT * FROM asks WHERE state IN ({marks}) AND (? IS NULL OR task = ?) ORDER BY id",  # noqa: S608 - question marks only
            *states,
            task,
            task,
        )
        return [_ask(row) for row in rows]

    def pending_after(self, ask_id: int, *, most: int, task: str | None = None) -> list[Ask]:
        """Return the next asks behind one that nobody has answered, oldest first."""
        rows = self._rows(
            "SELECT * FROM asks WHERE state = ?1 AND id > ?2 AND (?3 IS NULL OR task = ?3)"
            " ORDER BY id LIMIT ?4",
            AskState.PENDING,
            ask_id,
            task,
            most,
        )
        return [_ask(row) for row in rows]

    def pending_counts(self) -> dict[str, int]:
        """Return how many asks of each task wait for an answer."""
        rows = self._rows(
            "SELECT task, COUNT(*) AS asks FROM asks WHERE state = ? GROUP BY task",
            AskState.PENDING,
        )
        return {row["task"]: row["asks"] for row in rows}

    def claim_ask(self, ask_id: int, answer: Answer) -> bool:
        """Accept this answer if nobody answered before: the one place where that is decided."""
        with self._translated():
            cursor = self._db.execute(
                "UPDATE asks SET state = ?, answer = ? WHERE id = ? AND state = ?",
                (AskState.ANSWERED, _text(answer), ask_id, AskState.PENDING),
            )
        return cursor.rowcount == 1

    def move_ask(self, ask_id: int, before: AskState, after: AskState) -> bool:
        """Change the state if it is still `before`."""
        with self._translated():
            cursor = self._db.execute(
                "UPDATE asks SET state = ? WHERE id = ? AND state = ?", (after, ask_id, before)
            )
        return cursor.rowcount == 1

    # -- messages

    def add_message(self, message: Message) -> None:
        with self._translated():
            self._db.execute(
                "INSERT OR IGNORE INTO messages (id, task, text, created) VALUES (?, ?, ?, ?)",
                (message.id, message.task, message.text, message.created),
            )

    def messages(self, task_id: str) -> list[Message]:
        """Everything that the person told the task, its prompt first."""
        rows = self._rows("SELECT * FROM messages WHERE task = ? ORDER BY created, rowid", task_id)
        return [msgspec.convert(dict(row), Message) for row in rows]

    def undelivered(self, task_id: str) -> list[Message]:
        rows = self._rows(
            "SELECT * FROM messages WHERE task = ? AND delivered IS NULL ORDER BY created, rowid",
            task_id,
        )
        return [msgspec.convert(dict(row), Message) for row in rows]

    def last_message(self, task_id: str) -> Message | None:
        rows = self._rows(
            "SELECT * FROM messages WHERE task = ? ORDER BY created DESC, rowid DESC LIMIT 1",
            task_id,
        )
        return msgspec.convert(dict(rows[0]), Message) if rows else None

    def mark_delivered(self, message_id: str) -> bool:
        with self._translated():
            cursor = self._db.execute(
                "UPDATE messages SET delivered = ? WHERE id = ? AND delivered IS NULL",
                (now(), message_id),
            )
        return cursor.rowcount == 1

    # -- worktree records and trust

    def save_worktree(self, path: str, repository: str, record: bytes) -> None:
        with self._translated():
            self._db.execute(
                "INSERT INTO worktrees (path, repository, record) VALUES (?, ?, ?)"
                " ON CONFLICT (path) DO UPDATE SET repository = ?2, record = ?3",
                (path, repository, record.decode()),
            )

    def worktrees(self, repository: str) -> list[bytes]:
        rows = self._rows("SELECT record FROM worktrees WHERE repository = ?", repository)
        return [row["record"].encode() for row in rows]

    def repositories(self) -> list[str]:
        """The `.git` folder of every repository that a task or a worktree's record names."""
        rows = self._rows("SELECT repository FROM tasks UNION SELECT repository FROM worktrees")
        return [row["repository"] for row in rows]

    def forget_worktree(self, path: str) -> None:
        with self._translated():
            self._db.execute("DELETE FROM worktrees WHERE path = ?", (path,))

    def trust(self, repository: str) -> None:
        with self._translated():
            self._db.execute(
                "INSERT OR IGNORE INTO trusted_repositories VALUES (?, ?)", (repository, now())
            )

    def trusts(self, repository: str) -> bool:
        return bool(
            self._rows("SELECT 1 FROM trusted_repositories WHERE repository = ?", repository)
        )


def _text(record: msgspec.Struct) -> str:
    return msgspec.json.encode(record).decode()


def _task(row: sqlite3.Row) -> Task:
    task = msgspec.json.decode(row["record"], type=Task)
    task.removed = row["removed"]
    return task


def _ask(row: sqlite3.Row) -> Ask:
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
