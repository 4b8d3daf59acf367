"""A real browser without a window, driven over the DevTools protocol."""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect

_PATIENCE = 40.0
_START_SECONDS = 30.0

_SEEN = """
(pattern, gone) => new Promise((resolve) => {
  const wanted = new RegExp(pattern);
  const parts = () => [document.getElementById("rows") ?? document.body,
    ...document.querySelectorAll("#notice:not([hidden])")];
  const text = () => parts().map((part) => part?.textContent ?? "").join("\\n");
  const look = () => wanted.test(text()) !== gone && (observer.disconnect(), resolve(true));
  const observer = new MutationObserver(look);
  const all = { subtree: true, childList: true, characterData: true, attributes: true };
  observer.observe(document, all);
  look();
})
"""

_NAMED = {"Enter": 13, "Tab": 9, "Escape": 27, "Backspace": 8, "ArrowDown": 40, "ArrowUp": 38}
_CTRL = 2


def find_chromium() -> str:
    """The browser's program; the test is skipped where there is none."""
    found = shutil.which("chromium") or shutil.which("google-chrome")
    if found is None:
        pytest.skip("chromium is not installed (`apt-get install chromium`)")
    return found


class Page:
    """The one page of a browser."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self._ids = itertools.count(1)
        self._session = ""
        self._replies: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self.complaints: list[str] = []
        """What the page's console and the browser's log have said against it."""

    async def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """One method of the protocol, and its result."""
        number = next(self._ids)
        said: dict[str, Any] = {"id": number, "method": method, "params": parameters}
        if self._session:
            said["sessionId"] = self._session
        reply: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._replies[number] = reply
        await self._connection.send(json.dumps(said))
        try:
            async with asyncio.timeout(_PATIENCE):
                return await reply
        finally:
            del self._replies[number]

    async def evaluate(self, expression: str) -> Any:
        """What a JavaScript expression gives, after its promise."""
        given = await self.call(
            "Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True
        )
        assert "exceptionDetails" not in given, given["exceptionDetails"]
        return given["result"].get("value")

    async def open(self, url: str) -> None:
        await self.call("Page.navigate", url=url)

    async def log_in(self, url: str, token: str) -> None:
        """As a person does, when the form is there."""
        await self.open(url)
        await self.until("Token")
        # Evaluated a second time, a module that has run gives the same again.
        await self.evaluate("import('/browser/login.js').then(() => true)")
        await self.write(token)
        await self.press("Enter")

    async def until(self, pattern: str, *, gone: bool = False) -> str:
        """The page's text as soon as a pattern is (or, with `gone`, is not) in it."""
        try:
            async with asyncio.timeout(_PATIENCE):
                while not await self._seen(pattern, gone=gone):  # noqa: ASYNC110
                    await asyncio.sleep(0.05)  # the page was left for another one meanwhile
        except TimeoutError:
            raise AssertionError(f"{pattern!r} was not seen:\n{await self.text()}") from None
        return await self.text()

    async def _seen(self, pattern: str, *, gone: bool) -> bool:
        expression = f"({_SEEN})({json.dumps(pattern)}, {json.dumps(gone)})"
        given = await self.call("Runtime.evaluate", expression=expression, awaitPromise=True)
        return given.get("result", {}).get("value") is True

    async def text(self) -> str:
        """The screen's rows, or the text of a page that has no screen."""
        shown: str = await self.evaluate(
            "[...document.querySelectorAll('.row')].map((row) => row.textContent).join('\\n')"
            " || document.body.innerText"
        )
        return shown

    async def press(self, *keys: str) -> None:
        """Keys by name, characters, or `^p` for a key with ctrl."""
        for key in keys:
            ctrl = len(key) == 2 and key[0] == "^"
            name = key[1] if ctrl else key
            code = _NAMED.get(name, ord(name.upper()) if len(name) == 1 else 0)
            down = {"key": name, "windowsVirtualKeyCode": code, "modifiers": _CTRL if ctrl else 0}
            if len(name) == 1 and not ctrl:
                down["text"] = name
            elif name == "Enter":
                down["text"] = "\r"
            await self.call("Input.dispatchKeyEvent", type="keyDown", **down)
            down.pop("text", None)
            await self.call("Input.dispatchKeyEvent", type="keyUp", **down)

    async def write(self, text: str) -> None:
        """As an input method does: the text at once, without keys."""
        await self.call("Input.insertText", text=text)

    async def mouse(self, kind: str, x: float, y: float, **more: Any) -> None:
        await self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, **more)

    async def size(self, width: int, height: int) -> None:
        await self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=height, deviceScaleFactor=1, mobile=False,
        )  # fmt: skip

    async def picture(self, path: Path) -> None:
        given = await self.call("Page.captureScreenshot", format="png")
        path.write_bytes(base64.b64decode(given["data"]))

    async def attach(self) -> None:
        """Take the first page for ours, and hear what it complains of."""
        targets = (await self.call("Target.getTargets"))["targetInfos"]
        target = next(each["targetId"] for each in targets if each["type"] == "page")
        attached = await self.call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            await self.call(f"{domain}.enable")
        await self.call("Emulation.setFocusEmulationEnabled", enabled=True)

    async def listen(self) -> None:
        """Hand out replies, as long as there are any."""
        async for line in self._connection:
            said = json.loads(line)
            if (reply := self._replies.get(said.get("id", 0))) is not None:
                reply.set_result(said.get("result", {}))
            elif said.get("method") == "Runtime.exceptionThrown":
                self.complaints.append(str(said["params"]["exceptionDetails"]))
            elif said.get("method") == "Log.entryAdded":
                entry = said["params"]["entry"]
                if entry["level"] in {"warning", "error"}:
                    self.complaints.append(f"{entry['text']} {entry.get('url', '')}")


@asynccontextmanager
async def browser(
    width: int = 1100, height: int = 700, *, environ: Mapping[str, str] | None = None
) -> AsyncIterator[Page]:
    """A browser that has never been anywhere, with one empty page."""
    program = find_chromium()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        process = await asyncio.create_subprocess_exec(
            program,
            *("--headless=new", "--remote-debugging-port=0", f"--user-data-dir={profile}"),
            *("--no-first-run", "--disable-gpu", "--disable-dev-shm-usage", "--mute-audio"),
            # As root, Chromium's own sandbox does not start. It sees nothing but our pages.
            *(["--no-sandbox"] if os.geteuid() == 0 else []),
            "about:blank",
            env=environ,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
        try:
            address = await asyncio.wait_for(_address(process), _START_SECONDS)
            async with connect(address, max_size=1 << 26, ping_interval=None) as connection:
                page = Page(connection)
                listening = asyncio.create_task(page.listen())
                try:
                    await page.attach()
                    await page.size(width, height)
                    yield page
                finally:
                    listening.cancel()
        finally:
            os.killpg(process.pid, 9)
            await process.communicate()


async def _address(process: asyncio.subprocess.Process) -> str:
    """Where its DevTools listen: it says so on stderr."""
    assert process.stderr is not None
    said = b""
    async for line in process.stderr:
        said += line
        if line.startswith(b"DevTools listening on "):
            return line.split()[-1].decode()
    raise AssertionError(f"chromium ended: {said.decode(errors='replace')}")
