"""Ports of tasks from other machines: below one domain, where browsers take tasks for one site."""

from __future__ import annotations

from pathlib import Path

import pytest

from ctui.gateway.ports.addresses import Addresses
from ctui.gateway.ports.admission import Place
from tests.gateway.egress.outside import Pages, serving
from tests.gateway.ports.views import LABEL, Browser, hub_with_task, viewing

DOMAIN = "tasks.example.org"


@pytest.mark.parametrize(
    ("host", "place"),
    [
        ("3000-t1.tasks.example.org", Place("t1", 3000)),
        ("3000-4000-x.tasks.example.org", Place("4000-x", 3000)),
        ("3000.t1.localhost", Place("t1", 3000)),
        *(
            (host, None)
            for host in (
                *("tasks.example.org", "t1.tasks.example.org", "3000.t1.tasks.example.org"),
                *("3000-t1.tasks.example.org.evil.example", "3000-t1.tasksXexample.org"),
                *("3000-t1.evil.example", "3000-t1.localhost", "03-t1.tasks.example.org"),
                *("65536-t1.tasks.example.org", "3000-t1.a.tasks.example.org", "3000-.", ""),
                "3000-" + "a" * 58 + ".tasks.example.org",
            )
        ),
    ],
)
def test_a_name_means_one_port_of_one_task(host: str, place: Place | None) -> None:
    assert Addresses(f"{DOMAIN}:6080").place(host) == place


def test_without_a_domain_there_is_no_elsewhere() -> None:
    here = Addresses()
    assert here.place("3000-t1.") is None
    assert not here.is_elsewhere("3000-t1.tasks.example.org")
    assert here.url(Place("t1", 3000), 8899, elsewhere=True) == "http://3000.t1.localhost:8899"


async def test_an_address_from_elsewhere_opens_once_and_its_cookie_is_for_tls(
    tmp_path: Path,
) -> None:
    pages = Pages()
    async with (
        serving(pages) as port,
        hub_with_task(tmp_path) as hub,
        viewing({LABEL: hub.hub}, elsewhere=f"{DOMAIN}:6080") as browser,
    ):
        await hub.has(port)
        link = browser.view.link(LABEL, port, elsewhere=True)
        page = f"https://{port}-t1.tasks.example.org:6080/"
        assert link.startswith(f"{page}?ctui-key=")
        assert browser.view.link(LABEL, port).startswith(f"http://{port}.t1.localhost:")
        assert (await browser.get(page)).status == 403
        answer = await browser.enter(link)
        assert answer.header("set-cookie").endswith("; Secure")
        assert (await browser.get(page)).body == b"hello\n"
        # It admits to no other port or task, and is the same person's here.
        for other in (f"{port + 1}-t1", f"{port}-t2"):
            said = await _with_cookie_of(browser, page, f"https://{other}.{DOMAIN}:6080/")
            assert said == 403, other
        assert (await Browser(browser.view).enter(link)).status == 403


SAME_SITE = "Sec-Fetch-Site: same-site"
FROM_A_SIBLING = [
    (SAME_SITE, "Sec-Fetch-Mode: no-cors", "Sec-Fetch-Dest: script"),
    (SAME_SITE, "Sec-Fetch-Mode: no-cors", "Sec-Fetch-Dest: image"),
    (SAME_SITE, "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: iframe"),
    (SAME_SITE, "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: object"),
    (SAME_SITE,),
    ("Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: no-cors", "Sec-Fetch-Dest: empty"),
    (SAME_SITE, "Origin: https://3000-evil.tasks.example.org:6080"),
    ("Sec-Fetch-Site: same-origin", "Origin: https://3000-evil.tasks.example.org:6080"),
    ("Origin: https://3000-evil.tasks.example.org:6080", "Upgrade: websocket"),
    ("Sec-Fetch-Site: same-origin", "Upgrade: websocket"),
    ("Origin: null",),
]
OWN = [
    (),
    ("Sec-Fetch-Site: none", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document"),
    ("Sec-Fetch-Site: same-origin", "Sec-Fetch-Mode: no-cors", "Sec-Fetch-Dest: script"),
    ("Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document"),
    (SAME_SITE, "Sec-Fetch-Mode: cors", "Origin: https://5173-t1.tasks.example.org:6080"),
]


async def test_a_task_s_page_makes_a_browser_ask_nothing_of_another_task(tmp_path: Path) -> None:
    """Neither by a picture, a script or a frame, nor by a socket; the person goes anywhere."""
    pages = Pages()
    async with (
        serving(pages) as port,
        hub_with_task(tmp_path) as hub,
        viewing({LABEL: hub.hub}, elsewhere=DOMAIN) as browser,
    ):
        await hub.has(port)
        await browser.enter(browser.view.link(LABEL, port, elsewhere=True))
        page = f"https://{port}-t1.tasks.example.org/"
        for headers in FROM_A_SIBLING:
            assert (await browser.get(page, *headers)).status == 403, headers
        assert pages.heads == []
        for headers in OWN:
            assert (await browser.get(page, *headers)).status == 200, headers


async def _with_cookie_of(browser: Browser, page: str, other: str) -> int:
    """Return what another address answers to the cookie of a page."""
    [cookie] = [value for host, value in browser.cookies.items() if host in page]
    return (await browser.get(other, cookie=cookie)).status
