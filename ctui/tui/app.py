"""The application: themes, keys, and which screen is shown. What it shows is done elsewhere."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
from collections.abc import Awaitable, Callable, Iterable, Sequence
from time import monotonic
from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.app import SystemCommand
from textual.binding import Binding, BindingType
from textual.filter import LineFilter
from textual.screen import Screen

from ctui.config import Config
from ctui.paths import Paths
from ctui.text import one_line
from ctui.tui.dashboard.dashboard import Dashboard
from ctui.tui.dashboard.services import Services
from ctui.tui.support.key_order import KeysInOrder
from ctui.tui.support.memory import recall, remember_theme
from ctui.tui.support.options import ScreenOptions
from ctui.tui.support.place import Place
from ctui.tui.support.plain_ascii import PlainAscii
from ctui.tui.support.terminal_end import end_with_terminal, leave_on_signals
from ctui.tui.support.terminal_signals import kept_title
from ctui.tui.support.themes import choose_theme

if TYPE_CHECKING:
    from ctui.tui.asks.ask_form import Choice


class CtuiApp(KeysInOrder[None]):
    """One repository's dashboard."""

    CSS_PATH = "ctui.tcss"
    TITLE = "ctui"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+q", "leave", "Quit", show=False, priority=True, id="quit-at-once")
    ]

    def __init__(
        self, paths: Paths, config: Config, place: Place, *, scripted: bool = False
    ) -> None:
        """Prepare an application that has started nothing yet.

        Args:
            paths: whose tasks.
            config: theme, keys, and the defaults of new tasks.
            place: whose worktrees.
            scripted: the model is the demo's, which the screen then says.
        """
        super().__init__()
        self._paths = paths
        self._config = config
        self._ascii = PlainAscii() if config.screen.ascii else None
        self._options = ScreenOptions(
            config.claude,
            scripted=scripted,
            bell=config.screen.bell,
            notify=config.screen.notify,
            delete_branches=config.worktrees.delete_branch,
            isolated=config.sandbox.isolated,
            keys=config.keys,
        )
        memory = recall(paths)
        self.dashboard = Dashboard(Services(self, paths, place), self._options, memory)
        wanted = config.screen.theme or memory.theme
        self._complaints = choose_theme(self, paths, wanted)

    def get_default_screen(self) -> Screen[None]:
        """Return the dashboard instead of an empty screen that would be laid out below it."""
        return self.dashboard

    def get_line_filters(self) -> Sequence[LineFilter]:
        filters = super().get_line_filters()
        return [*filters, self._ascii] if self._ascii is not None else filters

    def on_mount(self) -> None:
        if not self.is_headless:
            leave_on_signals(self)
        for complaint in self._complaints:
            self.notify(complaint, severity="warning", markup=False)
        self.set_keymap(self._config.keys)
        self.call_after_refresh(_tune_garbage_collection)

    async def watch_theme(self, before: str, theme: str) -> None:
        """Remember a theme chosen in the palette, and say so if the settings name another."""
        if not self.is_running or before == theme:
            return
        await asyncio.to_thread(remember_theme, self._paths, theme)
        if (named := self._config.screen.theme) and named != theme:
            self.notify(f"the next time it is {named} again, as config.toml says", markup=False)

    async def on_event(self, event: events.Event) -> None:
        if isinstance(event, events.InputEvent):
            self.dashboard.noticing.attention.touch(monotonic())
        await super().on_event(event)

    def on_app_focus(self) -> None:
        self.dashboard.noticing.attention.focus(focused=True)

    def on_app_blur(self) -> None:
        self.dashboard.noticing.attention.focus(focused=False)

    async def on_unmount(self) -> None:
        await self.dashboard.remember()
        await self.dashboard.services.close()

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:  # noqa: ARG002 - Textual's signature
        """Yield the commands of the palette: every action of the dashboard, and the themes."""
        for choice in Dashboard.BINDINGS:
            if isinstance(choice, Binding) and choice.id and not choice.action.startswith("tab"):
                name = choice.tooltip or choice.description
                key = self._config.keys.get(choice.id, choice.key_display or choice.key)
                help_text = f"key {key}"
                yield SystemCommand(
                    name[:1].upper() + name[1:], help_text, self._runner(choice.action)
                )
        interrupt = self._runner("interrupt")
        yield SystemCommand("Interrupt", "end the turn of the task that is shown", interrupt)
        yield SystemCommand("Theme", "change the colours", self.action_change_theme)
        yield SystemCommand("Screenshot", "save the screen as an SVG file", self.deliver_screenshot)

    def _runner(self, action: str) -> Callable[[], Awaitable[None]]:
        async def run() -> None:
            await self.dashboard.run_action(action)

        return run

    def action_show_help(self) -> None:
        from ctui.tui.dialogs.help import Help, choices_of
        from ctui.tui.pane.composer import Composer
        from ctui.tui.pane.pane import Pane
        from ctui.tui.transcript.transcript_view import TranscriptView

        keymap = dict(self._config.keys)
        if sections := self._sections_of_review(keymap):
            self.push_screen(Help(sections, dashboard=False))
            return
        sections = [
            ("Everywhere", choices_of(Dashboard.BINDINGS, keymap)),
            ("In a pane", choices_of(Pane.BINDINGS, keymap)),
            ("In a transcript", choices_of(TranscriptView.BINDINGS, keymap)),
            ("Where one writes", choices_of(Composer.BINDINGS, keymap)),
        ]
        self.push_screen(Help(sections))

    def _sections_of_review(self, keymap: dict[str, str]) -> list[tuple[str, list[Choice]]]:
        from ctui.tui.dialogs.help import choices_of
        from ctui.tui.review.comment_box import CommentBox
        from ctui.tui.review.diff_view import DiffView
        from ctui.tui.review.file_list import FileList
        from ctui.tui.review.review import ReviewScreen

        if not isinstance(self.screen, ReviewScreen):
            return []
        return [
            ("In a review", choices_of(ReviewScreen.BINDINGS, keymap)),
            ("In what changed", choices_of(DiffView.BINDINGS, keymap)),
            ("In the list of files", choices_of(FileList.BINDINGS, keymap)),
            ("Where a comment is written", choices_of(CommentBox.BINDINGS, keymap)),
        ]

    def action_leave(self) -> None:
        """Quit; what runs goes on, and the terminal says so."""
        running = self.dashboard.board.running
        if not running or self._options.scripted:
            self.exit()  # a demo ends its tasks with itself
            return
        names = one_line(", ".join(task.id for task in running), 200)
        verb = "task goes" if len(running) == 1 else "tasks go"
        self.exit(
            message=f"{len(running)} {verb} on in the background: {names}. `ctui` shows them again."
        )


def run_app(paths: Paths, config: Config, place: Place, *, scripted: bool = False) -> int:
    """Show the dashboard until the person leaves; the exit code."""
    if os.environ.get("TERM") == "dumb":
        os.environ.setdefault("NO_COLOR", "1")
    # A server that was started by nohup hands it down; the screen would outlive its terminal.
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    app = CtuiApp(paths, config, place, scripted=scripted)
    end_with_terminal()
    with kept_title():
        app.run()
    return app.return_code or 0


def _tune_garbage_collection() -> None:
    """Keep what is here for good out of every collection: a full one stops the screen for 80 ms."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 1000)
