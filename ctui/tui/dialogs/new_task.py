"""The form for a new task."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, get_args

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Input, Label, Select, Static, TextArea

from ctui.client.tasks.new_task import NewTask
from ctui.config import PermissionMode
from ctui.git.names import worktree_name
from ctui.tasks.model import TaskOptions
from ctui.text import one_line
from ctui.tui.board.board import Item
from ctui.tui.dialogs.tick_box import TickBox
from ctui.tui.support.options import ScreenOptions

_KEYS = Content.assemble(
    ("ctrl+s", "bold $primary"),
    " start   ",
    ("tab", "bold $primary"),
    " next   ",
    ("esc", "bold $primary"),
    " close",
)


class NewTaskForm(ModalScreen[NewTask | None]):
    """Form that ctrl+s starts. What was written stays when it is closed and opened again."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "start", "Start", priority=True),
        Binding("escape", "close", "Close"),
    ]
    draft: ClassVar[str] = ""

    def __init__(
        self,
        options: ScreenOptions,
        worktree: Item | None,
        again: NewTask | None = None,
        problem: str = "",
        *,
        here: bool = False,
    ) -> None:
        """Prepare a form.

        Args:
            options: of the whole screen.
            worktree: the one that is highlighted and free, if there is one.
            again: what was refused, to be changed.
            problem: why, sanitised.
            here: whether it is to begin in that worktree, and not in a new one.
        """
        super().__init__()
        self._defaults = options.defaults
        self._scripted = options.scripted
        self._always_isolated = options.isolated
        self._worktree = worktree
        self._again = again or NewTask(
            prompt=type(self).draft,
            worktree=worktree.path if here and worktree is not None else "",
            options=TaskOptions(
                model=self._defaults.model, permission_mode=self._defaults.permission_mode
            ),
        )
        self._problem = problem

    def compose(self) -> ComposeResult:
        again = self._again
        modes = [(mode, mode) for mode in (*get_args(PermissionMode), "ask nothing")]
        budget = again.options.budget
        with Vertical(classes="dialog form"):
            yield Static(Content.styled("New task", "bold"), classes="dialog--title")
            yield TextArea(
                again.prompt, id="prompt", compact=True, placeholder="What should be done?"
            )
            yield _row("where", _choice("place", self._places(), self._first_place()))
            yield _row("name", _field("name", again.name, "after the prompt"))
            yield _row("base", _field("base", again.base))
            yield _row("model", _field("model", again.options.model, "the CLI's default"))
            yield _row("permissions", _choice("mode", modes, self._first_mode()))
            yield _row("budget $", _field("budget", f"{budget:g}" if budget else "", "none"))
            yield TickBox(
                "trust this repository's own Claude settings",
                again.trust,
                id="trust",
                compact=True,
            )
            yield TickBox(
                "isolated: no commits but those it begins with",
                again.options.isolated or self._always_isolated,
                id="isolated",
                compact=True,
                disabled=self._always_isolated,
            )
            yield Static(classes="form--problem")
            yield Static(_KEYS, classes="dialog--keys")

    def on_mount(self) -> None:
        self.query_one("#prompt", TextArea).focus()
        if self._problem:
            self._complain(self._problem)

    def on_select_changed(self, event: Select.Changed) -> None:
        """Disable name and base for an existing worktree, which has both."""
        if event.select.id == "place":
            for field in ("#name", "#base"):
                self.query_one(field, Input).disabled = event.value != "new"

    def on_text_area_changed(self, event: TextArea.Changed) -> None:
        type(self).draft = event.text_area.text
        self._complain("")
        text = event.text_area.text.strip()
        self.query_one("#name", Input).placeholder = (
            worktree_name(text) if text else "after the prompt"
        )

    def action_close(self) -> None:
        self.dismiss(None)

    def action_start(self) -> None:
        prompt = self.query_one("#prompt", TextArea).text
        budget = self.query_one("#budget", Input).value.strip()
        if not prompt.strip():
            self._complain("say what should be done")
            return
        if budget and not _positive(budget):
            self._complain("a budget is a number of US dollars above 0")
            return
        mode = str(self.query_one("#mode", Select).value)
        nothing = mode == "ask nothing"
        place = str(self.query_one("#place", Select).value)
        self.dismiss(
            NewTask(
                prompt=prompt,
                name=self.query_one("#name", Input).value.strip(),
                base=self.query_one("#base", Input).value.strip() or "HEAD",
                worktree=place if place not in {"new", "checkout"} else "",
                in_checkout=place == "checkout",
                trust=self.query_one("#trust", TickBox).value,
                options=TaskOptions(
                    model=self.query_one("#model", Input).value.strip(),
                    permission_mode="default" if nothing else mode,  # type: ignore[arg-type] # one of the choices
                    skip_permissions=nothing,
                    budget=float(budget) if budget else None,
                    isolated=self.query_one("#isolated", TickBox).value,
                ),
            )
        )

    def _places(self) -> list[tuple[Content, str]]:
        places = [(Content("a new worktree"), "new")]
        if self._worktree is not None:
            name = one_line(self._worktree.name, 40)
            places.append((Content(f"the worktree {name}"), self._worktree.path))
        return [*places, (Content("your own checkout"), "checkout")]

    def _first_place(self) -> str:
        if self._again.in_checkout:
            return "checkout"
        here = self._worktree is not None and self._again.worktree == self._worktree.path
        return self._again.worktree if here else "new"

    def _first_mode(self) -> str:
        options = self._again.options
        return "ask nothing" if options.skip_permissions else options.permission_mode

    def _complain(self, problem: str) -> None:
        self.query_one(".form--problem", Static).update(Content.styled(problem, "$error"))


def _positive(text: str) -> bool:
    try:
        return float(text) > 0
    except ValueError:
        return False


def _row(label: str, field: Widget) -> Horizontal:
    return Horizontal(Label(label), field, classes="form--row")


def _field(name: str, value: str, placeholder: str = "") -> Input:
    return Input(value, id=name, compact=True, placeholder=placeholder)


def _choice(name: str, choices: Sequence[tuple[Content | str, str]], value: str) -> Select[str]:
    return Select(choices, value=value, allow_blank=False, id=name, compact=True)
