"""Keys go where the ones before them have led, however fast they come."""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen
from textual.widgets import Input

from ctui.tui.support.key_order import KeysInOrder


class Dialog(ModalScreen[None]):
    """Where one writes as soon as it is there."""

    def compose(self) -> ComposeResult:
        yield Input(id="asked")

    def on_mount(self) -> None:
        self.query_one(Input).focus()


class TwoPlaces(KeysInOrder[None]):
    """Keys that mean something where nobody writes, and two places to write."""

    AUTO_FOCUS = None
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f", "write"),
        Binding("x", "shortcut"),
        Binding("n", "ask"),
        Binding("escape", "leave"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.shortcuts = 0

    def compose(self) -> ComposeResult:
        yield Input(id="words", select_on_focus=False)

    def action_write(self) -> None:
        self.query_one("#words").focus()

    def action_leave(self) -> None:
        self.set_focus(None)

    def action_shortcut(self) -> None:
        self.shortcuts += 1

    def action_ask(self) -> None:
        self.push_screen(Dialog())

    def hit(self, *keys: str) -> None:
        """Press keys faster than anything can react to."""
        for key in keys:
            self.post_message(events.Key(key, key if len(key) == 1 else None))


async def test_a_text_behind_the_key_that_opens_it_is_no_shortcut() -> None:
    app = TwoPlaces()
    async with app.run_test() as pilot:
        app.hit("f", "x", "n", "escape", "x", "f", "f")
        await pilot.pause()
        assert app.query_one("#words", Input).value == "xnf"
        assert app.shortcuts == 1


async def test_pasted_text_keeps_its_place_among_the_keys() -> None:
    app = TwoPlaces()
    async with app.run_test() as pilot:
        app.hit("f", "x")
        app.post_message(events.Paste("-pasted-"))
        app.hit("x")
        await pilot.pause()
        assert app.query_one("#words", Input).value == "x-pasted-x"
        assert app.shortcuts == 0


async def test_a_dialog_gets_what_is_typed_before_it_is_drawn() -> None:
    app = TwoPlaces()
    async with app.run_test() as pilot:
        app.hit("n", "x", "x")
        await pilot.pause()
        assert app.screen.query_one("#asked", Input).value == "xx"
        assert app.shortcuts == 0
