"""First screen without a repository: open one of before, make one here, or try the demo."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import ClassVar, Literal

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from ctui.config import Config
from ctui.errors import CtuiError
from ctui.git.commits.beginning import Beginning, begin_repository, find_beginning
from ctui.paths import Paths
from ctui.text import one_line
from ctui.tui.dialogs.confirm import Confirm
from ctui.tui.support.key_bar import KeyBar
from ctui.tui.support.key_order import KeysInOrder
from ctui.tui.support.memory import recall
from ctui.tui.support.place import Place, find_place, place_at
from ctui.tui.support.themes import choose_theme

_WIDTH = 100
_WHY = (
    "ctui needs a git repository with a commit: each task works in a folder and on a branch of its"
    " own (a git worktree) that begin there. Your own files stay as they are until you take over"
    " what a task has done."
)


class StartApp(KeysInOrder[Place | Literal["demo"] | None]):
    """Application that ends with a repository, with the wish for a demo, or with nothing."""

    CSS_PATH = "../ctui.tcss"
    TITLE = "ctui"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("i", "begin", "make a repository here", id="start.begin"),
        Binding("d", "demo", "try the demo", id="start.demo"),
        Binding("q,escape", "leave", "quit", key_display="q"),
    ]

    def __init__(self, paths: Paths, config: Config, folder: Path) -> None:
        """Prepare a screen that has looked at nothing yet.

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
        missing = "is in a git repository that has no commits yet"
        if not self._unborn:
            missing = "is not in a git repository"
        folder = one_line(str(self._folder), _WIDTH)
        with Vertical(classes="start"):
            yield Static(Content.assemble((folder, "bold"), f" {missing}."), classes="start--title")
            yield Static(Content.styled(_WHY, "$text-muted"), classes="start--why")
            before = Content.styled("Open before (enter opens one):", "$text-muted")
            yield Static(before, classes="start--known")
            yield OptionList(compact=True, classes="start--list")
            yield Static(classes="start--problem")
        yield KeyBar(self._described(), self._keys)

    def _described(self) -> Iterator[BindingType]:
        for binding in self.BINDINGS:
            if self._unborn and isinstance(binding, Binding) and binding.id == "start.begin":
                yield replace(binding, description="make the first commit")
            else:
                yield binding

    def on_mount(self) -> None:
        self.set_keymap(self._keys)
        self._known = [known for known in self._known if place_at(known) is not None]
        choices = self.query_one(OptionList)
        choices.display = self.query_one(".start--known").display = bool(self._known)
        for known in self._known:
            choices.add_option(
                Option(
                    Content.assemble(
                        (f"{one_line(known.name, 30):<20} ", "bold"),
                        (one_line(str(known), _WIDTH), "$text-muted"),
                    )
                )
            )
        choices.action_first()
        choices.focus()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        known = self._known[event.option_index]
        if (place := place_at(known)) is not None:
            self.exit(place)
        else:
            self._say(f"{known} is no repository any more", "$error")

    def action_begin(self) -> None:
        if not self.workers:  # else it is being looked at, or made
            self.run_worker(self._ask())

    async def _ask(self) -> None:
        try:
            beginning = await find_beginning(self._folder)
        except CtuiError as error:
            self._complain(error)
            return
        what = "a repository, with a first commit," if beginning.is_new else "the first commit"
        question = f"Make {what} in {one_line(str(beginning.folder), _WIDTH)}?"
        facts = ["All files in it that .gitignore does not exclude are committed."]

        def begin_if(yes: bool | None) -> None:
            if yes:
                self.run_worker(self._begin(beginning))

        await self.push_screen(Confirm(question, facts, yes="make it"), begin_if)

    async def _begin(self, beginning: Beginning) -> None:
        self._say("committing …", "$text-muted")
        try:
            await begin_repository(beginning)
        except CtuiError as error:
            self._complain(error)
        else:
            self.exit(place_at(beginning.folder))

    def _complain(self, error: CtuiError) -> None:
        self._say(error.one_line(), "$error")

    def _say(self, text: str, colour: str) -> None:
        shown = Content.styled(one_line(text, 3 * _WIDTH), colour)
        self.query_one(".start--problem", Static).update(shown)

    def action_demo(self) -> None:
        self.exit("demo")

    def action_leave(self) -> None:
        self.exit(None)
