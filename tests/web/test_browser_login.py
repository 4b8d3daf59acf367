"""Who gets a session, what a browser is told about it, and when it ends."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from starlette.datastructures import Headers

from ctui.web.browser.attempts import Attempts, TooMany
from ctui.web.browser.sessions import LIFETIME, Sessions
from tests.web.browser_server import TOKEN, Server, python, serving


@pytest_asyncio.fixture
async def server() -> AsyncIterator[Server]:
    async with serving(python("input()")) as made:
        yield made


async def test_without_a_session_there_is_nothing_but_the_login(server: Server) -> None:
    answer = await server.ask("GET", "/", origin="")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/login")
    login = await server.ask("GET", "/login", origin="")
    assert login.status_code == 200
    assert 'type="password"' in login.text


async def test_a_login_gives_a_cookie_that_no_script_and_no_other_site_can_use(
    server: Server,
) -> None:
    answer = await server.ask("POST", "/login", data={"token": TOKEN})
    cookie = answer.headers["Set-Cookie"]
    name, _, rest = cookie.partition("=")
    value, *flags = rest.split("; ")
    assert name == f"ctui-{server.port}"
    assert len(value) >= 43  # 256 bits in base64
    assert {"HttpOnly", "SameSite=Strict", "Path=/", f"Max-Age={LIFETIME}"} <= set(flags)
    assert answer.headers["Cache-Control"] == "no-store"
    page = await server.ask("GET", "/", origin="", headers={"Cookie": f"{name}={value}"})
    assert page.status_code == 200
    assert "<title>a &lt;test&gt; · ctui</title>" in page.text
    assert answer.json()["key"] not in page.text + value


@pytest.mark.parametrize("origin", ["", "null", "https://evil.example", "http://127.0.0.1:1"])
async def test_a_page_of_another_site_can_neither_log_in_nor_out(
    server: Server, origin: str
) -> None:
    known = await server.log_in()
    cookie = {"Cookie": known.cookie}
    refused = await server.ask("POST", "/login", origin=origin, data={"token": TOKEN})
    assert (refused.status_code, "Set-Cookie" in refused.headers) == (403, False)
    refused = await server.ask("POST", "/logout", origin=origin, headers=cookie)
    assert refused.status_code == 403
    assert (await server.ask("GET", "/", origin="", headers=cookie)).status_code == 200


async def test_behind_tls_the_cookie_is_for_tls_only(server: Server) -> None:
    origin = server.url.replace("http:", "https:")
    answer = await server.ask("POST", "/login", origin=origin, data={"token": TOKEN})
    assert "; Secure" in answer.headers["Set-Cookie"]


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ({"token": "wrong"}, 401),
        ({"token": "é" * 40}, 401),
        ({"token": ""}, 400),
        ({"other": TOKEN}, 400),
        ({}, 400),
        ({"token": "x" * 5000}, 400),
        (b"\xff\xfe\x00", 400),
        ("a=1&" * 50 + f"token={TOKEN}", 400),
    ],
)
async def test_what_is_no_right_token_gives_no_session(
    server: Server, form: object, status: int
) -> None:
    answer = await server.ask("POST", "/login", data=form)
    assert (answer.status_code, "Set-Cookie" in answer.headers) == (status, False)
    assert set(answer.json()) == {"error"}


async def test_a_token_in_the_url_counts_for_nothing(server: Server) -> None:
    assert (await server.ask("GET", f"/?token={TOKEN}", origin="")).status_code == 303
    assert (await server.ask("POST", f"/login?token={TOKEN}")).status_code == 400


async def test_a_session_ends_with_the_logout(server: Server) -> None:
    known = await server.log_in()
    cookie = {"Cookie": known.cookie}
    gone = await server.ask("POST", "/logout", headers=cookie)
    assert gone.status_code == 200
    assert "Max-Age=0" in gone.headers["Set-Cookie"]
    assert (await server.ask("GET", "/", origin="", headers=cookie)).status_code == 303


async def test_a_session_ends_after_twelve_hours_and_with_its_token(server: Server) -> None:
    old = {"Cookie": (await server.log_in()).cookie}
    server.now += LIFETIME - 1
    young = {"Cookie": (await server.log_in()).cookie}
    assert (await server.ask("GET", "/", origin="", headers=old)).status_code == 200
    server.now += 1
    assert (await server.ask("GET", "/", origin="", headers=old)).status_code == 303
    assert (await server.ask("GET", "/", origin="", headers=young)).status_code == 200
    server.token = "regenerated"
    assert (await server.ask("GET", "/", origin="", headers=young)).status_code == 303


def test_there_is_a_most_of_sessions_and_the_oldest_goes() -> None:
    sessions = Sessions(lambda token: token == TOKEN)
    made = [sessions.open(TOKEN) for _ in range(65)]
    found = [sessions.find(each.cookie) for each in made if each is not None]
    assert [each is not None for each in found] == [False] + [True] * 64


@pytest.mark.parametrize(
    "path", ["/browser/", "/browser", "/browser/nothing", "/browser/..%2fpages.py"]
)
async def test_only_known_files_are_given_out_and_no_list_of_them(
    server: Server, path: str
) -> None:
    assert (await server.ask("GET", path, origin="")).status_code == 404


@pytest.mark.parametrize("path", ["/", "/login", "/browser/main.js", "/browser/page.css"])
async def test_a_page_can_load_nothing_foreign_and_be_framed_by_nobody(
    server: Server, path: str
) -> None:
    answer = await server.ask("GET", path, origin="")
    headers = Headers(answer.headers)
    policy = dict(part.split(maxsplit=1) for part in headers["Content-Security-Policy"].split("; "))
    assert policy.pop("default-src") == "'none'"
    assert policy.pop("frame-ancestors") == "'none'"
    assert set(policy.values()) <= {"'self'", "'none'"}
    assert headers["X-Content-Type-Options"].startswith("nosniff")
    assert headers["Referrer-Policy"].startswith("no-referrer")


def wrong() -> str | None:
    return None


async def test_wrong_logins_take_longer_each_time_and_only_for_their_own_address() -> None:
    attempts = Attempts(first=0.05, longest=0.2)
    taken = []
    for _ in range(4):
        begun = time.monotonic()
        assert await attempts.attempt("one", wrong) is None
        taken.append(time.monotonic() - begun)
    assert all(took >= wait for took, wait in zip(taken, [0.05, 0.1, 0.2, 0.2], strict=True))
    slow = asyncio.create_task(attempts.attempt("one", wrong))
    await asyncio.sleep(0)
    begun = time.monotonic()
    assert await attempts.attempt("another", lambda: "in") == "in"
    assert time.monotonic() - begun < 0.1
    assert await slow is None


async def test_many_logins_at_once_are_no_quicker_and_most_are_not_even_tried() -> None:
    attempts = Attempts(first=0.05)
    tried = []

    def login() -> str | None:
        tried.append(time.monotonic())
        return None

    outcomes = await asyncio.gather(
        *(attempts.attempt("one", login) for _ in range(20)), return_exceptions=True
    )
    assert sum(isinstance(each, TooMany) for each in outcomes) == 16
    assert len(tried) == 4
    assert tried[-1] - tried[0] >= 0.05 + 0.1 + 0.2
