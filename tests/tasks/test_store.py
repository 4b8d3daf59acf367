from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

import msgspec
import pytest

from ctui.config import Config, SandboxConfig
from ctui.errors import Conflict, NotFound, StoreLocked, StoreUnavailable
from ctui.sandbox.runner import Seen
from ctui.tasks.asks.kinds.permission import Grantable
from ctui.tasks.database.schema import MIGRATIONS
from ctui.tasks.model import Answer, Ask, AskKind, AskState, Message, Run, Task
from ctui.tasks.store import Store, Unfinished


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
    made.tasks.add(task())
    return made


def test_what_is_stored_is_read_back_the_same(store: Store) -> None:
    assert store.tasks.list() == [store.tasks.get("one")]
    added = store.asks.add(ask())
    assert added is not None
    assert bytes(store.asks.get(added.id).input) == b'{"command":"ls"}'


def test_an_id_is_given_once(store: Store) -> None:
    with pytest.raises(Conflict):
        store.tasks.add(task())


def test_a_request_that_is_read_again_is_the_same_ask(store: Store) -> None:
    assert store.asks.add(ask()) is not None
    assert store.asks.add(ask()) is None
    assert len(store.asks.list(AskState.PENDING)) == 1


def test_of_many_answers_at_once_one_is_accepted(tmp_path: Path, store: Store) -> None:
    added = store.asks.add(ask())
    assert added is not None
    accepted: list[str] = []
    start = threading.Barrier(8)

    def answer(who: str) -> None:
        mine = Store(tmp_path / "ctui.db")
        start.wait()
        if mine.asks.claim(added.id, Answer("allow", by=who)):
            accepted.append(who)
        mine.close()

    threads = [threading.Thread(target=answer, args=(str(n),)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(accepted) == 1
    answer_kept = store.asks.get(added.id).answer
    assert answer_kept is not None
    assert answer_kept.by == accepted[0]


def test_messages_wait_in_order_until_their_receipt(store: Store) -> None:
    for number in range(3):
        store.messages.add(Message(id=str(number), task="one", text="t", created=number))
    assert not store.messages.mark_delivered("two", "1")
    assert store.messages.mark_delivered("one", "1")
    assert not store.messages.mark_delivered("one", "1")
    assert [message.id for message in store.messages.undelivered("one")] == ["0", "2"]


def test_a_removed_task_is_gone_from_the_list_and_its_id_stays_taken(store: Store) -> None:
    store.tasks.mark_removed("one")
    assert store.tasks.list() == []
    assert store.tasks.ids() == {"one"}
    with pytest.raises(NotFound):
        store.tasks.get("one")


def test_open_runs_are_those_without_an_end(store: Store) -> None:
    store.runs.add(Run(task="one", number=1, container="c", created=1))
    store.runs.add(Run(task="one", number=2, container="c", created=2))
    store.runs.save(Run(task="one", number=1, container="c", created=1, ended=5, exit_code=0))
    assert [run.number for run in store.runs.open()] == [2]


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


def test_a_store_in_memory_needs_no_file(tmp_path: Path) -> None:
    store = Store(":memory:")
    store.tasks.add(task())
    assert store.tasks.ids() == {"one"}
    store.close()
    assert list(tmp_path.iterdir()) == []


def test_a_transaction_inside_another_is_a_part_of_it(store: Store) -> None:
    def say(number: int, *, fail: bool = False) -> None:
        with store.transaction():
            text = Message(id=str(number), task="one", text="t", created=number)
            store.messages.add(text)
            if fail:
                raise RuntimeError

    def say_both() -> None:
        with store.transaction():
            say(1)
            say(2, fail=True)

    with pytest.raises(RuntimeError):
        say_both()
    assert store.messages.of("one") == []
    with store.transaction():
        say(3)
        with pytest.raises(RuntimeError):
            say(4, fail=True)
    assert [message.id for message in store.messages.of("one")] == ["3"]


def test_what_goes_wrong_inside_a_transaction_is_not_called_the_stores_fault(store: Store) -> None:
    with pytest.raises(PermissionError), store.transaction():
        raise PermissionError


def test_front_ends_sync_each_commit_and_drivers_those_that_count(tmp_path: Path) -> None:
    """What a person revokes or trusts stays so, whatever happens to the power."""
    store = Store(tmp_path / "ctui.db")

    def synchronous() -> int:
        row = store._database.row("PRAGMA synchronous")
        assert row is not None
        return int(row[0])

    assert synchronous() == 2
    store.never_wait()
    assert synchronous() == 1
    store.close()


def test_a_store_that_nobody_has_written_to_can_be_synced(tmp_path: Path) -> None:
    store = Store(tmp_path / "ctui.db")
    (tmp_path / "ctui.db-wal").unlink(missing_ok=True)
    store.sync()
    store.close()


def test_a_driver_waits_for_no_lock(tmp_path: Path) -> None:
    """Each wait would hold up the loop of all tasks."""
    path = tmp_path / "ctui.db"
    mine = Store(path, busy_seconds=600.0)
    mine.never_wait()
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreLocked):
        mine.tasks.add(task())
    other.close()
    mine.close()


def test_a_store_that_is_locked_says_so_and_can_be_used_afterwards(tmp_path: Path) -> None:
    """S11: neither a write nor a transaction that began leaves anything behind."""
    path = tmp_path / "ctui.db"
    mine = Store(path, busy_seconds=0.05)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreLocked, match="locked"):
        mine.tasks.add(task())
    with pytest.raises(StoreLocked), mine.transaction():
        pytest.fail("nothing begins")
    assert mine.tasks.list() == []
    other.execute("ROLLBACK")
    other.close()
    mine.tasks.add(task())
    assert mine.tasks.ids() == {"one"}
    mine.close()


def test_a_full_store_takes_nothing_and_goes_on_when_there_is_space(tmp_path: Path) -> None:
    """S18: a full disk ends the transaction, and nothing stays open behind it."""
    path = tmp_path / "ctui.db"
    mine = Store(path)
    mine.tasks.add(task())
    [pages] = mine._database.execute("PRAGMA page_count").fetchone()
    mine._database.execute(f"PRAGMA max_page_count = {pages}").fetchall()
    long = Message(id="0", task="one", text="t" * 1_000_000, created=0)
    with pytest.raises(StoreUnavailable, match="full"), mine.transaction():
        mine.messages.add(long)
    assert mine.messages.of("one") == []
    mine._database.execute("PRAGMA max_page_count = 100000").fetchall()
    mine.messages.add(Message(id="1", task="one", text="t", created=1))
    assert len(mine.messages.of("one")) == 1
    mine.close()


def test_how_far_a_run_was_read_is_kept_with_it(store: Store) -> None:
    store.runs.add(Run(task="one", number=1, container="c", created=1))
    assert store.runs.seen("one", 1) is None
    assert store.runs.seen("one", 2) is None
    store.runs.set_seen("one", 1, 5, 0)
    assert store.runs.seen("one", 1) == Seen(out=5, err=0)
    last = store.runs.last("one")
    assert last is not None
    store.runs.save(last)
    assert store.runs.seen("one", 1) == Seen(5, 0)


def test_asks_are_counted_and_listed_by_run(store: Store) -> None:
    for run in (1, 2):
        for number in range(run):
            store.asks.add(msgspec.structs.replace(ask(f"r{number}"), run=run))
    assert store.asks.count("one", 2, AskState.PENDING) == 2
    assert store.asks.count("one", 2, AskState.ANSWERED) == 0
    assert store.asks.count("one", None, *AskState) == 3
    assert [found.run for found in store.asks.list(AskState.PENDING, task="one", run=1)] == [1]
    assert store.asks.pending_by_task() == {"one": 3}


def test_a_store_of_each_older_version_is_brought_to_the_newest(tmp_path: Path) -> None:
    for version in range(1, len(MIGRATIONS)):
        path = tmp_path / f"{version}.db"
        old = sqlite3.connect(path)
        old.executescript("".join(MIGRATIONS[:version]))
        record = msgspec.json.encode(task()).decode()
        old.execute(
            "INSERT INTO tasks (id, state, worktree, repository, created, record)"
            " VALUES ('one', 'queued', '/w/one', '/r/.git', 1, ?)",
            (record,),
        )
        old.execute(
            "INSERT INTO runs (task, number, container, created, cost_before)"
            " VALUES ('one', 1, 'c', 1, 0)"
        )
        if version < 3:
            old.execute("INSERT INTO trusted_repositories VALUES ('/r/.git', 7)")
        old.execute(f"PRAGMA user_version = {version}")
        old.commit()
        old.close()
        new = Store(path)
        assert new.tasks.get("one") == task()
        assert [run.task for run in new.runs.open()] == ["one"]
        assert new.runs.seen("one", 1) is None
        assert new.unfinished.all() == {}
        assert (new.unfinished.of("one"), new.unfinished.config("one")) == (Unfinished(), None)
        if version < 3:
            [trusted] = new.trust.list()
            assert (trusted.repository, trusted.digest, trusted.created) == ("/r/.git", "", 7)
            assert not new.trust.covers("/r/.git", "")
        new.close()


def test_what_is_under_way_is_kept_beside_the_task_and_hides_nothing(store: Store) -> None:
    config = Config(sandbox=SandboxConfig(memory="1g"))
    store.unfinished.save("one", Unfinished(intent="stopped", again=True))
    store.unfinished.set_config("one", config)
    store.tasks.save(store.tasks.get("one"))
    assert store.unfinished.all() == {"one": Unfinished(intent="stopped", again=True)}
    assert store.unfinished.config("one") == config
    for damage in ("'{'", "CAST(x'ff' AS TEXT)"):
        store._database.execute(f"UPDATE tasks SET unfinished = {damage}, config = {damage}")  # noqa: S608 - the two above
        assert (store.unfinished.of("one"), store.unfinished.config("one")) == (Unfinished(), None)
    assert store.tasks.list() == [task()]
    store.unfinished.save("one", Unfinished())
    assert store.unfinished.all() == {}


def test_no_query_of_a_table_reads_all_of_it(store: Store) -> None:
    """Every statement that the tables make is served by an index."""
    seen: list[str] = []
    store._database._db.set_trace_callback(seen.append)
    store.tasks.list()
    store.tasks.list(removed=True)
    store.tasks.list(worktree="/w/one")
    store.tasks.get("one")
    store.unfinished.all()
    store.unfinished.of("one")
    store.runs.of("one")
    store.runs.last("one")
    store.runs.open()
    store.asks.list(AskState.PENDING, AskState.ANSWERED)
    store.asks.list(*AskState, task="one", run=1)
    store.asks.count("one", 1, *AskState)
    store.asks.pending_by_task()
    store.messages.of("one")
    store.messages.undelivered("one")
    store.messages.last("one")
    store.messages.get("one", "1")
    message = Message(id="1", task="one", text="t", created=1)
    store.messages.note_said(message, 1)
    store.messages.note_read(message, 2)
    store.messages.said_before("one", 3)
    store.messages.forget_said("one")
    store.grants.is_granted("/r/.git", Grantable("Bash", "ls"))
    store.host_rules.of("/r/.git", "one")
    store.worktrees.of("/r/.git")
    store.trust.covers("/r/.git", "digest")
    store.tasks.forget("one")
    store._database._db.set_trace_callback(None)
    queries = [query for query in seen if query.startswith(("SELECT", "DELETE", "UPDATE"))]
    assert len(queries) >= 19
    for query in queries:
        for row in store._database.rows(f"EXPLAIN QUERY PLAN {query}"):
            plan: str = row["detail"]
            assert not plan.startswith("SCAN") or "INDEX tasks_" in plan or "runs_open" in plan, (
                f"{query}: {plan}"
            )
