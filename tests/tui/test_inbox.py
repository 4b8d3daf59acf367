"""The inbox shows one ask of many, and stays with it as the others come and go."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
from textual.app import App
from textual.pilot import Pilot
from textual.widgets import Input, Static

from ctui.tasks.activity import Activity, Note
from ctui.tasks.calls import Update
from ctui.tasks.model import Ask, AskState
from ctui.tui.asks.ask_panel import AskPanel
from ctui.tui.asks.inbox import Inbox
from ctui.tui.board.board import Board
from tests.tui.test_ask_form import permission
from tests.tui.test_board import task
from tests.tui.test_focus import past_the_guard


class WithInbox(App[None]):
    """Nothing can be answered here: an answer would end the test."""

    CSS_PATH = str(Path(__file__).parents[2] / "ctui/tui/ctui.tcss")

    def __init__(self, count: int, *, notes: bool = False) -> None:
        super().__init__()
        self.board = Board("/r/.git")
        self.opened: list[str | None] = []
        for number in range(1, count + 1):
            ask = permission("Bash", {"command": f"echo {number}\n" * 30})
            ask.id = number
            self.board.take(Update(ask=ask))

        told = Activity(notes=(Note(5, "It is built."), Note(6, "It burns!", urgent=True)))
        self.board.take(Update(task=task("a", activity=told if notes else Activity())))

    def end(self, number: int) -> None:
        ended = msgspec.structs.replace(self.board.asks[number], state=AskState.CANCELLED)
        self.board.take(Update(ask=ended))

    def on_mount(self) -> None:
        inbox = Inbox(self.board, self)  # type: ignore[arg-type] # nothing is answered
        self.push_screen(inbox, self.opened.append)

    def mark_read(self, task: str, until: int) -> None:
        self.board.take(Update(task=msgspec.structs.replace(self.board.tasks[task], read=until)))

    @property
    def shown(self) -> Ask | None:
        return self.screen.query_one(AskPanel).ask

    @property
    def title_line(self) -> str:
        return str(self.screen.query_one(".dialog--title", Static).content)


@asynccontextmanager
async def inbox(count: int, *, notes: bool = False) -> AsyncIterator[tuple[WithInbox, Pilot[None]]]:
    app = WithInbox(count, notes=notes)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(lambda: isinstance(app.screen, Inbox) and bool(app.title_line))
        yield app, pilot


async def until(seen: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not seen():  # noqa: ASYNC110 - screens have no event for it
            await asyncio.sleep(0.01)


async def test_another_ask_that_ends_moves_nothing() -> None:
    async with inbox(3) as (app, pilot):
        await pilot.press("right")
        assert app.shown is app.board.asks[2]
        app.end(1)
        await until(lambda: app.title_line == "Inbox  2")
        assert app.shown is app.board.asks[2]
        await pilot.press("right")
        assert app.shown is app.board.asks[3]


async def test_what_is_written_for_an_ask_is_a_key_for_no_other() -> None:
    async with inbox(3) as (app, pilot):
        await pilot.press("right")
        await past_the_guard()
        await pilot.press("D", "n", "o")
        written = app.screen.query_one(Input)
        for number, title in ((1, "Inbox  2"), (2, "Inbox  1")):
            app.end(number)
            await until(lambda: app.title_line == title)  # noqa: B023 - called at once
            await pilot.press("y")
        assert (written.value, written.has_focus) == ("noyy", True)
        await pilot.press("enter", "escape")
        assert app.shown is app.board.asks[3]
        await pilot.press("y")  # guarded
        assert isinstance(app.screen, Inbox)


async def test_the_keys_are_seen_however_much_is_asked() -> None:
    async with inbox(20) as (app, _):
        dialog = app.screen.query_one(".dialog").content_region
        for name in (".ask--more", ".ask--choices", ".dialog--keys"):
            seen = app.screen.query_one(name)
            await until(lambda: bool(seen.region))  # noqa: B023 - called at once
            assert dialog.contains_region(seen.region)


async def test_a_word_that_is_typed_into_it_answers_nothing() -> None:
    async with inbox(1) as (app, pilot):
        await past_the_guard()
        await pilot.press(*"maybe", *"please")
        await pilot.pause()
        assert "answered" not in str(app.screen.query_one(".ask--choices", Static).content)


async def test_what_was_told_is_in_it_too_and_urgent_things_come_first() -> None:
    async with inbox(1, notes=True) as (app, pilot):
        words = ["It burns!", "echo 1", "It is built."]
        rows = str(app.screen.query_one(".inbox--list", Static).content).split("\n")
        found = [next((word for word in words if word in row), "") for row in rows]
        assert found == words
        note = app.screen.query_one(".inbox--note", Static)
        assert (str(note.content), note.display) == ("It burns!", True)
        await pilot.press("space")
        await until(lambda: app.title_line == "Inbox  1")
        assert app.shown is app.board.asks[1]


async def test_only_keys_that_do_something_are_shown() -> None:
    """Empty, with one thing, and with several."""
    for count, keys in ((0, ["esc"]), (1, ["enter", "esc"]), (2, ["←→", "enter", "esc"])):
        async with inbox(count) as (app, _):
            shown = str(app.screen.query_one(".dialog--keys", Static).content).split("   ")
            assert [one.split()[0] for one in shown if one.strip()] == keys


async def test_enter_opens_the_task_and_space_does_not_answer_for_it() -> None:
    async with inbox(1) as (app, pilot):
        await past_the_guard()
        await pilot.press("space")
        assert app.title_line == "Inbox  1"
        await pilot.press("enter")
        await until(lambda: app.opened != [])
        assert app.opened == ["t"]
