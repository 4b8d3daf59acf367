"""Searching a transcript: without laying out what cannot match, and without keeping the loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
import pytest
from rich.style import Style
from textual.app import App, ComposeResult
from textual.geometry import Region
from textual.pilot import Pilot

from ctui.claude.transcript.blocks import (
    Block,
    LongText,
    PermissionRecord,
    Speech,
    ToolCall,
    TurnEnd,
)
from ctui.client.client import Client
from ctui.client.connection import connect, stop_driver
from ctui.paths import Paths
from ctui.tasks.journal.archive import FILE_NAME, Entry
from ctui.tasks.store import Store
from ctui.tui.pane.pane import Pane
from ctui.tui.support.frame_clock import FrameClock
from ctui.tui.text.lines import STYLES
from ctui.tui.transcript.block_search import may_show
from ctui.tui.transcript.block_window import BlockWindow
from ctui.tui.transcript.search_line import SearchLine
from tests.claude import lines
from tests.tui.test_board import task

_PALETTE = {"": Style.null()} | {name: Style.null() for name in STYLES}


def _speech(text: str) -> Speech:
    return Speech(id=1, run=1, time=0, text=LongText(text))


@pytest.mark.parametrize(
    ("block", "needle"),
    [
        (_speech("**Bold** and `Code`"), "bold and code"),
        (_speech("a\\_b"), "a_b"),
        (_speech("- x"), "• x"),
        (_speech("Straße"), "strasse"),
        (ToolCall(id=1, run=1, time=0, call_id="c", name="Bash", subject="make all"), "bash make"),
        (
            PermissionRecord(
                id=1, run=1, time=0, request_id="r", call_id="c", tool="Bash", subject=""
            ),
            "bash wants to run",
        ),
        (TurnEnd(id=1, run=1, time=0, ok=True, duration_ms=1200), "✓ done  1.2 s"),
    ],
)
def test_a_block_that_shows_a_text_may_show_it(block: Block, needle: str) -> None:
    window = BlockWindow()
    window.restyle(60, _PALETTE)
    window.show([block])
    assert may_show(block, needle)
    assert asyncio.run(window.find(needle, (0, -1), 1)) is not None


async def test_only_blocks_that_may_match_are_laid_out() -> None:
    window = BlockWindow()
    window.restyle(60, _PALETTE)
    blocks = [Speech(id=n, run=1, time=0, text=LongText(f"speech {n}")) for n in range(1_000)]
    window.show(blocks)
    total, rows = window.total, window._rows
    assert await window.find("nothing like that", (999, 9), -1) is None
    assert not rows._kept
    blocks[7].text = LongText("the needle")
    assert await window.find("needle", (999, 9), -1) == (7, 0)
    assert list(rows._kept) == [7]
    assert window.total == total


async def test_a_long_search_gives_the_loop_back_and_can_be_cancelled() -> None:
    window = BlockWindow()
    window.show([_speech("x" * 20_000)] * 20_000)
    searching = asyncio.create_task(window.find("needle", (0, -1), 1))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert not searching.done()
    searching.cancel()
    with pytest.raises(asyncio.CancelledError):
        await searching


class OnePane(App[None]):
    """A pane whose journal has a few turns."""

    def __init__(self, paths: Paths) -> None:
        super().__init__()
        self._paths = paths
        self.left = 0

    def compose(self) -> ComposeResult:
        yield Pane(Client(self._paths), FrameClock(self), task("t"), id="pane")

    @property
    def pane(self) -> Pane:
        return self.query_one(Pane)

    @property
    def line(self) -> SearchLine:
        return self.query_one(SearchLine)

    def on_pane_left(self) -> None:
        self.left += 1


@asynccontextmanager
async def pane_of(paths: Paths, *given: bytes) -> AsyncIterator[tuple[OnePane, Pilot[None]]]:
    paths.state.mkdir(parents=True)
    Store(paths.database).close()
    file = paths.task("t") / FILE_NAME
    file.parent.mkdir(parents=True)
    entries = [Entry(number, 1, "out", line.decode()) for number, line in enumerate(given)]
    file.write_bytes(b"".join(msgspec.json.encode(entry) + b"\n" for entry in entries))
    app = OnePane(paths)
    (await connect(paths)).close()
    try:
        async with app.run_test(size=(60, 20)) as pilot:
            while not app.pane.transcript.virtual_size.height:
                await pilot.pause(0.02)
            app.pane.transcript.focus()
            yield app, pilot
    finally:
        await stop_driver(paths)


async def shown(app: OnePane, pilot: Pilot[None]) -> list[str]:
    await app.workers.wait_for_complete(
        [worker for worker in app.workers if worker.group == "search"]
    )
    await pilot.pause()
    view = app.pane.transcript
    rows = view.render_lines(Region(0, 0, *view.size))
    return [strip.text.strip() for strip in rows]


async def test_after_enter_the_brackets_go_on_in_the_transcript(paths: Paths) -> None:
    given = [lines.assistant(f"m{n}", lines.text(f"speech {n}")) for n in range(90)]
    async with pane_of(paths, *given) as (app, pilot):

        def focused() -> str:
            return type(app.focused).__name__

        await pilot.press("[")
        assert not app.line.display
        await pilot.press("/", "h", " ", "1", "[", "backspace", "enter")
        assert (app.line.display, app.line.value) == (True, "h 1")
        assert focused() == "TranscriptView"
        assert "speech 19" in await shown(app, pilot)
        for expected in (18, 17, 16, 15):
            await pilot.press("[")
            assert f"speech {expected}" in await shown(app, pilot)
        await pilot.press("]")
        assert "speech 16" in await shown(app, pilot)
        assert app.line.value == "h 1"

        await pilot.press("/", "up")
        assert focused() == "SearchLine"
        await pilot.press("enter", "escape")
        assert not app.line.display
        assert focused() == "TranscriptView"
        assert app.left == 0
        await pilot.press("escape")
        assert app.left == 1


async def test_a_search_for_nothing_ends_it(paths: Paths) -> None:
    async with pane_of(paths, lines.assistant("m", lines.text("speech"))) as (app, pilot):
        await pilot.press("/", "enter")
        assert not app.line.display
        assert app.focused is app.pane.transcript
