"""The review screen by its keys, on a real repository and a real driver that has nothing to run."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest
from textual.pilot import Pilot
from textual.widgets import Static

from ctui.client.client import Client
from ctui.client.connection import stop_driver
from ctui.client.worktrees.worktrees import make_worktree
from ctui.config import Config
from ctui.git.repository.repository import open_repository
from ctui.paths import Paths
from ctui.tasks.calls import Update
from ctui.tasks.database.worktree_index import WorktreeIndex
from ctui.tasks.model import EndReason, Message, Task, TaskState
from ctui.tasks.store import Store
from ctui.tasks.threads import Thread
from ctui.tui.app import CtuiApp
from ctui.tui.dashboard.dashboard import Dashboard
from ctui.tui.dialogs.help import Help
from ctui.tui.review.file_rows import Kind
from ctui.tui.review.review import ReviewScreen
from ctui.tui.review.scope_menu import ScopeMenu
from ctui.tui.support.bounded_list import BoundedList
from ctui.tui.support.place import Place
from ctui.worktrees.snapshots.take import FILE_LIMIT
from tests.conftest import git

APP = "".join(f"line {number}\n" for number in range(1, 41))
CHANGED = APP.replace("line 5\n", "line five\n").replace("line 30\n", "line thirty\nand more\n")


@pytest.fixture
async def home(repository: Path, paths: Paths) -> AsyncIterator[Paths]:
    """A home with a worktree whose branch changes one file in two places, and adds another."""
    for name, value in (("user.name", "Test"), ("user.email", "test@example.org")):
        git(repository, "config", name, value)
    (repository / "app.py").write_text(APP)
    git(repository, "add", ".")
    git(repository, "commit", "-q", "-m", "App")
    record = await make_worktree(paths, open_repository(repository), prefix="", name="work")
    change(record.path, "app.py", CHANGED)
    change(record.path, "new.py", "x = 1\n")
    async with Client(paths) as client:
        await client.connect()  # a test may be over before a screen has started one
    yield paths
    await stop_driver(paths)


def change(worktree: str, name: str, text: str) -> None:
    (Path(worktree) / name).write_text(text)
    git(Path(worktree), "add", "-A")
    git(Path(worktree), "commit", "-q", "-m", f"Change {name}")


def worktree_of(paths: Paths) -> str:
    index = WorktreeIndex(paths.database)
    (path,) = index.worktrees.paths()
    index.close()
    return path


def with_task(paths: Paths, repository: Path) -> None:
    """Let an ended task have worked there."""
    store = Store(paths.database)
    path = worktree_of(paths)
    store.tasks.add(
        Task(
            id="work",
            repository=str(repository / ".git"),
            worktree=path,
            metadata=str(repository / ".git" / "worktrees" / "work"),
            branch="work",
            base=None,
            session="00000000-0000-4000-8000-000000000000",
            prompt="p",
            state=TaskState.ENDED,
            reason=EndReason.COMPLETED,
        )
    )
    store.close()


@asynccontextmanager
async def review(
    paths: Paths, repository: Path, size: tuple[int, int] = (120, 40)
) -> AsyncIterator[tuple[ReviewScreen, Pilot[None]]]:
    """Open the dashboard, and with one key the review."""
    app = CtuiApp(paths, Config(), Place(repository / ".git"))
    async with app.run_test(size=size, notifications=True) as pilot:
        board = app.dashboard.board
        # The process that proves is there by then: one that is just starting outlives the screen.
        await until(
            lambda: any(
                item.status is not None and item.status.verdict.kind == "unmerged"
                for item in board.items()
            )
        )
        await until(lambda: not isinstance(app.screen, Dashboard))  # something is missing here
        await pilot.press("escape")
        await until(lambda: isinstance(app.screen, Dashboard))
        await pilot.press("v")
        await until(lambda: isinstance(app.screen, ReviewScreen))
        screen = app.screen
        assert isinstance(screen, ReviewScreen)
        await until(lambda: screen.review is not None)
        await until(lambda: len(screen.diff.window.diffs) == len(screen.diff.window.files))
        yield screen, pilot


async def until(seen: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not seen():  # noqa: ASYNC110 - screens have no event for it
            await asyncio.sleep(0.02)


def shown(screen: ReviewScreen) -> list[str]:
    """What the rows of the changes show now."""
    diff = screen.diff
    strips = diff.window.frame(diff.scroll_offset.y, diff.size.height)
    return [strip.text.rstrip() for _, _, strip in strips]


def at_cursor(screen: ReviewScreen) -> str:
    return screen.diff.window.strips(screen.diff.cursor)[0].text.strip()


def threads(paths: Paths) -> list[Thread]:
    index = WorktreeIndex(paths.database)
    found = index.threads.of(worktree_of(paths))
    index.close()
    return found


async def write(pilot: Pilot[None], text: str) -> None:
    await pilot.press(*({" ": "space", "?": "question_mark"}.get(key, key) for key in text))


async def test_four_keys_and_words_tell_the_task_what_is_wrong(
    home: Paths, repository: Path
) -> None:
    """`v`, `c`, the words, `enter`, `S`: the task gets one follow-up with the lines."""
    with_task(home, repository)
    async with review(home, repository) as (screen, pilot):
        assert at_cursor(screen) == "5 + line five"
        await pilot.press("c")
        await write(pilot, "Why not 5?")
        await pilot.press("enter")
        await until(lambda: bool(threads(home)))
        await until(lambda: any("Why not 5?" in line for line in shown(screen)))
        await pilot.press("S")
        await until(lambda: bool(messages(home)))
        await until(lambda: not threads(home)[0].unsent)
    (message,) = messages(home)
    assert message.text.startswith("Review of your changes.")
    assert "mcp__ctui__resolve_comment" in message.text
    tip = git(Path(worktree_of(home)), "rev-parse", "HEAD")
    assert message.text.endswith(f"#1 app.py:5 (at {tip[:10]})\n> line five\nWhy not 5?")


def messages(paths: Paths) -> list[Message]:
    store = Store(paths.database)
    found = store.messages.of("work")
    store.close()
    return found


async def test_without_a_task_comments_are_kept(home: Paths, repository: Path) -> None:
    async with review(home, repository) as (screen, pilot):
        await pilot.press("c", "x", "enter")
        await until(lambda: bool(threads(home)))
        await pilot.press("S")
        await until(lambda: "nobody is there to be told" in said(screen))
        assert threads(home)[0].unsent
        await until(lambda: any("not sent yet" in line for line in shown(screen)))
        await pilot.press("j", "x")
        await until(lambda: not threads(home))
        await until(lambda: not any("not sent yet" in line for line in shown(screen)))


def said(screen: ReviewScreen) -> str:
    return "\n".join(one.message for one in screen.app._notifications)


async def test_a_comment_on_several_lines_names_them_all(home: Paths, repository: Path) -> None:
    async with review(home, repository) as (screen, pilot):
        await pilot.press("n", "V", "j", "j", "c", "x", "enter")
        await until(lambda: bool(threads(home)))
        (thread,) = threads(home)
        assert (thread.place, thread.quote) == ("app.py:30-31", ("line thirty", "and more"))
        assert not screen.diff.chooses
        await pilot.press("c", "y", "escape")
        assert len(threads(home)) == 1
        assert screen.diff.has_focus


async def test_an_answer_appears_while_the_review_is_open(home: Paths, repository: Path) -> None:
    with_task(home, repository)
    async with review(home, repository) as (screen, pilot):
        await pilot.press("c", "x", "enter")
        await until(lambda: bool(threads(home)))
        index = WorktreeIndex(home.database)
        index.threads.mark_sent([one.id for one in threads(home)[0].unsent], "work", 1)
        index.threads.answer(1, worktree_of(home), "work", "Because of \x1b[31mthat.", 2)
        index.close()
        board = screen._board
        task = board.tasks["work"]
        changed = msgspec.structs.replace(task, comments_answered=1)
        board.take(Update(task=changed))
        await until(
            lambda: any("work" in line and "Because of that." in line for line in shown(screen))
        )
        assert any("answered" in line for line in shown(screen))


async def test_a_file_that_was_read_is_folded_until_it_changes(
    home: Paths, repository: Path
) -> None:
    async with review(home, repository) as (screen, pilot):
        await pilot.press("space")
        await until(lambda: screen.diff.cursor.file == 1)
        assert at_cursor(screen) == "1 + x = 1"
        assert shown(screen)[0].startswith(" ▸ M app.py  +3 -2  ✓ read")
    async with review(home, repository) as (screen, _):
        assert screen.diff.window.read == {0}
        assert screen.diff.cursor.file == 1
    change(worktree_of(home), "app.py", CHANGED + "end\n")
    async with review(home, repository) as (screen, pilot):
        assert screen.diff.window.read == set()
        await pilot.press("space", "space")
        await until(lambda: screen.diff.window.read == {0, 1})
        await pilot.press("space")
        await until(lambda: len(screen.diff.window.read) == 1)


async def test_keys_go_from_change_to_change_and_from_file_to_file(
    home: Paths, repository: Path
) -> None:
    async with review(home, repository) as (screen, pilot):
        await pilot.press("n")
        assert at_cursor(screen) == "30     - line 30"
        await pilot.press("n")
        assert at_cursor(screen) == "1 + x = 1"
        await pilot.press("N", "N")
        assert at_cursor(screen) == "5     - line 5"
        await pilot.press("]")
        assert screen.files.chosen == 1
        await pilot.press("tab", "up")
        assert (screen.diff.cursor.file, screen.files.has_focus) == (0, True)
        await pilot.press("enter", "home")
        assert screen.diff.window.row(screen.diff.cursor).kind is Kind.FILE
        await pilot.press("o")
        assert len(screen.diff.window.rows(0).rows) == 1


async def test_both_sides_stand_beside_each_other_where_there_is_room(
    home: Paths, repository: Path
) -> None:
    async with review(home, repository, (180, 40)) as (screen, pilot):
        assert any("5 - line 5" in line and "5 + line five" in line for line in shown(screen))
        await pilot.press("|")
        assert not any("5 - line 5" in line and "5 + line five" in line for line in shown(screen))
        assert at_cursor(screen) == "5 + line five"
        await pilot.resize_terminal(80, 24)
        await until(lambda: screen.diff.window.width < 80)
        await pilot.press("|")
        assert screen.diff.window.split


async def test_something_else_can_be_looked_at(home: Paths, repository: Path) -> None:
    async with review(home, repository) as (screen, pilot):
        await pilot.press("v")
        await until(lambda: isinstance(screen.app.screen, ScopeMenu))
        rows = screen.app.screen.query_one(BoundedList)
        await until(lambda: rows.option_count == 5)
        await pilot.press("end", "enter")  # the oldest commit
        await until(lambda: screen.review is not None and screen.review.scope.kind == "commit")
        assert [file.name for file in screen.diff.window.files] == ["app.py"]
        await pilot.press("v", "down", "enter")
        await until(lambda: screen.review is not None and not screen.review.files)
        await until(lambda: "Nothing differs" in nothing(screen))
        await pilot.press("j", "n", "c", "space", "e", "x", "tab", "escape")
    async with review(home, repository) as (screen, pilot):
        await pilot.press("escape")
        await until(lambda: isinstance(screen.app.screen, Dashboard))
        await until(lambda: bool(looked(home)))
    change(worktree_of(home), "later.py", "y = 1\n")
    async with review(home, repository) as (screen, pilot):
        await pilot.press("v", "down", "down", "enter")
        await until(lambda: [file.name for file in screen.diff.window.files] == ["later.py"])


async def test_what_no_snapshot_has_is_counted_above_the_files(
    home: Paths, repository: Path
) -> None:
    Path(worktree_of(home), "large").write_bytes(b"x" * (FILE_LIMIT + 1))
    async with review(home, repository) as (screen, _):
        title = str(screen.query_one(".review--title", Static).content)
        assert "1 left out: too large, or not a file" in title


def nothing(screen: ReviewScreen) -> str:
    return str(screen.query_one(".review--nothing", Static).content)


def looked(paths: Paths) -> str:
    index = WorktreeIndex(paths.database)
    found = index.read_marks.looked(worktree_of(paths))
    index.close()
    return found


async def test_commits_that_come_meanwhile_are_said_and_read_at_a_key(
    home: Paths, repository: Path
) -> None:
    async with review(home, repository) as (screen, pilot):
        change(worktree_of(home), "later.py", "y = 1\n")
        screen.app.dashboard._observer.look()  # type: ignore[attr-defined] # it is ours
        await until(lambda: screen._moved)
        await pilot.press("r")
        await until(lambda: "later.py" in [file.name for file in screen.diff.window.files])
        assert not screen._moved


async def test_an_editor_opens_the_file_at_the_line(
    home: Paths, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[tuple[str, ...]] = []
    monkeypatch.setattr(
        "ctui.tui.review.review_files.in_own_terminal",
        lambda _app, _paths, *words: given.append(words),
    )
    async with review(home, repository) as (_, pilot):
        await pilot.press("n", "e")
    (words,) = given
    assert words == (
        *("worktree", "open", worktree_of(home), "--repo", str(repository / ".git")),
        *("--at", "app.py:30"),
    )


async def test_help_lists_the_keys_of_a_review(home: Paths, repository: Path) -> None:
    async with review(home, repository) as (screen, pilot):
        await pilot.press("question_mark")
        await until(lambda: isinstance(screen.app.screen, Help))
        titles = [title for title, _ in screen.app.screen._sections]  # type: ignore[attr-defined]
        assert titles[0] == "In a review"
        await pilot.press("escape", "escape")
        await until(lambda: isinstance(screen.app.screen, Dashboard))
