"""The books: what is under way survives a kill, rows are bounded, a damaged file stops nothing."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest

from ctui.errors import Refused, StoreUnavailable
from ctui.gateway.books import books as module
from ctui.gateway.books.books import Books
from ctui.gateway.books.reading import read_calls, read_requests, read_totals
from ctui.gateway.books.rows import Ending, NewCall, RequestRow, Usage
from ctui.gateway.books.writer import LIMITS, Limits


def estimated(_call: NewCall, seen: Usage) -> Ending:
    return Ending(0, seen, 0.5, whole=False, down=0, at=9)


def ended(dollars: float) -> Ending:
    return Ending(200, Usage(1, 2, 3, 4, 5, 6, True), dollars, whole=True, down=7, at=8)


def call(books: Books, task: str = "a", at: int = 1) -> NewCall:
    return NewCall(books.next_id(), at, f"{task}/1", task, "m", "key", "host", 443, 10)


def attempt(key: str, task: str = "a", *, over: bool = True) -> RequestRow:
    return RequestRow(key, 1, f"{task}/1", task, "h", 443, "allowed", "rule", "", 1, 2, "", over)


async def opened(path: Path, limits: Limits = LIMITS) -> Books:
    return await Books.open(path, estimated, limits)


async def test_a_call_is_on_the_disk_before_it_is_sent(tmp_path: Path) -> None:
    """Another process sees it as soon as `begin` returns, and its end once the books are closed."""
    path = tmp_path / "network.db"
    assert (read_calls(path), read_requests(path), read_totals(path)) == ([], [], {})
    books = await opened(path)
    one = call(books)
    await books.begin(one)
    [row] = read_calls(path)
    assert (row.call, row.ending) == (one, None)
    books.end(one, ended(0.25))
    assert books.spent("a") == 0.25
    await books.close()
    [row] = read_calls(path)
    assert row.ending == ended(0.25)
    totals = read_totals(path)["a"]
    assert (totals.calls, totals.dollars, totals.cache_write) == (1, 0.25, 9)
    assert path.stat().st_mode & 0o777 == 0o600


async def test_what_a_kill_left_open_is_booked_at_the_next_start(tmp_path: Path) -> None:
    """With what had been seen of its answer, once, and it counts to the budget."""
    path = tmp_path / "network.db"
    books = await opened(path)
    one, done = call(books), call(books, "b")
    await books.begin(one)
    await books.begin(done)
    books.end(done, ended(1.0))
    books.record(attempt("open", over=False))
    books.progress(one.id, Usage(input_tokens=77))
    await books.close()  # the file is as after a kill: the call has not ended
    for _ in range(2):
        again = await opened(path)
        assert (again.spent("a"), again.spent("b")) == (0.5, 1.0)
        assert again.next_id() > done.id
        await again.close()
    [row] = read_calls(path, task="a")
    assert row.ending == Ending(0, Usage(input_tokens=77), 0.5, whole=False, down=0, at=9)
    assert [request.over for request in read_requests(path)] == [True]


async def test_rows_are_bounded_by_task_and_in_all_and_sums_are_kept(tmp_path: Path) -> None:
    """The oldest go first; a task that floods takes no other's; what is open stays."""
    path = tmp_path / "network.db"
    books = await opened(path, Limits(of_task=50, in_all=400))
    first = call(books)
    await books.begin(first)
    for number in range(600):
        one = call(books)
        await books.begin(one)
        books.end(one, ended(0.01))
        books.record(attempt(f"a{number}"))
    books.record(attempt("b", "b"))
    await books.close()
    assert len(read_calls(path, task="a")) <= 50 + 200 + 1
    assert first in [row.call for row in read_calls(path)]
    assert len(read_requests(path, task="a")) <= 50 + 200
    assert [row.key for row in read_requests(path, task="b")] == ["b"]
    assert read_requests(path, task="a")[-1].key == "a599"
    assert read_totals(path)["a"].dollars == pytest.approx(6.0)
    assert len(read_requests(path, limit=5)) == 5


async def test_a_request_that_is_told_twice_is_one_row(tmp_path: Path) -> None:
    path = tmp_path / "network.db"
    books = await opened(path)
    books.record(attempt("x", over=False))
    books.record(attempt("x"))
    await books.close()
    assert read_requests(path) == [attempt("x")]


@pytest.mark.parametrize(
    "content", [b"no database at all" * 100, b"SQLite format 3\0" + b"x" * 5000]
)
async def test_a_damaged_file_is_set_aside(tmp_path: Path, content: bytes) -> None:
    """New books are begun, and the old file is kept for whoever wants to look."""
    path = tmp_path / "network.db"
    path.write_bytes(content)
    books = await opened(path)
    one = call(books)
    await books.begin(one)
    await books.close()
    assert len(read_calls(path)) == 1
    [kept] = tmp_path.glob("network.db.damaged-*")
    assert kept.read_bytes() == content


async def test_a_disk_that_is_full_refuses_new_calls_and_loses_no_end(tmp_path: Path) -> None:
    """What ended meanwhile is written as soon as there is room."""
    path = tmp_path / "network.db"
    books = await opened(path)
    one = call(books)
    await books.begin(one)
    connection = books._writer._books
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count = {pages}")
    for number in range(400):
        books.record(attempt(f"fill-{number}" + "x" * 500))
    books.end(one, ended(0.25))
    with pytest.raises(StoreUnavailable, match="cannot be written"):
        await books.begin(call(books))
    connection.execute("PRAGMA max_page_count = 100000")
    async with asyncio.timeout(10):
        while read_calls(path)[0].ending is None:  # noqa: ASYNC110 - of a file
            await asyncio.sleep(0.05)
    await books.close()
    assert len(read_requests(path)) == 400


async def test_a_newer_ctui_s_books_are_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "network.db"
    with sqlite3.connect(path) as books:
        books.execute("PRAGMA user_version = 99")
    books.close()
    with pytest.raises(Refused, match="newer ctui"):
        await opened(path)


async def test_a_flood_of_attempts_is_written_together(tmp_path: Path) -> None:
    """Ten thousand records hold the loop up for no longer than they take to be queued."""
    path = tmp_path / "network.db"
    books = await opened(path)
    assert all(books.record(attempt(str(number))) for number in range(10_000))
    await books.begin(call(books))
    await books.close()
    assert len(read_requests(path, limit=20_000)) <= LIMITS.of_task + 200


async def test_what_comes_too_quickly_is_not_kept_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is said to be lost; what costs money is written whatever else waits."""
    monkeypatch.setattr(module, "_MOST_WAITING", 100)
    books = await opened(tmp_path / "network.db")
    kept = sum(books.record(attempt(str(number))) for number in range(20_000))
    one = call(books)
    await books.begin(one)
    books.end(one, ended(0.25))
    await books.close()
    assert 100 < kept < 20_000
    [row] = read_calls(tmp_path / "network.db")
    assert row.ending == ended(0.25)
