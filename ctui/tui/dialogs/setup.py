"""Checks of what is missing, and keys that mend it: a login and an image can be made right here."""

from __future__ import annotations

import asyncio
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from ctui.claude.login.credentials import Credential, store_credential
from ctui.client.health.health import Check, check_all
from ctui.config import load_config
from ctui.errors import CtuiError
from ctui.paths import Paths
from ctui.text import one_line

_WIDTH = 120


async def look(paths: Paths) -> list[Check]:
    """Return all checks, made off the screen's loop: a keyring or an engine may take its time."""
    return await asyncio.to_thread(lambda: asyncio.run(check_all(paths)))


class Setup(ModalScreen[None]):
    """Screen with the checks, and where `l` is pressed a line for the login."""

    AUTO_FOCUS = ""  # a hidden line must not swallow the keys
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("l", "log_in", "Log in", id="setup.login"),
        Binding("b", "build", "Build the image", id="setup.build"),
        Binding("r", "look", "Look again", id="setup.look"),
        Binding("escape,q", "leave", "Close"),
    ]

    def __init__(self, paths: Paths, checks: list[Check]) -> None:
        super().__init__()
        self._paths = paths
        self._checks = checks

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog setup"):
            yield Static(classes="dialog--title")
            yield Static(classes="setup--checks")
            with Vertical(classes="setup--login"):
                yield Static("A token of `claude setup-token`, or an API key:", markup=False)
                yield Input(password=True, classes="setup--token", compact=True)
            yield Static(classes="setup--progress")
            yield Static(classes="dialog--keys")

    def on_mount(self) -> None:
        self._open_login(False)
        self._show()

    def _open_login(self, opened: bool) -> None:
        words = self.query_one(Input)
        words.value = ""
        self.query_one(".setup--login").display = opened
        self.set_focus(words if opened else None)
        keys = [("l", "log in"), ("b", "build the image"), ("r", "look again"), ("esc", "close")]
        if opened:
            keys = [("enter", "stores it"), ("esc", "leaves")]
        parts = [
            part for key, word in keys for part in ((key, "bold $primary"), (f" {word}   ", ""))
        ]
        self.query_one(".dialog--keys", Static).update(Content.assemble(*parts))

    @property
    def _missing(self) -> set[str]:
        return {check.name for check in self._checks if not check.ok}

    def _show(self) -> None:
        lines = [
            Content.assemble(
                ("✓ " if check.ok else "✗ ", "$success" if check.ok else "$error"),
                (f"{check.name:<8}", "bold"),
                one_line(check.found, _WIDTH),
                (
                    f"\n          {one_line(check.mend, _WIDTH)}" if not check.ok else "",
                    "$text-muted",
                ),
            )
            for check in self._checks
        ]
        title = "Something is missing" if self._missing else "Everything is there"
        self.query_one(".dialog--title", Static).update(Content.styled(title, "bold"))
        self.query_one(".setup--checks", Static).update(Content("\n").join(lines))

    def _say(self, text: str) -> None:
        self.query_one(".setup--progress", Static).update(
            Content.styled(one_line(text, 3 * _WIDTH), "$text-muted")
        )

    # -- what the person does

    def action_look(self) -> None:
        self._say("looking …")
        self.run_worker(self._look(), exclusive=True)

    def action_log_in(self) -> None:
        self._open_login(True)

    def action_build(self) -> None:
        self.run_worker(self._build(), exclusive=True)

    def action_leave(self) -> None:
        if self.query_one(".setup--login").display:
            self._open_login(False)
        else:
            self.dismiss()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        text, event.input.value = event.value, ""
        try:
            credential = Credential.parse(text)
        except CtuiError as error:
            self._say(error.one_line())
            return
        self._open_login(False)
        self.run_worker(self._store(credential), exclusive=True)

    async def _store(self, credential: Credential) -> None:
        try:
            place = await asyncio.to_thread(store_credential, self._paths, credential)
        except CtuiError as error:
            self._say(error.one_line())
            return
        await self._look()
        self._say(f"the login is stored in {place}")

    async def _look(self) -> None:
        self._checks = await look(self._paths)
        self._say("")
        self._show()

    async def _build(self) -> None:
        from ctui.sandbox.docker.engine import Engine
        from ctui.sandbox.docker.image import build_image

        try:
            engine = await Engine.connect()
            try:
                config = load_config(self._paths).image
                await build_image(engine, config, self._say, self._paths.instance)
            finally:
                await engine.close()
        except CtuiError as error:
            self._say(error.one_line())
            return
        await self._look()
