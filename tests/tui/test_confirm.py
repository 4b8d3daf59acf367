"""A dialog that comes while somebody types takes no key of theirs for a decision."""

from __future__ import annotations

from textual.app import App

from ctui.tui.dialogs.confirm import Confirm
from tests.tui.clock import CLOCK


async def test_a_dialog_decides_nothing_until_the_keys_have_paused() -> None:
    app = App[None]()
    answers: list[bool | None] = []
    async with app.run_test() as pilot:
        app.push_screen(Confirm("Remove it?", [], yes="remove"), answers.append)
        await pilot.pause()
        for key in ("y", "enter", "q", "y"):
            CLOCK.pass_half_a_guard()
            await pilot.press(key)
        assert isinstance(app.screen, Confirm)
        CLOCK.pass_the_guard()
        await pilot.press("y")
        assert answers == [True]


async def test_enter_is_no_yes_because_it_may_have_opened_the_dialog() -> None:
    app = App[None]()
    answers: list[bool | None] = []
    async with app.run_test() as pilot:
        app.push_screen(Confirm("Remove it?", [], yes="remove"), answers.append)
        await pilot.pause()
        CLOCK.pass_the_guard()
        await pilot.press("enter")
        assert isinstance(app.screen, Confirm)
        CLOCK.pass_the_guard()
        await pilot.press("y")
        assert answers == [True]


async def test_escape_leaves_a_dialog_at_once() -> None:
    app = App[None]()
    answers: list[bool | None] = []
    async with app.run_test() as pilot:
        app.push_screen(Confirm("Remove it?", [], yes="remove"), answers.append)
        await pilot.pause()
        await pilot.press("escape")
        assert answers == [False]
