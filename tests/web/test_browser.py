"""The main job in a real browser: log in, answer what a task asks, see what came of it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from ctui.demo.model.script import fenced
from ctui.demo.world import World
from ctui.tui.asks.key_guard import GUARD_SECONDS
from ctui.web.auth import Tokens
from tests.web.chromium import Page, browser
from tests.web.conftest import serving

pytestmark = pytest.mark.engine


async def narrowed(page: Page) -> None:
    """Until the dashboard has drawn itself for fewer columns."""
    async with asyncio.timeout(20):
        while max(map(len, (await page.text()).splitlines())) > 90:  # noqa: ASYNC110
            await asyncio.sleep(0.05)  # how it looks is no event


async def test_a_person_answers_an_ask_in_a_browser(world: World, repository: Path) -> None:
    async with browser() as page:
        with serving(repository, world.environ) as served:
            await page.log_in(served.url, served.token)
            await page.until("ctui +repository +main")
            await asyncio.to_thread(
                served.create,
                "Make a file\n" + fenced("bash echo 漢字 > made && cat made", "say All {result}"),
            )
            await page.until("1 ask")
            await page.press("Tab")
            await page.until("y once")
            await asyncio.sleep(GUARD_SECONDS + 0.1)  # the guard is made of time
            await page.press("y")
            await page.until("All 漢字")
            await page.until("1 ask", gone=True)

            await page.size(700, 420)
            await narrowed(page)
            await page.press("^z")  # nothing is suspended: there is no shell to go back to
            await page.press("?")
            await page.until("Everywhere")
            await page.press("Escape")
            await page.until("Everywhere", gone=True)

            await page.press("q")
            await page.until("was closed")
            await page.press("Enter")
            await page.until("All 漢字")
            Tokens(world.paths).regenerate()
            await page.until("Token")
            await page.log_in(served.url, served.token)
            await page.until("All 漢字")
            await page.evaluate("document.getElementById('logout').click()")
            await page.until("Token")
            await page.open(served.url)
            await page.until("Token")
            await page.log_in(served.url, served.token)
            await page.until("All 漢字")
        await page.until("connection is lost")
        assert [each for each in page.complaints if served.url not in each] == []
