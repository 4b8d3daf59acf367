"""Ports of tasks in a real browser: its own origins, its own cookies, its own sockets."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
from pathlib import Path

import pytest
from websockets.asyncio.server import ServerConnection, serve

from tests.gateway.boxes import UID, boxes
from tests.gateway.egress.outside import Pages, serving
from tests.gateway.ports.views import LABEL, Browser, Hub, hub_with_task, viewing
from tests.web.chromium import browser

PAGE = """<!doctype html><title>x</title><body>
<p id=cookie></p><p id=socket></p><p id=other></p>
<script>
  const show = (id, text) => document.getElementById(id).textContent = `${id}: ${text}`;
  document.cookie = "mine=1";
  show("cookie", document.cookie);
  const socket = new WebSocket("ws://%(socket)s/");
  socket.onmessage = (said) => show("socket", said.data);
  socket.onclose = () => show("socket", "closed");
  fetch("http://%(other)s/", {credentials: "include", mode: "no-cors"})
    .then((answer) => answer.text()).then((text) => show("other", "read " + text.length))
    .catch(() => show("other", "failed"));
</script>"""


async def talk(socket: ServerConnection) -> None:
    await socket.send("hello by a socket")
    await socket.wait_closed()


def html(text: str) -> bytes:
    """Return an answer with a page."""
    head = f"Content-Type: text/html\r\nContent-Length: {len(text)}\r\nConnection: close"
    return f"HTTP/1.1 200 OK\r\n{head}\r\n\r\n{text}".encode()


@pytest.mark.slow
async def test_a_page_has_its_own_origin_and_no_way_to_others(tmp_path: Path) -> None:
    """A task's page speaks with its own task; another task's port hears nothing from it.

    The browser has been at both tasks' ports before, so it has a cookie for each of them.
    """
    first, other = Pages(), Pages()
    async with (
        serving(first) as port,
        serving(other) as second,
        serve(talk, "127.0.0.1", 0) as server,
        hub_with_task(tmp_path) as hub,
        viewing({LABEL: hub.hub, "t2": hub.hub}) as viewer,
        browser() as page,
    ):
        sockets = next(iter(server.sockets)).getsockname()[1]
        for one in (port, second, sockets):
            await hub.has(one)
        gate = viewer.view.port
        places = {
            "socket": f"{sockets}.t1.localhost:{gate}",
            "other": f"{second}.t2.localhost:{gate}",
        }
        first.answer = html(PAGE % places)
        await page.open(viewer.view.link("t2", second))
        await page.until("hello")
        # No page is there, but the browser has been admitted to it.
        await page.open(viewer.view.link(LABEL, sockets))
        await page.until("Failed to open a WebSocket connection")
        await page.open(viewer.view.link(LABEL, port))
        await page.until("socket: hello by a socket")
        await page.until("cookie: mine=1")
        await page.until("other: read 0")
        assert "ctui" not in await page.evaluate("document.cookie + location.href")
        assert len([one for one in other.heads if "favicon" not in one]) == 1
        assert await page.evaluate("location.origin") == f"http://{port}.t1.localhost:{gate}"


VITE = """
import http.server, os, pathlib, subprocess
os.chdir("/workspace")
subprocess.Popen(["node", "node_modules/vite/bin/vite.js", "--port", "5173", "--strictPort"],
                 stdout=subprocess.DEVNULL)
class Editor(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        pathlib.Path("main.js").write_bytes(body)
        self.send_response(204)
        self.end_headers()
    def log_message(self, *_): pass
http.server.HTTPServer(("127.0.0.1", 5174), Editor).serve_forever()
"""
"""A dev server, and a program of the task that edits the page's module as it is told to."""


@pytest.mark.engine
@pytest.mark.soak
async def test_a_page_changes_while_it_is_looked_at(tmp_path: Path) -> None:
    """vite in two tasks, at the same port: each page is changed by its task, without a reload."""
    project = tmp_path / "project"
    project.mkdir()
    got = await asyncio.create_subprocess_exec(
        "npm", "install", "--no-audit", "--no-fund", "--prefix", str(project), "vite@5"
    )
    if await got.wait():
        pytest.skip("vite cannot be installed here")
    (project / "index.html").write_text(
        '<!doctype html><body><p id=t></p><script type=module src="/main.js"></script>'
    )
    labels = ("one", "two")
    for label in labels:
        work = tmp_path / f"work-{label}"
        shutil.copytree(project, work, symlinks=True)
        (work / "main.js").write_text(module(f"first of {label}"))
        for own in (work, work / "main.js"):
            os.chown(own, UID, UID)
        (tmp_path / label).mkdir()
    hubs = {label: Hub(tmp_path / label) for label in labels}
    try:
        async with (
            boxes() as start,
            viewing({k: v.hub for k, v in hubs.items()}) as viewer,
            browser() as page,
        ):
            for label, hub in hubs.items():
                await hub.hub.start()
                await start(tmp_path / label, VITE, {}, workspace=tmp_path / f"work-{label}")
            for label, hub in hubs.items():
                for port in (5173, 5174):
                    await hub.has(port)
                await viewer.enter(viewer.view.link(label, 5174))
            for label in labels:
                await page.open(viewer.view.link(label, 5173))
                await page.until(f"first of {label}")
                await page.evaluate("window.same = true")
                seen = asyncio.create_task(page.until(f"second of {label}"))
                while not seen.done():
                    # An edit before the page's socket is open is told to nobody.
                    await edit(viewer, label, f"second of {label}")
                    await asyncio.wait({seen}, timeout=1)
                await seen
                assert await page.evaluate("window.same") is True
    finally:
        for hub in hubs.values():
            await hub.hub.close()


async def edit(viewer: Browser, label: str, text: str) -> None:
    """Have a task edit its page's module."""
    host, body = f"5174.{label}.localhost:{viewer.view.port}", module(text).encode()
    said = await viewer.say(
        f"POST / HTTP/1.1\r\nHost: {host}\r\nCookie: {viewer.cookies[host]}\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode()
        + body
    )
    assert said.startswith(b"HTTP/1.1 204 "), said


def module(text: str) -> str:
    """Return the page's module, which takes its own next version without a reload."""
    show = f"document.getElementById('t').textContent = {json.dumps(text)};"
    return f"{show}\nif (import.meta.hot) import.meta.hot.accept();\n"
