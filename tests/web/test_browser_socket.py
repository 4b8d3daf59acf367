"""The socket of a page: who gets one, what is taken from it, and how either side ends."""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from websockets.exceptions import InvalidStatus

from ctui.paths import Paths
from ctui.web.auth import Tokens
from ctui.web.browser import connection, terminal
from ctui.web.browser.routes import MOST
from tests.web.browser_server import WAIT_SECONDS, Login, Server, Socket, python, serving

ECHO = python(
    "import os, tty; tty.setraw(0); print(f'ready {os.getpid()}.', end='')",
    "while data := os.read(0, 65536): os.write(1, b'<' + data + b'>')",
)


async def gone(pid: int) -> None:
    """Until there is no such process."""
    async with asyncio.timeout(WAIT_SECONDS):
        while Path(f"/proc/{pid}").exists():  # noqa: ASYNC110 - only its parent is told
            await asyncio.sleep(0.02)


async def ready(page: Socket) -> int:
    """The program's process id, when it has said so."""
    found = re.search(rb"ready (\d+)\.", await page.until(b"."))
    assert found
    return int(found.group(1))


async def refusal(login: Login, **given: str) -> int:
    with pytest.raises(InvalidStatus) as refused:
        async with login.socket(**given):
            pass
    return refused.value.response.status_code


@pytest.mark.parametrize("origin", ["", "null", "https://evil.example", "http://localhost:6080"])
async def test_a_page_of_another_site_gets_no_socket(origin: str) -> None:
    async with serving(ECHO) as server:
        assert await refusal(await server.log_in(), origin=origin or "") == 403


async def test_without_a_session_there_is_no_socket() -> None:
    async with serving(ECHO) as server:
        login = await server.log_in()
        name = login.cookie.partition("=")[0]
        assert await refusal(login, cookie="") == 401
        assert await refusal(login, cookie=f"{name}={'A' * 43}") == 401
        assert await refusal(login, cookie=f"other={login.cookie.partition('=')[2]}") == 401
        server.now += 13 * 3600
        assert await refusal(login) == 401


async def test_the_cookie_alone_starts_nothing() -> None:
    async with serving(ECHO) as server:
        login = await server.log_in()
        async with login.socket() as page:
            await page.say("hello", key="A" * 43, columns=80, rows=24)
            assert await page.closed() == connection.CODE_LOGGED_OUT
            assert page.shown == b""


@pytest.mark.parametrize(
    "message",
    [
        "nonsense",
        "{",
        '"text"',
        '{"type": "other"}',
        '{"type": "typed"}',
        '{"type": "typed", "text": 7}',
        '{"type": "typed", "text": "\\ud800"}',
        '{"type": "typed", "text": "a", "more": 1}',
        '{"type": "resized", "columns": 0, "rows": 10}',
        '{"type": "resized", "columns": 80, "rows": 100000}',
        '{"type": "resized", "columns": "80", "rows": 10}',
        '{"type": "seen", "bytes": -1}',
        '{"type": "hello", "key": "", "columns": 80, "rows": 24}',
        json.dumps({"type": "typed", "text": "x" * (1 << 16)}),
        "[" * 60_000,
        b"binary",
    ],
)
async def test_what_is_no_message_ends_the_page_and_its_program(message: str | bytes) -> None:
    async with serving(ECHO) as server:
        async with (await server.log_in()).page() as page:
            pid = await ready(page)
            await page.connection.send(message)
            assert await page.closed() == connection.CODE_BAD_MESSAGE
        await gone(pid)
        assert (await server.ask("GET", "/login")).status_code == 200


async def test_the_first_message_has_to_be_the_hello() -> None:
    async with serving(ECHO) as server, (await server.log_in()).socket() as page:
        await page.type("x")
        assert await page.closed() == connection.CODE_BAD_MESSAGE


async def test_a_program_has_a_terminal_and_little_of_the_environment() -> None:
    shows = python(
        "import os, shutil, signal, sys, time",
        "print(sorted(os.environ), os.getcwd(), os.ttyname(0), os.isatty(1), os.isatty(2))",
        "def size(*_): print('size', tuple(shutil.get_terminal_size()), flush=True)",
        "signal.signal(signal.SIGWINCH, size); size()",
        "while True: time.sleep(60)",
    )
    environ = {
        "PATH": os.environ["PATH"],
        "CTUI_HOME": "/nowhere",
        "LC_ALL": "C.UTF-8",
        "DISPLAY": ":0",
        "BROWSER": "lynx",
        "EDITOR": "vi",
        "DATABASE_PASSWORD": "other",
    }
    async with serving(shows, environ) as server, (await server.log_in()).page() as page:
        shown = (await page.until(b"size (80, 24)")).decode()
        names = ["COLORTERM", "CTUI_HOME", "CTUI_SERVED", "LC_ALL", "PATH", "TERM"]
        assert re.match(rf"{re.escape(str(names))} / /dev/\S+ True True", shown)
        await page.say("resized", columns=100, rows=30)
        await page.until(b"size (100, 30)")


async def test_what_is_typed_arrives_whole() -> None:
    async with serving(ECHO) as server, (await server.log_in()).page() as page:
        await ready(page)
        text = "é漢" * 10_000
        for at in range(0, len(text), 5000):
            await page.type(text[at : at + 5000])
        await page.type("END")
        shown = (await page.until(b"END")).replace(b"><", b"").decode()
        assert shown.partition("<")[2].startswith(text)


async def test_a_page_that_does_not_look_stops_its_program_and_no_other() -> None:
    floods = python("import os", "while True: os.write(1, b'x' * 4096)")
    async with serving(floods) as server:
        login = await server.log_in()
        async with login.page() as blind, login.page() as seeing:
            received = 0
            # All that comes without being seen, until nothing comes any more.
            while True:
                try:
                    async with asyncio.timeout(1.0):
                        received += len(await blind.connection.recv())
                except TimeoutError:
                    break
            assert connection.WINDOW <= received < connection.WINDOW + (1 << 16)
            for _ in range(20):
                data = await seeing.connection.recv()
                await seeing.say("seen", bytes=len(data))
            await blind.say("seen", bytes=received)
            assert await blind.connection.recv()


async def test_a_program_that_reads_nothing_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terminal, "_STUCK", 0.3)
    deaf = python(
        "import os, tty, time; tty.setraw(0); print(f'ready {os.getpid()}.', end='')",
        "while True: time.sleep(60)",
    )
    async with serving(deaf) as server, (await server.log_in()).page() as page:
        pid = await ready(page)
        for _ in range(40):
            await page.type("x" * 10_000)
        assert await page.closed() == connection.CODE_STUCK
        await gone(pid)


@pytest.mark.parametrize("code", [0, 3])
async def test_the_end_of_a_program_is_told_after_all_that_it_said(code: int) -> None:
    says = python(f"import sys; print('x' * 200_000 + 'END'); sys.exit({code})")
    async with serving(says) as server, (await server.log_in()).page() as page:
        await page.until(b"END")
        assert await page.closed() == 1000
        assert page.exit_code == code


async def test_what_cannot_be_started_is_told() -> None:
    async with serving(["/no/such/program"]) as server, (await server.log_in()).page() as page:
        assert await page.closed() == 1000
        assert page.exit_code not in {0, None}


async def test_a_program_ends_with_its_page_even_if_it_does_not_want_to() -> None:
    stubborn = python(
        "import os, signal, time",
        "for each in (signal.SIGTERM, signal.SIGHUP): signal.signal(each, signal.SIG_IGN)",
        "print(f'ready {os.getpid()}.', end='')",
        "while True: time.sleep(60)",
    )
    async with serving(stubborn) as server:
        async with (await server.log_in()).page() as page:
            pid = await ready(page)
        await gone(pid)


async def test_programs_end_with_the_server() -> None:
    async with serving(ECHO) as server, (await server.log_in()).page() as page:
        pid = await ready(page)
        server.ended.set()
        assert await page.closed() == 1012
        await gone(pid)


async def test_a_logout_and_a_new_token_end_what_is_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "_LOOK_SECONDS", 0.1)
    async with serving(ECHO) as server:
        one, other = await server.log_in(), await server.log_in()
        async with one.page() as first, other.page() as second:
            await ready(first)
            await ready(second)
            await server.ask("POST", "/logout", headers={"Cookie": one.cookie})
            assert await first.closed() == connection.CODE_LOGGED_OUT
            await second.type("still here")
            await second.until(b"still here")
            server.token = "regenerated"
            assert await second.closed() == connection.CODE_LOGGED_OUT


async def open_pages(login: Login, stack: AsyncExitStack) -> None:
    for _ in range(MOST):
        page = await stack.enter_async_context(login.page())
        await ready(page)


async def test_eight_pages_are_enough() -> None:
    async with serving(ECHO) as server:
        login = await server.log_in()
        cookie = {"Cookie": login.cookie}
        async with AsyncExitStack() as stack:
            await open_pages(login, stack)
            assert (await server.ask("GET", "/", headers=cookie)).status_code == 429
            async with login.socket() as page:
                assert await page.closed() == connection.CODE_FULL
        async with login.page() as page, asyncio.timeout(WAIT_SECONDS):
            await ready(page)
        assert (await server.ask("GET", "/", headers=cookie)).status_code == 200


async def test_a_dashboard_is_hung_up_when_its_server_is_killed(
    repository: Path, paths: Paths
) -> None:
    """Also where the server was started by nohup."""
    serve = await asyncio.create_subprocess_exec(
        *("nohup", sys.executable, "-P", "-m", "ctui", "serve", "--port", "0"),
        cwd=repository,
        env={**os.environ, "DOCKER_HOST": "unix:///nowhere/docker.sock"},
        stderr=asyncio.subprocess.PIPE,
    )
    assert serve.stderr is not None
    said = re.search(rb":(\d+) serves", await serve.stderr.readline())
    assert said
    server = Server(int(said.group(1)))
    server.token = Tokens(paths).current()
    async with (await server.log_in()).page() as page:
        await page.until(b"repository")
        tasks = Path(f"/proc/{serve.pid}/task").glob("*/children")
        children = [int(pid) for file in tasks for pid in file.read_text().split()]
        commands = {pid: Path(f"/proc/{pid}/cmdline").read_bytes() for pid in children}
        shown = [pid for pid, command in commands.items() if str(repository).encode() in command]
        assert len(shown) == 1
        serve.kill()
        await serve.communicate()
        await gone(shown[0])
