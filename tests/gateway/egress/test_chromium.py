"""Chromium on the task's end of its network: it is led to the gateway by the task's variables."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ctui.gateway.egress.policy import Policy, PrivateHost
from tests.gateway.egress.outside import Pages, serving, way_out
from tests.gateway.inside import free_port, inside
from tests.web.chromium import browser

pytestmark = pytest.mark.slow


async def test_it_shows_what_is_allowed_and_why_the_rest_is_refused(tmp_path: Path) -> None:
    """It is given nothing but the proxies; a refusal is a page that says what allows a host."""
    pages, other = Pages(), free_port()
    async with (
        serving(pages) as port,
        way_out(tmp_path, Policy(private=(PrivateHost("host", port),))) as way,
        inside(tmp_path) as task,
    ):
        proxy = f"http://127.0.0.1:{task.proxy}"
        proxies = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), proxy)
        async with browser(environ={**os.environ, **proxies}) as page:
            await page.open(f"http://host:{port}/")
            await page.until("hello")
            await page.open(f"http://host:{other}/")
            await page.until("is refused.*the person can name it")
            await page.open("http://pastes.example/")
            await page.until("the person can say: ctui network allow pastes.example")
        assert "GET / HTTP/1.1" in pages.heads[0]
        verdicts = {(one.host, one.port): one.verdict for one in await way.over(3)}
        assert verdicts.pop(("host", port)) == "allowed"
        assert verdicts[("host", other)] == verdicts[("pastes.example", 80)] == "refused"
