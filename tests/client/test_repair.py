"""`ctui doctor --repair` on stores that were really damaged: nothing is lost or deleted."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sqlite3
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from ctui.client import driver_process
from ctui.client.health.repair import Repair, repair
from ctui.client.health.store_health import check_state
from ctui.client.worktrees.worktrees import make_worktree, records
from ctui.errors import CtuiError, Refused, StoreDamaged, StoreLocked, Unavailable
from ctui.git.repository.repository import open_repository
from ctui.paths import Paths
from ctui.tasks.asks.kinds.permission import Grantable
from ctui.tasks.journal.archive import Entry
from ctui.tasks.journal.task_file import FILE_NAME, read_task_file, write_task_file
from ctui.tasks.model import Ask, AskKind, AskState, EndReason, Message, Run, Task, TaskState
from ctui.tasks.store import Store
from tests.cli.commands import ctui, refused
from tests.conftest import git


@pytest.fixture(autouse=True)
def no_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "nowhere")


def task(name: str, **more: object) -> Task:
    made = Task(
        id=name,
        repository="/r/.git",
        worktree=f"/w/{name}",
        metadata=None,
        branch=f"ctui/{name}",
        base=None,
        session=str(uuid.uuid4()),
        prompt=f"prompt of {name}",
        created=1,
        state=TaskState.IDLE,
    )
    return msgspec.structs.replace(made, **more)


def ask(name: str) -> Ask:
    return Ask(
        id=0,
        task=name,
        run=1,
        request="r",
        kind=AskKind.PERMISSION,
        tool="Bash",
        title="t",
        input=msgspec.Raw(b"{}"),
    )


def journal(paths: Paths, name: str, *lines: dict[str, object], run: int = 1) -> None:
    folder = paths.task(name)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "journal.jsonl").open("ab") as file:
        for number, line in enumerate(lines):
            entry = Entry(number + 10, run, "out", json.dumps(line))
            file.write(msgspec.json.encode(entry) + b"\n")


@pytest.fixture
def store(paths: Paths) -> Iterator[Path]:
    """A store with forty tasks, each with a run, a message and a journal; and a grant."""
    paths.state.mkdir(parents=True, mode=0o700)
    with closing(Store(paths.database)) as store:
        for number in range(40):
            name = f"task-{number:02}"
            store.tasks.add(task(name, result="x" * 500))
            store.runs.add(Run(task=name, number=1, container="c", created=1, ended=2))
            store.messages.add(Message(id=name, task=name, text="t", created=1, delivered=2))
            journal(paths, name, {"type": "system"})
        store.grants.add("/r/.git", Grantable("Bash", "make"), "task-00", 1)
    yield paths.database
    names = {path.name for path in paths.state.iterdir()}
    assert not [name for name in names if name.startswith("repair-")]


def damaged_copies(paths: Paths) -> list[Path]:
    return sorted(paths.state.glob("ctui.db.damaged-*[0-9]"))


def all_tasks(paths: Paths) -> dict[str, Task]:
    with closing(Store(paths.database)) as store:
        return {task.id: task for task in store.tasks.list()}


def problem(paths: Paths) -> str:
    """What `ctui doctor` says of the store, with the way out as its hint."""
    with pytest.raises(StoreDamaged) as caught:
        check_state(paths)
    assert "doctor --repair" in caught.value.hint
    return caught.value.message


async def mended(paths: Paths) -> Repair:
    """Repair, after which there is nothing more to be said."""
    outcome = await repair(paths)
    check_state(paths)
    assert (await repair(paths)).done == []
    return outcome


async def test_a_store_that_is_whole_is_left_alone(paths: Paths, store: Path) -> None:
    before = store.stat().st_ino
    outcome = await repair(paths)
    assert outcome.done == []
    assert store.stat().st_ino == before
    assert damaged_copies(paths) == []


@pytest.mark.parametrize("how", ["zero", "gone", "noise"])
async def test_what_is_lost_altogether_comes_back_from_the_folders(
    paths: Paths, store: Path, how: str
) -> None:
    """S5: every task whose folder is there is adopted, also from a record beside the journal."""
    write_task_file(paths.task("task-07"), task("task-07", turns=3, state=TaskState.RUNNING))
    for end in ("-wal", "-shm"):
        store.with_name(store.name + end).unlink(missing_ok=True)
    match how:
        case "zero":
            store.write_bytes(b"")
        case "gone":
            store.unlink()
        case _:
            store.write_bytes(b"\x07" * 9000)
    problem(paths)
    outcome = await mended(paths)
    found = all_tasks(paths)
    assert len(found) == 40
    assert len([line for line in outcome.done if line.startswith("adopted task")]) == 40
    seventh = found["task-07"]
    assert (seventh.turns, seventh.state, seventh.reason) == (3, "ended", EndReason.STOPPED)
    assert seventh.worktree == "/w/task-07"
    assert len(damaged_copies(paths)) == (how != "gone")


async def test_what_a_journal_tells_is_in_the_task(paths: Paths, store: Path) -> None:
    """S5: without a record, the session, the person's words and the figures are in the journal."""
    session, said = str(uuid.uuid4()), str(uuid.uuid4())
    journal(
        paths,
        "older",
        {"type": "system", "subtype": "init", "session_id": session},
        {
            "type": "user",
            "uuid": said,
            "isReplay": True,
            "message": {"role": "user", "content": "Mend it"},
        },
        {"type": "result", "subtype": "success", "result": "Done.", "total_cost_usd": 0.5},
        {"type": "nonsense", "uuid": 5},
        run=3,
    )
    with (paths.task("older") / "journal.jsonl").open("ab") as file:
        file.write(b"\0\0{cut off")
    assert "lost tasks whose folders are there: older" in problem(paths)
    await mended(paths)
    found = all_tasks(paths)["older"]
    assert (found.session, found.prompt, found.result) == (session, "Mend it", "Done.")
    assert (found.turns, found.cost, found.state) == (1, 0.5, TaskState.ENDED)
    with closing(Store(store)) as again:
        assert [run.number for run in again.runs.of("older")] == [1, 2, 3]
        assert again.runs.open() == []
        assert [message.id for message in again.messages.of("older")] == [said]
        assert again.messages.undelivered("older") == []


@pytest.mark.usefixtures("store")
async def test_a_record_that_is_older_than_the_journal_costs_no_turn(paths: Paths) -> None:
    """S5: a driver is killed after a turn's end, before it wrote the task's record again."""
    turn = {"type": "result", "subtype": "success", "result": "First.", "total_cost_usd": 0.5}
    journal(paths, "older", turn)
    journal(paths, "older", turn | {"result": "Second.", "total_cost_usd": 0.25}, run=2)
    write_task_file(paths.task("older"), task("older", turns=1, cost=0.5, result="First."))
    await mended(paths)
    found = all_tasks(paths)["older"]
    assert (found.turns, found.cost, found.result) == (2, 0.75, "Second.")
    assert found.prompt == "prompt of older"


@pytest.mark.parametrize("page", range(3, 30, 3))
async def test_a_damaged_page_costs_no_task(paths: Paths, store: Path, page: int) -> None:
    """S5, S17: what the page held comes back from the folders, all else from the file itself."""
    data = bytearray(store.read_bytes())
    if page * 4096 >= len(data):
        pytest.skip("the file has no such page")
    data[page * 4096 : (page + 1) * 4096] = os.urandom(4096)
    store.write_bytes(data)
    problem(paths)
    await mended(paths)
    assert len(all_tasks(paths)) == 40
    assert len(damaged_copies(paths)) == 1
    assert damaged_copies(paths)[0].read_bytes() == bytes(data)


@pytest.mark.parametrize("size", [100, 4096, 5000, 40_000])
async def test_a_file_that_is_cut_costs_no_task(paths: Paths, store: Path, size: int) -> None:
    """S5: as a full disk or a copy that was broken off leaves it."""
    os.truncate(store, size)
    problem(paths)
    await mended(paths)
    assert len(all_tasks(paths)) == 40


async def test_an_unreadable_record_is_named_and_its_task_rebuilt(
    paths: Paths, store: Path
) -> None:
    """S5: what cannot be read is skipped and said; all others stay byte for byte."""
    before = all_tasks(paths)
    with closing(sqlite3.connect(store)) as raw:
        raw.execute("UPDATE tasks SET record = '{' WHERE id = 'task-03'")
        raw.execute("UPDATE messages SET text = CAST(x'ff' AS TEXT) WHERE id = 'task-05'")
        raw.execute("INSERT INTO quarantine VALUES (1, 'runs', '{}', 'of an earlier repair', 1)")
        raw.commit()
    with closing(Store(store)) as damaged:
        added = damaged.asks.add(ask("task-03"))
    listed = ctui(paths.state, "task", "list").stdout
    assert "task-02" in listed
    said = problem(paths)
    assert "records that cannot be used: tasks task-03, messages task-05" in said
    outcome = await mended(paths)
    assert {line.split(":")[0] for line in outcome.left} >= {
        "skipped tasks task-03",
        "skipped messages task-05",
    }
    after = all_tasks(paths)
    assert after.pop("task-03").state is TaskState.ENDED
    before.pop("task-03")
    assert after == before
    with closing(Store(store)) as again:
        assert [run.number for run in again.runs.of("task-03")] == [1]
        assert len(again.grants.of()) == 1
        # Its run is over, so nobody waits for an answer.
        assert added is not None
        assert again.asks.get(added.id).state is AskState.CANCELLED
        assert again.quarantined_places() == {"task-03": "/w/task-03"}
    with closing(sqlite3.connect(store)) as raw:
        reasons = [row[0] for row in raw.execute("SELECT reason FROM quarantine ORDER BY id")]
    assert reasons[0] == "of an earlier repair"
    assert len(reasons) == 3


async def test_rows_without_their_task_are_set_aside(paths: Paths, store: Path) -> None:
    """S2: a task that is gone from the store but has a run; nothing stands still because of it."""
    with closing(sqlite3.connect(store)) as raw:
        raw.execute("PRAGMA foreign_keys = OFF")
        raw.execute(
            "INSERT INTO runs (task, number, container, created, cost_before)"
            " VALUES ('nobody', 1, 'c', 1, 0)"
        )
        raw.commit()
    assert "runs nobody/1" in problem(paths)
    outcome = await mended(paths)
    assert "skipped runs nobody/1: its task is missing" in outcome.left
    assert len(all_tasks(paths)) == 40
    assert damaged_copies(paths) == []


async def test_the_file_that_was_moved_away_as_an_older_ctui_said_is_read(
    paths: Paths, store: Path
) -> None:
    """S5: the tasks come back as they were, and what was revoked since does not."""
    before = all_tasks(paths)
    store.rename(store.with_name("ctui.db.damaged"))
    await mended(paths)
    assert all_tasks(paths) == before
    with closing(Store(store)) as again:
        assert again.grants.of() == []


async def test_a_newer_store_is_one_line_and_not_touched(paths: Paths, store: Path) -> None:
    with closing(sqlite3.connect(store)) as raw:
        raw.execute("PRAGMA user_version = 99")
    data = store.read_bytes()
    with pytest.raises(Refused, match="newer ctui"):
        await repair(paths)
    assert "newer ctui" in refused(paths.state, "task", "list")
    assert store.read_bytes() == data


async def test_a_locked_store_is_one_line_and_not_touched(paths: Paths, store: Path) -> None:
    """S11: doctor says it within seconds."""
    with closing(sqlite3.connect(store, isolation_level=None)) as raw:
        raw.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreLocked):
            check_state(paths)
        with pytest.raises(StoreLocked):
            await repair(paths)
    check_state(paths)


def test_every_command_says_how_a_lost_store_comes_back(paths: Paths, store: Path) -> None:
    """S5, S17: a store of no bytes is not "no tasks yet"."""
    store.write_bytes(b"")
    folder = paths.state
    for command in (
        ("task", "list"),
        ("task", "show", "task-01"),
        ("config", "grants"),
        ("clean", "--force"),
    ):
        said = refused(folder, *command)
        assert "is empty, but there are journals of its tasks" in said
        assert "ctui doctor --repair" in said
    assert "is empty" in ctui(folder, "doctor", code=1).stdout
    done = ctui(folder, "doctor", "--repair", code=1)
    assert "adopted task task-01 (ended" in done.stderr
    assert "NO  state" not in done.stdout
    assert len(json.loads(ctui(folder, "task", "list", "--json").stdout)) == 40


def test_a_full_or_read_only_state_folder_is_said(
    paths: Paths, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S17: a limit on the size of files stands for a disk that is full."""
    script = (
        "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000));"
        "from ctui.client.health.store_health import check_state; from ctui.paths import Paths;"
        "check_state(Paths.from_environment())"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", script], capture_output=True, text=True, check=False
    )
    assert "nothing can be written into" in done.stderr
    assert store.stat().st_size > 1000
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(CtuiError, match="cannot be written"):
        check_state(paths)


@pytest.mark.parametrize("stopped", [False, True])
def test_a_driver_that_does_not_answer_is_ended(
    paths: Paths, store: Path, stopped: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S5: the driver that uses the damaged file lets go of it, also where it stands still."""
    monkeypatch.setattr(driver_process, "_HAND_OVER_SECONDS", 0.2)
    monkeypatch.setattr(driver_process, "_END_SECONDS", 0.5)
    script = (
        "import sys, time; from pathlib import Path; from ctui.file_lock import FileLock;"
        f"lock = FileLock(Path({str(paths.driver_lock)!r})); lock.acquire();"
        "print('held', flush=True); time.sleep(90)"
    )
    holder = subprocess.Popen(
        [sys.executable, "-P", "-c", script, "ctui.tasks.driver.process"], stdout=subprocess.PIPE
    )
    assert holder.stdout is not None
    try:
        assert holder.stdout.readline() == b"held\n"
        assert driver_process.lock_holder(paths.driver_lock) == holder.pid
        if stopped:
            holder.send_signal(signal.SIGSTOP)
        store.write_bytes(b"")
        asyncio.run(repair(paths))
        assert holder.wait(5) == -(signal.SIGKILL if stopped else signal.SIGTERM)
    finally:
        holder.kill()
        holder.wait()
        holder.stdout.close()
    assert len(all_tasks(paths)) == 40


async def test_worktrees_are_recorded_again(paths: Paths, repository: Path) -> None:
    """S5: what lies in ctui's own folder is known again, and its task goes on there."""
    found = open_repository(repository)
    made = await make_worktree(paths, found, prefix="ctui/", name="api")
    journal(paths, "api", {"type": "system"})
    paths.database.unlink()
    await mended(paths)
    assert records(paths, found)[made.metadata].path == made.path
    task = all_tasks(paths)["api"]
    assert (task.worktree, task.metadata, task.branch) == (made.path, made.metadata, "ctui/api")
    assert task.base == found.target().commit


async def test_a_task_without_a_place_can_be_read(paths: Paths, store: Path) -> None:
    """S5: a journal is no witness of where a task works."""
    journal(paths, "astray", {"type": "system", "subtype": "init", "cwd": "/etc"})
    outcome = await mended(paths)
    assert [line for line in outcome.done if "astray" in line] == [
        "adopted task astray (ended, and nothing tells which worktree was its own)"
    ]
    found = all_tasks(paths)["astray"]
    assert not Path(found.worktree).exists()
    assert store.exists()


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b"\xff" * 50, b'{"id":"other"}'])
def test_a_record_that_cannot_be_read_is_none(tmp_path: Path, content: bytes) -> None:
    folder = tmp_path / "one"
    write_task_file(folder, task("one"))
    assert read_task_file(folder) == task("one", session=read_session(folder))
    (folder / FILE_NAME).write_bytes(content)
    assert read_task_file(folder) is None
    (folder / FILE_NAME).unlink()
    (folder / FILE_NAME).symlink_to("/dev/zero")
    assert read_task_file(folder) is None
    write_task_file(folder, task("two"))
    assert read_task_file(folder) is None


def read_session(folder: Path) -> str:
    found: str = json.loads((folder / FILE_NAME).read_bytes())["session"]
    return found


def test_a_record_that_cannot_be_written_leaves_the_one_before(tmp_path: Path) -> None:
    """S18: on a full disk, what was there stays whole."""
    write_task_file(tmp_path / "one", task("one", turns=1))
    (tmp_path / "one" / f"{FILE_NAME}.new").mkdir()
    with pytest.raises(Unavailable):
        write_task_file(tmp_path / "one", task("one", turns=2))
    found = read_task_file(tmp_path / "one")
    assert found is not None
    assert found.turns == 1


def test_no_worktree_is_left_behind_by_a_store_that_cannot_be_used(
    paths: Paths, repository: Path
) -> None:
    """S22: the store is looked at before anything is made."""
    paths.state.mkdir(parents=True, mode=0o700)
    journal(paths, "one", {"type": "system"})
    paths.database.write_bytes(b"")
    said = refused(repository, "worktree", "create", "api")
    assert "doctor --repair" in said
    assert list(paths.worktrees.glob("*/*")) == []
    assert git(repository, "branch", "--list", "ctui/*") == ""


def test_a_store_that_fails_on_the_way_leaves_no_worktree(paths: Paths, repository: Path) -> None:
    """S22: the store takes nothing more just when the worktree was made."""
    paths.state.mkdir(parents=True, mode=0o700)
    with closing(Store(paths.database)):
        pass
    with closing(sqlite3.connect(paths.database)) as raw:
        raw.execute(
            "CREATE TRIGGER refuses BEFORE INSERT ON worktrees"
            " BEGIN SELECT RAISE(ABORT, 'it is full'); END"
        )
        raw.commit()
    assert "it is full" in refused(repository, "worktree", "create", "api")
    assert list(paths.worktrees.glob("*/[!.]*")) == []
    assert git(repository, "branch", "--list", "ctui/*") == ""
