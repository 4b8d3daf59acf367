"""Words that are written for an ask stay with it, whatever happens to it meanwhile."""

from __future__ import annotations

import pytest
from textual.events import AppBlur, AppFocus
from textual.widgets import Input, Static

from ctui.tui.pane.composer import Composer
from tests.tui.test_ask_form import COLOUR, permission, questions
from tests.tui.test_focus import PanelAndComposer, past_the_guard, shown
from tests.tui.test_forms import one_field

ONE, TWO = (permission("Bash", {"command": name}) for name in ("one", "two"))
ONE.id, TWO.id = 1, 2


def words(app: PanelAndComposer) -> Input:
    return app.panel.query_one(Input)


def keys_shown(app: PanelAndComposer) -> str:
    return str(app.panel.query_one(".ask--choices", Static).content)


@pytest.mark.parametrize("next_ones", [[], [TWO]])
async def test_an_ask_that_goes_leaves_the_line_and_its_text(next_ones: list[object]) -> None:
    left = [ask for ask in (TWO,) if ask in next_ones]
    async with shown(ONE, *left) as (app, pilot):
        app.panel.focus()
        await pilot.pause()
        await past_the_guard()
        await pilot.press("D", "n", "o")
        assert "enter sends" in keys_shown(app)
        app.show(*left)
        await past_the_guard()
        await pilot.press("R", "y", "1", "enter")
        assert (words(app).value, words(app).has_focus) == ("noRy1", True)
        assert "not asked any more" in keys_shown(app)
        assert (app.answers, app.shortcuts) == ([], 0)
        assert app.panel.leave_words()
        await pilot.pause()
        await pilot.press("y")
        assert app.answers == []
        assert app.panel.ask is (TWO if left else None)
        assert isinstance(app.focused, type(app.panel) if left else Composer)  # where it was


async def test_a_line_that_is_on_its_way_answers_no_other_ask() -> None:
    async with shown(ONE) as (app, pilot):
        app.panel.focus()
        await pilot.pause()
        await past_the_guard()
        await pilot.press("D", "n", "o")
        await words(app).action_submit()
        app.panel.show([TWO])
        await pilot.pause()
        assert app.answers == []
        assert words(app).value == "no"


async def test_who_leaves_a_line_without_an_ask_has_closed_it() -> None:
    async with shown(ONE) as (app, pilot):
        app.panel.focus()
        await pilot.pause()
        await past_the_guard()
        await pilot.press("D", "n", "o")
        app.show()
        app.post_message(AppBlur())
        await pilot.pause()
        app.post_message(AppFocus())
        await pilot.pause()
        assert (words(app).has_focus, words(app).value) == (True, "no")
        app.query_one(Composer).focus()
        await pilot.pause()
        assert not app.panel.display
        assert app.query_one(Composer).has_focus


async def test_who_comes_back_to_a_line_goes_on_writing() -> None:
    async with shown(ONE) as (app, pilot):
        app.panel.focus()
        await pilot.pause()
        await past_the_guard()
        await pilot.press("D", "n")
        app.query_one(Composer).focus()
        await pilot.pause()
        app.panel.focus()
        await pilot.pause()
        await pilot.press("o", "enter")
        assert [answer.message for answer in app.answers] == ["no"]


async def test_a_text_that_does_not_fit_stays_where_it_can_be_mended() -> None:
    async with shown(one_field({"type": "string", "maxLength": 3})) as (app, pilot):
        app.panel.focus()
        await pilot.pause()
        await past_the_guard()
        await pilot.press("t", *"four", "enter")
        assert (words(app).value, words(app).has_focus) == ("four", True)
        assert "at most 3" in keys_shown(app)
        await pilot.press("backspace", "enter")
        assert [answer.answers for answer in app.answers] == [{"f": "fou"}]


async def test_a_refused_answer_asks_anew_but_takes_nothing_from_another_ask() -> None:
    sizes = questions({"question": "Which?", "multiSelect": True, "options": COLOUR["options"]})
    sizes.id = 2
    async with shown(ONE) as (app, pilot):
        app.panel.focus()
        await pilot.pause()
        await past_the_guard()
        await pilot.press("y", "y")
        assert "answered" in keys_shown(app)
        app.panel.start_again()
        await past_the_guard()
        await pilot.press("y")
        assert len(app.answers) == 2
        app.show(sizes)
        await past_the_guard()
        await pilot.press("2")
        app.panel.start_again()
        await past_the_guard()
        await pilot.press("enter")
        assert app.answers[-1].answers == {"Which?": "Blue"}


async def test_a_command_that_is_longer_than_the_panel_says_so() -> None:
    command = "\n".join(f"line {number}" for number in range(40))
    async with shown(permission("Bash", {"command": command})) as (app, pilot):
        app.panel.focus()
        more = app.panel.query_one(".ask--more", Static)
        await pilot.pause()
        assert more.display
        assert "more lines below" in str(more.content)
        await pilot.press("end")
        await pilot.pause()
        assert "below" not in str(more.content)
        await pilot.press("home", "down")
        await pilot.pause()
        assert "more lines below" in str(more.content)
        app.show(TWO)
        await pilot.pause()
        assert not more.display


async def test_a_key_stays_with_its_meaning() -> None:
    async with shown(questions(COLOUR)) as (app, pilot):
        app.panel.focus()
        await pilot.resize_terminal(24, 24)
        await pilot.pause()
        assert keys_shown(app).split("\n") == ["1-2 choose", "t your own answer", "d do not answer"]
