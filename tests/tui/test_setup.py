"""Logging in where it is seen that something is missing."""

from __future__ import annotations

from typing import Any

import pytest
from textual.app import App
from textual.pilot import Pilot
from textual.widgets import Input, Static

from ctui.client.health.health import Check
from ctui.paths import Paths
from ctui.tui.dialogs.setup import Setup
from tests.tui.test_snapshots import Still

_CHECKS = [
    Check(name, False, "it is not there", "this would mend it")
    for name in ("ctui", "state", "config", "git", "login", "engine", "image")
]


def shown(app: App[Any]) -> str:
    return "\n".join(strip.text for strip in app.screen._compositor.render_strips())


async def opened(app: App[Any], pilot: Pilot[Any], paths: Paths) -> Setup:
    setup = Setup(paths, _CHECKS)
    await app.push_screen(setup)
    await pilot.press("l")
    await pilot.pause()
    return setup


@pytest.mark.parametrize("size", [(110, 34), (80, 24)])
async def test_what_is_written_is_seen_as_bullets(paths: Paths, size: tuple[int, int]) -> None:
    app = Still()
    async with app.run_test(size=size) as pilot:
        setup = await opened(app, pilot, paths)
        await pilot.press("a", "r", "b", "q")
        await pilot.pause()
        assert "A token of" in shown(app)
        assert "••••" in shown(app)
        line = setup.query_one(Input)
        seen = app.screen.find_widget(line).visible_region
        assert seen.contains_point(line.cursor_screen_offset)
        assert "enter stores it   esc leaves" in str(
            setup.query_one(".dialog--keys", Static).content
        )
        assert not setup.workers


async def test_leaving_forgets_what_was_written(paths: Paths) -> None:
    app = Still()
    async with app.run_test() as pilot:
        setup = await opened(app, pilot, paths)
        await pilot.press("a", "escape")
        assert setup.query_one(Input).value == ""
        assert app.screen is setup
        assert "log in" in str(setup.query_one(".dialog--keys", Static).content)
        await pilot.press("escape")
        assert app.screen is not setup


async def test_what_is_no_login_is_said(paths: Paths) -> None:
    app = Still()
    async with app.run_test() as pilot:
        setup = await opened(app, pilot, paths)
        await pilot.press(*"'x'", "enter")
        assert "that is in quotes" in str(setup.query_one(".setup--progress", Static).content)
        assert setup.query_one(Input).has_focus
