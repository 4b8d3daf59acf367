"""The transcript on a screen: it follows, keeps its place, folds, finds and is copied."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from textual import events
from textual.app import App, ComposeResult
from textual.geometry import Offset, Region
from textual.pilot import Pilot
from textual.selection import Selection

from ctui.claude.protocol.decode import decode
from ctui.claude.transcript.transcript import Transcript
from ctui.tui.support.frame_clock import FrameClock
from ctui.tui.transcript.row_paint import ROW_BITS
from ctui.tui.transcript.transcript_view import TranscriptView
from tests.claude import lines

SIZE = (60, 20)


class OneTranscript(App[None]):
    """Nothing but a transcript."""

    def __init__(self) -> None:
        super().__init__()
        self.transcript = Transcript()
        self.wanted_earlier = 0

    def compose(self) -> ComposeResult:
        yield TranscriptView(FrameClock(self))

    def on_mount(self) -> None:
        self.view.show_blocks(self.transcript.blocks)
        self.view.focus()

    @property
    def view(self) -> TranscriptView:
        return self.query_one(TranscriptView)

    def feed(self, *given: bytes) -> None:
        for line in given:
            self.view.take(self.transcript.feed(decode(line), run=1, time=0))

    def on_transcript_view_earlier_wanted(self) -> None:
        self.wanted_earlier += 1


@asynccontextmanager
async def shown(*given: bytes) -> AsyncIterator[tuple[OneTranscript, Pilot[None]]]:
    app = OneTranscript()
    async with app.run_test(size=SIZE) as pilot:
        app.feed(*given)
        await frame(pilot)
        yield app, pilot


async def frame(pilot: Pilot[None]) -> None:
    """Until everything that is due was painted."""
    await pilot.pause(0.05)
    await pilot.pause()


def screen(app: OneTranscript) -> list[str]:
    """The rows that are seen, as text, without the scrollbar."""
    return [
        "".join(segment.text for segment in strip)[:-1].strip()
        for strip in app.screen._compositor.render_strips()
    ]


def speeches(count: int) -> list[bytes]:
    return [lines.assistant(f"m{n}", lines.text(f"speech {n}")) for n in range(count)]


async def test_it_follows_the_end() -> None:
    async with shown(*speeches(50)) as (app, pilot):
        assert "speech 49" in screen(app)
        app.feed(lines.assistant("next", lines.text("the newest")))
        await frame(pilot)
        assert "the newest" in screen(app)
        assert app.view.follows


async def test_what_is_read_stays_while_more_comes() -> None:
    async with shown(*speeches(80)) as (app, pilot):
        await pilot.press("pageup", "pageup")
        await frame(pilot)
        before = screen(app)
        assert app.view.scroll_offset.y < app.view.max_scroll_y
        app.feed(*(lines.assistant(f"x{n}", lines.text("more\n\n" * 9)) for n in range(20)))
        await frame(pilot)
        assert screen(app) == before
        await pilot.press("end")
        await frame(pilot)
        assert app.view.follows
        assert "more" in screen(app)


async def test_scrolling_up_and_down_misses_no_block() -> None:
    texts = [f"block {n}\n\n" + "word " * (n * 7 % 90) for n in range(120)]
    given = [lines.assistant(f"m{n}", lines.text(text)) for n, text in enumerate(texts)]
    async with shown(*given) as (app, pilot):
        seen: list[str] = []
        for _ in range(60):
            seen += [row for row in screen(app) if row.startswith("block ")]
            if app.view.scroll_offset.y == 0:
                break
            await pilot.press("pageup")
            await frame(pilot)
        assert set(seen) == {f"block {n}" for n in range(120)}
        assert app.wanted_earlier > 0


async def test_more_in_front_does_not_move_what_is_read() -> None:
    async with shown(*speeches(60)) as (app, pilot):
        await pilot.press("pageup")
        await frame(pilot)
        before = [row for row in screen(app) if row.startswith("speech")]
        whole = Transcript()
        for line in [*(lines.assistant(f"e{n}", lines.text(f"earlier {n}")) for n in range(200))]:
            whole.feed(decode(line), run=1, time=0)
        for line in speeches(60):
            whole.feed(decode(line), run=1, time=0)
        app.view.show_blocks(whole.blocks, keep_place=True)
        await frame(pilot)
        assert [row for row in screen(app) if row.startswith("speech")] == before


async def test_one_that_was_removed_can_still_be_painted() -> None:
    async with shown(*speeches(60)) as (app, _):
        view, window = app.view, Region(0, 0, *app.view.size)
        assert view.render_lines(window)
        app.screen.selections = {view: Selection(None, None)}
        await view.remove()
        view.render_lines(window)
        view.render_line(0)
        view.notify_style_update()
        view.action_page_up()
        view.action_toggle_fold()
        view.paint()
        view.on_click(events.Click(view, 1, 1, 0, 0, 1, False, False, False))
        assert app.is_running


async def test_long_output_is_folded_and_unfolds() -> None:
    output = "\n".join(f"row {n}" for n in range(15))
    given = [
        lines.assistant("m", lines.tool_use("c", "Bash", command="seq 15")),
        lines.tool_result("c", output, {"stdout": output, "stderr": ""}),
    ]
    async with shown(*given) as (app, pilot):
        assert any("more lines" in row for row in screen(app))
        assert not any("row 14" in row for row in screen(app))
        await pilot.press("o")
        await frame(pilot)
        assert any("row 14" in row for row in screen(app))
        await pilot.press("o")
        await frame(pilot)
        assert not any("row 14" in row for row in screen(app))


async def test_a_narrower_screen_wraps_anew_and_loses_nothing() -> None:
    text = " ".join(f"w{n}" for n in range(60))
    async with shown(lines.assistant("m", lines.text(text))) as (app, pilot):
        for width in (40, 24, 80):
            await pilot.resize_terminal(width, 30)
            await frame(pilot)
            words = " ".join(screen(app)).split()
            assert [word for word in words if word.startswith("w")] == text.split()


async def test_a_speech_grows_while_it_is_written() -> None:
    pieces = ["**bo", "ld** and ", "`code`", "\n\n```py\nx = 1\n", "```\n\nend"]
    block = lines.text("".join(pieces))
    parts = lines.deltas(0, lines.text(""), pieces, None)
    async with shown(lines.init(), lines.message_start("m"), *parts) as (app, pilot):
        live = screen(app)
        assert "bold and code" in live
        assert "x = 1" in live
        app.feed(lines.assistant("m", block))
        await frame(pilot)
        assert screen(app) == live


async def test_searching_goes_to_the_match() -> None:
    async with shown(*speeches(90)) as (app, pilot):
        for expected in (19, 18, 17, 16, 15, 14, 13, 12, 11, 10, 1):
            assert await app.view.find("SPEECH 1")
            await frame(pilot)
            assert any(row.rstrip() == f"speech {expected}" for row in screen(app))
        assert not await app.view.find("SPEECH 1")
        for expected in (10, 11):
            assert await app.view.find("SPEECH 1", backward=False)
            await frame(pilot)
            assert any(row.rstrip() == f"speech {expected}" for row in screen(app))
        assert not await app.view.find("nothing like that")


async def test_a_search_finds_what_is_in_the_window_first() -> None:
    async with shown(*speeches(30)) as (app, pilot):
        before = screen(app)
        assert await app.view.find("speech 29")
        await frame(pilot)
        assert screen(app) == before
        assert not await app.view.find("speech 29", backward=False)


async def test_a_selection_is_the_text_without_the_wrapping() -> None:
    text = " ".join(f"word{n}" for n in range(30))
    given = [lines.assistant("a", lines.text(text)), lines.assistant("b", lines.text("second"))]
    async with shown(*given) as (app, _):
        whole = app.view.get_selection(Selection(None, None))
        assert whole is not None
        # The run's mark is in front.
        assert whole[0].split("\n")[2:] == [text, "", "second"]
        part = Selection(Offset(4, 1 << ROW_BITS), Offset(10, 1 << ROW_BITS))
        assert app.view.get_selection(part) == ("0 word", "\n")


async def test_hostile_output_reaches_the_screen_without_its_teeth() -> None:
    evil = "[@click=app.quit]x[/] \x1b]52;c;aGk=\x07 \x9b2J \u202e \x1b[31mred"
    given = [
        lines.assistant("m", lines.text(evil)),
        lines.assistant("n", lines.tool_use("c", evil, command=evil)),
        lines.tool_result("c", evil, error=True),
    ]
    async with shown(*given) as (app, pilot):
        rows = "\n".join(screen(app))
        assert not {"\x1b", "\x9b", "\x07", "\u202e"} & set(rows)
        assert "[@click=app.quit]x[/]" in rows
        await pilot.click(TranscriptView, offset=(3, 2))
        assert app.is_running
