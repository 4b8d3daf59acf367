"""Where no repository is: open one that was open before, make one here, or try the demo."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Literal

from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from ctui.config import Config
from ctui.errors import CtuiError
from ctui.git.beginning import begin_repository
from ctui.paths import Paths
from ctui.text import one_line
from ctui.tui.dialogs import Confirm
from ctui.tui.key_bar import KeyBar
from ctui.tui.memory import recall
from ctui.tui.place import Place, find_place
from ctui.tui.themes import choose_theme

_WIDTH = 100


class StartApp(App[Place | Literal["demo"] | None]):
    """Ends with a repository, with the wish for a demo, or with nothing."""

    CSS_PATH = "ctui.tcss"
    TITLE = "ctui"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("i", "begin", "make a repository here", id="start.begin"),
        Binding("d", "demo", "try the demo", id="start.demo"),
        Binding("q,escape", "leave", "quit", key_display="q"),
    ]

    def __init__(self, paths: Paths, config: Config, folder: Path) -> None:
        """Nothing is looked at yet.

        Args:
            paths: remember what was open before.
            config: theme and keys.
            folder: where the person is: in no repository, or in one without commits.
        """
        super().__init__()
        self._folder = folder
        self._keys = config.keys
        self._known = [Path(known) for known in recall(paths).repositories]
        self._unborn = find_place(folder) is not None
        choose_theme(self, paths, config.screen.theme)

    def compose(self) -> ComposeResult:
        missing = "has no commits yet" if self._unborn else "is not in a git repository"
        folder = one_line(str(self._folder), _WIDTH)
        with Vertical(classes="start"):
            yield Static(Content.assemble((folder, "bold"), f" {missing}."), classes="start--title")
            yield Static(classes="start--known")
            yield OptionList(compact=True, classes="start--list")
            yield Static(classes="start--problem")
        yield KeyBar(self.BINDINGS, self._keys)

    def on_mount(self) -> None:
        self.set_keymap(self._keys)
        self._known = [known for known in self._known if find_place(known) is not None]
        choices = self.query_one(OptionList)
        choices.display = bool(self._known)
        for known in self._known:
            choices.add_option(
                Option(
                    Content.assemble(
                        (f"{one_line(known.name, 30):<20} ", "bold"),
                        (one_line(str(known), _WIDTH), "$text-muted"),
                    )
                )
            )
        text = "ctui works on git repositories."
        if self._known:
            text = "Open before (enter opens one):"
        self.query_one(".start--known", Static).update(Content.styled(text, "$text-muted"))
        choices.action_first()
        choices.focus()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        self.exit(find_place(self._known[event.option_index]))

    def action_begin(self) -> None:
        what = "the first commit" if self._unborn else "a repository, with a first commit"
        question = f"Make {what} in {one_line(str(self._folder), 60)}?"
        facts = ["All files in it that .gitignore does not exclude are committed."]
        self.push_screen(
            Confirm(question, facts, yes="make it"),
            self._begin_if,
        )

    def _begin_if(self, yes: bool | None) -> None:
        if yes:
            self.run_worker(self._begin(), exclusive=True)

    async def _begin(self) -> None:
        self._say("committing …", "$text-muted")
        place = find_place(self._folder)
        try:
            await begin_repository(place.git_dir.parent if place else self._folder)
        except CtuiError as error:
            self._say(f"{error.message}: {error.hint}" if error.hint else error.message, "$error")
        else:
            self.exit(find_place(self._folder))

    def _say(self, text: str, colour: str) -> None:
        shown = Content.styled(one_line(text, 3 * _WIDTH), colour)
        self.query_one(".start--problem", Static).update(shown)

    def action_demo(self) -> None:
        self.exit("demo")

    def action_leave(self) -> None:
        self.exit(None)
