from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

import msgspec
import pytest

from ctui.errors import Conflict, NotFound
from ctui.tasks.model import Answer, Ask, AskKind, AskState, Message, Run, Task
from ctui.tasks.schema import MIGRATIONS
from ctui.tasks.store import Store


def task(name: str = "one") -> Task:
    return Task(
        id=name,
        repository="/r/.git",
        worktree=f"/w/{name}",
        metadata=None,
        branch="main",
        base=None,
        session="s",
        prompt="p",
    )


def ask(request: str = "r1") -> Ask:
    return Ask(
        id=0,
        task="one",
        run=1,
        request=request,
        kind=AskKind.PERMISSION,
        tool="Bash",
        title="t",
        input=msgspec.Raw(b'{"command":"ls"}'),
    )


@pytest.fixture
def store(tmp_path: Path) -> Store:
    made = Store(tmp_path / "ctui.db")
    made.add_task(task())
    return made


def test_what_is_stored_is_read_back_the_same(store: Store) -> None:
    assert store.tasks() == [store.task("one")]
    added = store.add_ask(ask())
    assert added is not None
    assert bytes(store.ask(added.id).input) == b'{"command":"ls"}'


def test_an_id_is_given_once(store: Store) -> None:
    with pytest.raises(Conflict):
        store.add_task(task())


def test_a_request_that_is_read_again_is_the_same_ask(store: Store) -> None:
    assert store.add_ask(ask()) is not None
    assert store.add_ask(ask()) is None
    assert len(store.asks(AskState.PENDING)) == 1


def test_of_many_answers_at_once_one_is_accepted(tmp_path: Path, store: Store) -> None:
    added = store.add_ask(ask())
    assert added is not None
    accepted: list[str] = []
    start = threading.Barrier(8)

    def answer(who: str) -> None:
        mine = Store(tmp_path / "ctui.db")
        start.wait()
        if mine.claim_ask(added.id, Answer("allow", by=who)):
            accepted.append(who)
        mine.close()

    threads = [threading.Thread(target=answer, args=(str(n),)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(accepted) == 1
    answer_kept = store.ask(added.id).answer
    assert answer_kept is not None
    assert answer_kept.by == accepted[0]


def test_messages_wait_in_order_until_their_receipt(store: Store) -> None:
    for number in range(3):
        store.add_message(Message(id=str(number), task="one", text="t", created=number))
    assert store.mark_delivered("1")
    assert not store.mark_delivered("1")
    assert [message.id for message in store.undelivered("one")] == ["0", "2"]


def test_a_removed_task_is_gone_from_the_list_and_its_id_stays_taken(store: Store) -> None:
    store.mark_removed("one")
    assert store.tasks() == []
    assert store.task_ids() == {"one"}
    with pytest.raises(NotFound):
        store.task("one")


def test_open_runs_are_those_without_an_end(store: Store) -> None:
    store.add_run(Run(task="one", number=1, container="c", created=1))
    store.add_run(Run(task="one", number=2, container="c", created=2))
    store.save_run(Run(task="one", number=1, container="c", created=1, ended=5, exit_code=0))
    assert [run.number for run in store.open_runs()] == [2]


def test_two_processes_that_migrate_at_once_take_turns(tmp_path: Path) -> None:
    path = tmp_path / "new.db"
    errors: list[Exception] = []
    start = threading.Barrier(6)

    def open_it() -> None:
        start.wait()
        try:
            Store(path).close()
        except Exception as error:  # noqa: BLE001 - the test looks at it
            errors.append(error)

    threads = [threading.Thread(target=open_it) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    database = sqlite3.connect(path)
    assert database.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS),)
    database.close()
