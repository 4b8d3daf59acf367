"""What the form for a new task hands over."""

from __future__ import annotations

import pytest
from textual.app import App

from ctui.client.tasks.new_task import NewTask
from ctui.config import ClaudeConfig
from ctui.tui.dialogs.new_task import NewTaskForm
from ctui.tui.dialogs.tick_box import TickBox
from ctui.tui.support.options import ScreenOptions


@pytest.mark.parametrize("always", [False, True])
@pytest.mark.parametrize("ticked", [False, True])
async def test_a_task_is_isolated_where_it_is_ticked_or_always(always: bool, ticked: bool) -> None:
    """T25: where the setting says so it is shown, and cannot be taken off."""
    NewTaskForm.draft = ""
    options = ScreenOptions(ClaudeConfig(), isolated=always)
    app = App[None]()
    wanted: list[NewTask | None] = []
    async with app.run_test() as pilot:
        app.push_screen(NewTaskForm(options, None, NewTask(prompt="Look.")), wanted.append)
        await pilot.pause()
        box = app.screen.query_one("#isolated", TickBox)
        assert (box.value, box.disabled) == (always, always)
        if ticked:
            box.focus()
            await pilot.press("space")
        await pilot.press("ctrl+s")
    (new,) = wanted
    assert new is not None
    assert new.options.isolated == (always or ticked)
