"""An ask never takes the focus, and its keys mean nothing where something else has it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import ClassVar

import pytest
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.pilot import Pilot
from textual.widgets import Static
from textual.widgets._toast import Toast

from ctui.tasks.model import Answer, Ask
from ctui.tui.asks.ask_panel import AskPanel
from ctui.tui.pane.composer import Composer
from tests.tui.clock import CLOCK
from tests.tui.test_ask_form import COLOUR, SIZES, permission, questions


class Transcript(Static, can_focus=True):
    """Where a pane puts the focus when nothing is asked."""


class PanelAndComposer(App[None]):
    """What a pane has at its lower end."""

    CSS_PATH = str(Path(__file__).parents[2] / "ctui/tui/ctui.tcss")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("1,R,x", "remember", "what must not happen by accident")
    ]

    def __init__(self) -> None:
        super().__init__()
        self.answers: list[Answer] = []
        self.said: list[str] = []
        self.shortcuts = 0

    def compose(self) -> ComposeResult:
        yield Transcript()
        yield AskPanel()
        yield Composer(placeholder="follow up")

    def on_mount(self) -> None:
        self.query_one(Composer).focus()

    @property
    def panel(self) -> AskPanel:
        return self.query_one(AskPanel)

    def show(self, *asks: Ask) -> None:
        for number, ask in enumerate(asks, 1):
            ask.id = ask.id or number
        self.panel.show(list(asks))

    def on_ask_panel_answered(self, event: AskPanel.Answered) -> None:
        self.answers.append(event.answer)

    def on_ask_panel_emptied(self) -> None:
        self.query_one(Transcript).focus()

    def action_remember(self) -> None:
        self.shortcuts += 1

    def on_composer_sent(self, event: Composer.Sent) -> None:
        self.said.append(event.text)


@asynccontextmanager
async def shown(*asks: Ask) -> AsyncIterator[tuple[PanelAndComposer, Pilot[None]]]:
    app = PanelAndComposer()
    async with app.run_test(size=(80, 24)) as pilot:
        app.show(*asks)
        await pilot.pause()
        yield app, pilot


async def past_the_guard() -> None:
    CLOCK.pass_the_guard()
    await asyncio.sleep(0)


async def test_whoever_is_writing_goes_on_writing() -> None:
    async with shown() as (app, pilot):
        await pilot.press("m", "a")
        app.show(permission("Bash", {"command": "rm -rf /"}))
        await past_the_guard()
        await pilot.press("y", "b", "e")
        assert app.query_one(Composer).text == "maybe"
        assert app.answers == []
        assert not app.panel.has_focus_within


async def test_keys_in_the_first_moment_are_not_meant_for_the_ask() -> None:
    async with shown(permission("Bash", {"command": "ls"})) as (app, pilot):
        app.panel.focus()
        await pilot.press("y")
        assert app.answers == []
        await past_the_guard()
        await pilot.press("y")
        assert [answer.decision for answer in app.answers] == ["allow"]


@pytest.mark.parametrize("before", ["m", "A", "space", "1", "down", "tab"])
async def test_a_key_within_a_word_answers_nothing_however_long_it_is_asked(before: str) -> None:
    async with shown(permission("Bash", {"command": "ls"})) as (app, pilot):
        if before == "tab":
            app.query_one(Transcript).focus()
        else:
            app.panel.focus()
        await pilot.pause()
        await past_the_guard()
        await pilot.press(before)
        for key in "ydsw":
            CLOCK.pass_half_a_guard()
            await pilot.press(key)
        assert app.panel.has_focus
        assert app.answers == []
        await past_the_guard()
        await pilot.press("y")
        assert [answer.decision for answer in app.answers] == ["allow"]


async def test_options_are_marked_as_fast_as_they_are_typed_but_not_sent() -> None:
    async with shown(questions(SIZES)) as (app, pilot):
        app.panel.focus()
        await pilot.pause()
        await pilot.press("1")  # guarded, as all keys are at first
        await past_the_guard()
        await pilot.press("1", "2", "enter")
        assert app.answers == []
        await past_the_guard()
        await pilot.press("enter")
        assert [answer.answers for answer in app.answers] == [{"Which sizes?": "S, M"}]


async def test_the_next_ask_is_guarded_again() -> None:
    first, second = (permission("Bash", {"command": name}) for name in ("one", "two"))
    second.id = 2
    async with shown(first, second) as (app, pilot):
        app.panel.focus()
        await pilot.pause()
        await past_the_guard()
        await pilot.press("y")
        app.show(second)
        await pilot.press("y")
        assert len(app.answers) == 1


async def test_a_key_that_is_held_down_answers_once() -> None:
    first, second = (permission("Bash", {"command": name}) for name in ("one", "two"))
    second.id = 2
    async with shown(first, second) as (app, pilot):
        app.panel.focus()
        await pilot.pause()
        await past_the_guard()
        await pilot.press("y", "y", "y")
        app.show(second)
        for _ in range(4):
            CLOCK.pass_half_a_guard()
            await pilot.press("y")
        assert len(app.answers) == 1
        await past_the_guard()
        await pilot.press("y")
        assert len(app.answers) == 2


async def test_the_next_question_is_guarded_too() -> None:
    async with shown(questions(COLOUR, SIZES)) as (app, pilot):
        app.panel.focus()
        await pilot.pause()
        await past_the_guard()
        await pilot.press("1", "1", "enter")
        assert app.answers == []
        await past_the_guard()
        await pilot.press("2")
        await past_the_guard()
        await pilot.press("enter")
        assert [answer.answers for answer in app.answers] == [
            {"Which colour?": "Red", "Which sizes?": "M"}
        ]


async def test_digits_belong_to_the_panel_and_other_figures_to_nobody() -> None:
    async with shown(questions(COLOUR)) as (app, pilot):
        app.panel.focus()
        await pilot.press("1")  # guarded, and no shortcut of the screen either
        await past_the_guard()
        await pilot.press("²")
        assert (app.answers, app.shortcuts) == ([], 0)


async def test_the_next_ask_finds_the_panel_as_an_answer_left_it() -> None:
    first, second = (permission("Bash", {"command": name}) for name in ("one", "two"))
    second.id = 2
    async with shown(first) as (app, pilot):
        app.query_one(Transcript).focus()
        await pilot.pause()
        app.panel.focus()
        await pilot.pause()
        await past_the_guard()
        await pilot.press("y")
        app.show()
        await pilot.pause()
        assert isinstance(app.focused, Transcript)
        app.show(second)
        await pilot.pause()
        assert app.panel.has_focus
        await pilot.press("y")
        assert len(app.answers) == 1


async def test_after_an_answer_the_focus_is_where_it_was_and_nobody_s_words_are_cut_off() -> None:
    first, second = (permission("Bash", {"command": name}) for name in ("one", "two"))
    second.id = 2
    async with shown(first) as (app, pilot):
        await pilot.press("m", "a")
        app.panel.focus()
        await pilot.pause()
        await past_the_guard()
        await pilot.press("y")
        app.show()
        await pilot.pause()
        assert isinstance(app.focused, Composer)
        app.show(second)
        await past_the_guard()
        await pilot.press("y", "b", "e")
        assert (app.query_one(Composer).text, len(app.answers)) == ("maybe", 1)


async def test_who_moved_on_after_an_answer_is_left_alone() -> None:
    first, second = (permission("Bash", {"command": name}) for name in ("one", "two"))
    second.id = 2
    async with shown(first) as (app, pilot):
        app.panel.focus()
        await pilot.pause()
        await past_the_guard()
        await pilot.press("y")
        app.show()
        await pilot.pause()
        app.query_one(Transcript).focus()
        await pilot.pause()
        app.show(second)
        await pilot.pause()
        assert isinstance(app.focused, Transcript)


async def test_who_answered_nothing_is_left_alone() -> None:
    first, second = (permission("Bash", {"command": name}) for name in ("one", "two"))
    second.id = 2
    async with shown(first) as (app, pilot):
        app.query_one(Transcript).focus()
        await pilot.pause()
        app.panel.focus()
        await pilot.pause()
        app.show()
        await pilot.pause()
        app.show(second)
        await pilot.pause()
        assert isinstance(app.focused, Transcript)


async def test_a_reason_is_written_in_the_panel_and_escape_leaves_it() -> None:
    async with shown(permission("Bash", {"command": "ls"})) as (app, pilot):
        app.panel.focus()
        await pilot.pause()
        await past_the_guard()
        await pilot.press("D", "n", "o")
        assert app.panel.leave_words()
        assert app.answers == []
        await pilot.pause()
        await past_the_guard()
        await pilot.press("D", *"not now", "enter")
        assert [(answer.decision, answer.message) for answer in app.answers] == [
            ("deny", "not now")
        ]


async def test_a_question_takes_a_number() -> None:
    async with shown(questions(COLOUR)) as (app, pilot):
        app.panel.focus()
        await pilot.pause()
        await past_the_guard()
        await pilot.press("2")
        assert app.answers[0].answers == {"Which colour?": "Blue"}


async def test_an_ask_that_is_gone_leaves_the_panel() -> None:
    async with shown(permission("Bash", {"command": "ls"})) as (app, pilot):
        seen = [bool(app.panel.display)]
        app.show()
        await pilot.pause()
        seen.append(bool(app.panel.display))
        assert seen == [True, False]
        assert app.panel.ask is None


async def test_enter_sends_and_other_keys_begin_a_line() -> None:
    async with shown() as (app, pilot):
        await pilot.press("a", "ctrl+j", "b", "enter")
        assert app.said == ["a\nb"]
        assert app.query_one(Composer).text == ""
        await pilot.press("enter")
        assert app.said == ["a\nb"]


async def test_what_was_said_comes_back_and_the_draft_is_kept() -> None:
    async with shown() as (app, pilot):
        composer = app.query_one(Composer)
        await pilot.press("o", "n", "e", "enter", "t", "w", "o", "enter", "n", "e", "w")
        await pilot.press("up")
        assert composer.text == "two"
        await pilot.press("up")
        assert composer.text == "one"
        await pilot.press("down", "down")
        assert composer.text == "new"


@pytest.mark.parametrize("words", [1, 12])
async def test_what_is_told_covers_no_key_of_what_is_asked(words: int) -> None:
    """At the smallest size that a terminal has; the keys are at the lower end."""
    app = PanelAndComposer()
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        app.query_one(Transcript).styles.height = "1fr"
        app.show(permission("Bash", {"command": "make -j2 everything"}))
        for number in range(2):
            app.notify(f"{number} is said " * words, timeout=60)
        await pilot.pause()
        toasts = app.screen.query(Toast)
        assert len(toasts) == 2
        keys = app.query_one(".ask--choices").region
        assert keys.area
        for toast in toasts:
            assert toast.region.area
            assert not toast.region.overlaps(keys)
