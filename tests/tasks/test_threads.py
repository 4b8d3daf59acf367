"""Comments on worktrees, as the store keeps them, and a task's answers to them."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest

from ctui.errors import NotFound, Refused
from ctui.tasks.asks import toolbox
from ctui.tasks.database.schema import MIGRATIONS
from ctui.tasks.database.worktree_index import WorktreeIndex
from ctui.tasks.store import Store
from ctui.tasks.threads import MOST_REMARKS, Thread
from tests.simulation.hostile_lines import written
from tests.simulation.hostile_world import quiet, tool_call
from tests.simulation.schedule import Schedule, in_world
from tests.tasks.test_toolbox import call


@pytest.fixture
def index(tmp_path: Path) -> WorktreeIndex:
    return WorktreeIndex(tmp_path / "ctui.db")


def commented(index: WorktreeIndex, worktree: str = "/w/one", created: int = 5) -> int:
    number = index.threads.open(worktree, "a.py", "new", 3, ["x = 1", ""], "c" * 40, created)
    index.threads.comment(number, "Why 1?", created)
    return number


def sent(index: WorktreeIndex, number: int, worktree: str = "/w/one") -> None:
    (thread,) = [one for one in index.threads.of(worktree) if one.id == number]
    index.threads.mark_sent([one.id for one in thread.unsent], "one", 7)


def only(index: WorktreeIndex, since: int = 0) -> Thread:
    (thread,) = index.threads.of("/w/one", since)
    return thread


def test_a_thread_is_read_back_with_all_that_was_said(index: WorktreeIndex) -> None:
    number = commented(index)
    thread = only(index)
    assert (thread.place, thread.quote, thread.answered) == ("a.py:3-4", ("x = 1", ""), False)
    assert [remark.text for remark in thread.unsent] == ["Why 1?"]
    sent(index, number)
    index.threads.answer(number, "/w/one", "one", "Because.", 8)
    assert (only(index).unsent, only(index).answered) == ((), True)
    index.threads.resolve(number, 9)
    assert only(index).resolved == 9
    index.threads.comment(number, "No.", 10)
    thread = only(index)
    assert (thread.resolved, thread.answered) == (None, False)
    said = [(one.author, one.text, one.sent) for one in thread.remarks]
    assert said == [("person", "Why 1?", 7), ("task", "Because.", None), ("person", "No.", None)]


def test_only_what_was_told_can_be_answered_and_by_its_own_worktree(index: WorktreeIndex) -> None:
    number = commented(index)
    with pytest.raises(NotFound):
        index.threads.answer(number, "/w/one", "one", "Too early.", 6)
    sent(index, number)
    for worktree, wanted in (("/w/other", number), ("/w/one", number + 1)):
        with pytest.raises(NotFound, match=f"there is no comment {wanted} on this worktree"):
            index.threads.answer(wanted, worktree, "x", "Mine!", 8)
    for _ in range(MOST_REMARKS - 1):
        index.threads.answer(number, "/w/one", "one", "Again.", 8)
    with pytest.raises(Refused, match="remarks"):
        index.threads.answer(number, "/w/one", "one", "Again.", 8)


def test_what_nobody_was_told_can_be_taken_back(index: WorktreeIndex) -> None:
    first, second = commented(index), commented(index)
    sent(index, first)
    index.threads.comment(first, "More.", 8)
    for number in (first, second):
        index.threads.withdraw(number)
    assert [remark.text for remark in only(index).remarks] == ["Why 1?"]


def test_another_worktree_at_the_same_place_has_none_of_it(index: WorktreeIndex) -> None:
    commented(index, created=5)
    index.read_marks.set_looked("/w/one", "t" * 40, 5)
    assert index.threads.of("/w/one", 6) == []
    assert (index.read_marks.looked("/w/one", 5), index.read_marks.looked("/w/one", 6)) == (
        "t" * 40,
        "",
    )


def test_a_file_is_read_as_long_as_it_has_the_same_content(index: WorktreeIndex) -> None:
    index.read_marks.add("/w/one", "a.py", "1" * 40, 5)
    assert index.read_marks.of("/w/one") == {("a.py", "1" * 40)}
    index.read_marks.forget("/w/one", "a.py", "1" * 40)
    assert index.read_marks.of("/w/one") == set()


def test_a_store_without_comments_gets_them(tmp_path: Path) -> None:
    before = next(n for n, step in enumerate(MIGRATIONS) if "CREATE TABLE threads" in step)
    raw = sqlite3.connect(tmp_path / "ctui.db")
    for step in MIGRATIONS[:before]:
        raw.executescript(step)
    raw.execute(f"PRAGMA user_version = {before}")
    raw.close()
    index = WorktreeIndex(tmp_path / "ctui.db")
    commented(index)
    assert only(index).id == 1


def test_comments_survive_a_repair_of_the_store(tmp_path: Path, index: WorktreeIndex) -> None:
    commented(index)
    index.read_marks.add("/w/one", "a.py", "1" * 40, 5)
    saved = Store(tmp_path / "new.db")
    assert saved.salvage(tmp_path / "ctui.db") == []
    assert saved.threads.of("/w/one") == index.threads.of("/w/one")
    assert saved.read_marks.of("/w/one") == index.read_marks.of("/w/one")
    saved.close()


@pytest.mark.parametrize(
    "given",
    [
        {"number": 1},
        {"number": "1", "text": "x"},
        {"number": 0, "text": "x"},
        {"number": 1, "text": " "},
        {"number": 1, "text": "x" * 2001},
        {"number": 1 << 64, "text": "x"},
        {"number": 1, "text": "x", "more": 1},
        {"number": True, "text": "x"},
    ],
)
def test_an_answer_needs_a_number_and_words(given: object) -> None:
    outcome = call("resolve_comment", given)
    assert isinstance(outcome, toolbox.Respond)
    assert outcome.message["result"]["isError"] is True


@pytest.mark.parametrize("driver", ["lives", "reads it first"])
def test_an_answer_of_a_task_is_kept_once(driver: str) -> None:
    async def work(schedule: Schedule) -> None:
        box = await quiet(schedule)
        store = schedule.store
        worktree = store.tasks.get("one").worktree
        number = store.threads.open(worktree, "a.py", "new", 3, ["x"], "c" * 40, 1)
        store.threads.comment(number, "Why?", 1)
        (thread,) = store.threads.of(worktree)
        store.threads.mark_sent([one.id for one in thread.unsent], "one", 2)
        if driver == "reads it first":
            await schedule.kill_driver()
        answer = tool_call("r-1", "resolve_comment", number=number, text=" Because.\x1b[2J ")
        box.forge(written(answer))
        box.forge(written(tool_call("r-2", "resolve_comment", number=number + 1, text="Mine!")))
        if driver == "reads it first":
            schedule.start_driver()
        await asyncio.sleep(10.0)
        for _ in range(2):
            await schedule.kill_driver()
            schedule.start_driver()
            await asyncio.sleep(60.0)
        (thread,) = schedule.store.threads.of(worktree)
        said = [(one.author, one.task, one.text) for one in thread.remarks]
        assert said == [("person", "one", "Why?"), ("task", "one", "Because.\x1b[2J")]
        assert schedule.store.tasks.get("one").comments_answered == 1

    in_world(3, work)
