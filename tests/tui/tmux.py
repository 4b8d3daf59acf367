"""A real terminal: ctui in tmux, with keys sent and the screen read back."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

_PATIENCE = 40.0
_SIZES = ("COLUMNS", "LINES")
_POLL = 0.05


class Terminal:
    """One tmux server of its own, with one window."""

    def __init__(self, folder: Path, environ: Mapping[str, str], size: tuple[int, int]) -> None:
        self._socket = folder / "tmux-0.sock"
        self._folder = folder
        self._starts = 0
        self._environ = dict(environ)
        self._size = size

    def start(self, *arguments: str) -> None:
        """Run ctui; when it ends, the window stays and shows what it said last.

        Each start has a server of its own: one that is ending still holds its socket.
        """
        self._starts += 1
        self._socket = self._folder / f"tmux-{self._starts}.sock"
        variables = [
            part
            for name, value in self._environ.items()
            if name.startswith(("CTUI_", "ANTHROPIC_", "NO_COLOR", "TMPDIR"))
            for part in ("-e", f"{name}={value}")
        ]
        width, height = map(str, self._size)
        command = (sys.executable, "-P", "-m", "ctui", *arguments)
        size = ("-x", width, "-y", height)
        self._tmux("new-session", "-d", "-s", "t", *size, *variables, *command)
        self._tmux("set-option", "-t", "t", "remain-on-exit", "on")

    def press(self, *keys: str) -> None:
        for key in keys:
            self._tmux("send-keys", "-t", "t", key)

    def paste(self, text: str) -> None:
        """As a terminal pastes: between brackets, so that no newline is an enter."""
        self._tmux("load-buffer", "-", input=text)
        self._tmux("paste-buffer", "-p", "-t", "t")

    def screen(self) -> str:
        return self._tmux("capture-pane", "-p", "-t", "t")

    async def until(self, pattern: str, *, gone: bool = False) -> str:
        """The screen as soon as a pattern is (or, with `gone`, is not) on it."""
        try:
            async with asyncio.timeout(_PATIENCE):
                while bool(re.search(pattern, shown := self.screen())) is gone:  # noqa: ASYNC110
                    await asyncio.sleep(_POLL)  # a terminal tells nobody that it changed
        except TimeoutError:
            raise AssertionError(f"{pattern!r} was not seen:\n{self.screen()}") from None
        return shown

    def pid(self) -> int:
        """The process of ctui."""
        return int(self._tmux("display-message", "-p", "-t", "t", "#{pane_pid}"))

    async def until_over(self) -> None:
        """Until the program has ended."""
        async with asyncio.timeout(_PATIENCE):
            while self._tmux("display-message", "-p", "-t", "t", "#{pane_dead}").strip() != "1":  # noqa: ASYNC110
                await asyncio.sleep(_POLL)

    def close(self) -> None:
        self._tmux("kill-server", check=False)

    def _tmux(self, *arguments: str, input: str = "", check: bool = True) -> str:  # noqa: A002
        done = subprocess.run(
            ["tmux", "-f", "/dev/null", "-S", str(self._socket), *arguments],
            cwd=self._folder,
            input=input,
            capture_output=True,
            text=True,
            check=False,
            env={name: value for name, value in os.environ.items() if name not in _SIZES},
        )
        if check and done.returncode:
            raise AssertionError(f"tmux {arguments[0]}: {done.stderr}")
        return done.stdout
