"""Damaged rows: each is said and skipped, and hides no other."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from ctui.errors import Refused, StoreDamaged
from ctui.tasks.model import Ask, AskKind, AskState, Message, Run, Task
from ctui.tasks.store import DamagedRow, Store


def task(name: str) -> Task:
    return Task(
        id=name,
        repository="/r/.git",
        worktree=f"/w/{name}",
        metadata=None,
        branch=None,
        base=None,
        session="s",
        prompt="p",
    )


def ask(name: str, request: str) -> Ask:
    return Ask(
        id=0,
        task=name,
        run=1,
        request=request,
        kind=AskKind.PERMISSION,
        tool="Bash",
        title="t",
        input=msgspec.Raw(b"{}"),
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A store with the tasks one and two, each with a run, two asks and a message."""
    store = Store(tmp_path / "ctui.db")
    for name in ("one", "two"):
        store.tasks.add(task(name))
        store.runs.add(Run(task=name, number=1, container="c", created=1))
        store.asks.add(ask(name, "a"))
        store.asks.add(ask(name, "b"))
        store.messages.add(Message(id=name, task=name, text="t", created=1))
    store.close()
    return tmp_path / "ctui.db"


@pytest.fixture
def raw(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        yield connection


@pytest.mark.parametrize(
    "record",
    [
        "",
        "{",
        "{}",
        "null",
        '{"id": 5}',
        "\0",
        "\udcff",
    ],
)
def test_an_unreadable_task_hides_no_other(
    path: Path, raw: sqlite3.Connection, record: str, caplog: pytest.LogCaptureFixture
) -> None:
    """S5: one unreadable record is skipped, named, and logged once."""
    data = record.encode("utf-8", "surrogateescape")
    raw.execute("UPDATE tasks SET record = CAST(? AS TEXT) WHERE id = 'one'", (data,))
    store = Store(path)
    with caplog.at_level(logging.WARNING):
        assert [found.id for found in store.tasks.list()] == ["two"]
        assert [found.id for found in store.tasks.list()] == ["two"]
    assert len(caplog.records) == 1
    assert [(row.table, row.key) for row in store.damaged()] == [("tasks", "one")]
    assert len(store.runs.open()) == 2
    with pytest.raises(StoreDamaged, match="task one cannot be read") as caught:
        store.tasks.get("one")
    assert "doctor --repair" in caught.value.hint
    assert store.tasks.get("two").id == "two"
    # Who asks for this worktree may want to remove it.
    with pytest.raises(StoreDamaged):
        store.tasks.list(worktree="/w/one")
    store.close()


@pytest.mark.parametrize(
    "change",
    ["kind = 'telepathy'", "answer = '{'", "input = CAST(x'ff' AS TEXT)"],
)
def test_an_unreadable_ask_hides_no_other(path: Path, raw: sqlite3.Connection, change: str) -> None:
    """S5: also where a newer ctui wrote a kind that this one does not know."""
    raw.execute(f"UPDATE asks SET {change} WHERE id = 1")  # noqa: S608 - constants from above
    store = Store(path)
    assert [found.id for found in store.asks.list(AskState.PENDING)] == [2, 3, 4]
    assert [row.table for row in store.damaged()] == ["asks"]
    with pytest.raises(StoreDamaged, match="ask 1 cannot be read"):
        store.asks.get(1)
    store.close()


def test_a_row_without_its_task_is_quarantined(path: Path, raw: sqlite3.Connection) -> None:
    """S2: a run without its task stops nobody, and is kept where it is in nobody's way."""
    raw.execute("PRAGMA foreign_keys = OFF")
    raw.execute("DELETE FROM tasks WHERE id = 'one'")
    store = Store(path)
    missing = DamagedRow("runs", "one/1", "its task is missing")
    assert [run.task for run in store.runs.open()] == ["two"]
    assert store.damaged() == [missing]
    found = store.quarantine_orphans()
    assert missing in found
    assert sorted(row.table for row in found) == ["asks", "asks", "messages", "runs"]
    assert store.quarantine_orphans() == []
    assert [run.task for run in store.runs.open()] == ["two"]
    kept = raw.execute("SELECT origin, row, reason FROM quarantine WHERE origin = 'runs'")
    [(_, row, reason)] = kept.fetchall()
    assert msgspec.json.decode(row)["container"] == "c"
    assert reason == "its task is missing"
    assert store.messages.of("two") != []
    store.close()


def test_a_store_of_a_newer_version_is_one_line(path: Path, raw: sqlite3.Connection) -> None:
    raw.execute("PRAGMA user_version = 99")
    with pytest.raises(Refused, match="newer ctui"):
        Store(path)


@pytest.mark.parametrize("how", ["gone", "empty"])
def test_a_store_that_was_lost_is_not_taken_for_a_new_one(path: Path, how: str) -> None:
    """S5, S17: beside the journals of tasks, no store is made anew in silence."""
    journal = path.parent / "tasks" / "one" / "journal.jsonl"
    journal.parent.mkdir(parents=True)
    journal.write_bytes(b"")
    if how == "gone":
        path.unlink()
    else:
        path.write_bytes(b"")
    with pytest.raises(StoreDamaged, match=f"is {how}, but there are journals") as caught:
        Store(path)
    assert "doctor --repair" in caught.value.hint
    journal.unlink()
    Store(path).close()


@pytest.mark.parametrize("damage", ["page", "cut", "noise", "schema"])
def test_a_damaged_file_is_said_with_the_way_out(path: Path, damage: str) -> None:
    """S17: a damaged page, a cut file, another file, and a missing table."""
    data = bytearray(path.read_bytes())
    if damage == "page":
        data[4096:] = b"\xff" * (len(data) - 4096)
    elif damage == "cut":
        del data[5000:]
    elif damage == "noise":
        data[:] = b"\x07" * 10_000
    if damage == "schema":
        with closing(sqlite3.connect(path)) as raw:
            raw.execute("DROP TABLE tasks")
    else:
        path.write_bytes(data)
    with pytest.raises(StoreDamaged, match="damaged") as caught, closing(Store(path)) as store:
        store.tasks.list()
    assert "doctor --repair" in caught.value.hint
