"""The dialog that lands a worktree: what would happen is computed before anything is touched."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import ClassVar, get_args

from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Input, Label, Select, Static

from ctui.client.landing.wish import LandingWish, Outlook
from ctui.tui.asks.key_guard import KeyGuard
from ctui.tui.dialogs.tick_box import TickBox
from ctui.worktrees.landing.landing_commit import Method

Look = Callable[[LandingWish], Awaitable[Outlook]]

_SHOWN = 8
"""Files that are named; the number of the others is said."""
_METHODS = {
    "merge": "merge: one merge commit",
    "squash": "squash: one commit with all changes",
    "rebase": "rebase: each commit anew",
}


class LandForm(ModalScreen[LandingWish | str | None]):
    """Form that enter lands; a text is what the task is told of what is in the way."""

    AUTO_FOCUS = ""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "land", "Land"),
        Binding("t", "tell", "Tell the task"),
        Binding("escape", "close", "Close"),
    ]

    def __init__(
        self, name: str, path: str, message: str, look: Look, *, problem: str = ""
    ) -> None:
        """Prepare the dialog of a worktree.

        Args:
            name: of the worktree, sanitised.
            path: of the worktree.
            message: proposed for what is uncommitted.
            look: computes a landing.
            problem: why the last attempt came to nothing, sanitised.
        """
        super().__init__()
        self._name_of_worktree, self._path, self._message = name, path, message
        self._look, self._problem = look, problem
        self._outlook: Outlook | None = None
        self._computed: LandingWish | None = None
        """The wish whose outlook is shown, or computed."""
        self._guard = KeyGuard()

    def compose(self) -> ComposeResult:
        methods = [(_METHODS[method], method) for method in get_args(Method)]
        with Vertical(classes="dialog form"):
            title = Content.styled(f"Land {self._name_of_worktree}", "bold")
            yield Static(title, classes="dialog--title")
            yield Static(id="outlook", classes="dialog--text")
            yield _row(
                "method",
                Select(methods, value="merge", allow_blank=False, id="method", compact=True),
            )
            yield _row("target", _field("target", "the branch that worktrees are judged against"))
            yield _row("message", _field("message", "made from its commits"))
            yield TickBox("", True, id="check", compact=True)
            yield _row("commit first", Input(self._message, id="commit", compact=True))
            yield Static(classes="form--problem")
            yield Static(id="keys", classes="dialog--keys")

    def on_mount(self) -> None:
        self._guard.start()
        self.query_one(".form--problem", Static).update(Content.styled(self._problem, "$error"))
        self._show(None)
        self._compute()

    def on_key(self, event: events.Key) -> None:
        if self.focused is None and event.key in {"enter", "t"} and self._guard.holds():
            event.stop()
            event.prevent_default()

    @on(Select.Changed, "#method")
    @on(Input.Submitted, "#target")
    @on(Input.Blurred, "#target")
    def _changed(self) -> None:
        if self._is_stale:
            self._compute()

    @on(Input.Submitted, "#message")
    @on(Input.Submitted, "#commit")
    def _submitted(self) -> None:
        self.action_land()

    @work(exclusive=True)
    async def _compute(self) -> None:
        wish = self._computed = self._wish()
        self._show(None)
        self._show(await self._look(wish))

    def action_land(self) -> None:
        """Land it, where that is possible as far as is known."""
        found = self._outlook
        if found is None or not found.possible:
            return
        if self._is_stale:
            self._compute()  # what is shown was computed for another target or method
            return
        wish = self._wish()._replace(seen=found.tip)
        if found.uncommitted and not wish.commit.strip():
            problem = "say what the commit of these files is called"
            self.query_one(".form--problem", Static).update(Content.styled(problem, "$error"))
            self.query_one("#commit", Input).focus()
            return
        commit = wish.commit if found.uncommitted else ""
        self.dismiss(wish._replace(commit=commit, check=wish.check and bool(found.check)))

    def action_tell(self) -> None:
        """Have the task put away what is in the way."""
        if self._outlook is not None and self._outlook.for_task:
            self.dismiss(self._outlook.for_task)

    def action_close(self) -> None:
        self.dismiss(None)

    @property
    def _is_stale(self) -> bool:
        """True if what is shown was computed for another method or target."""
        wish, computed = self._wish(), self._computed
        return computed is None or (wish.method, wish.target) != (computed.method, computed.target)

    def _wish(self) -> LandingWish:
        method: Method = self.query_one("#method", Select).value  # type: ignore[assignment] # one of the choices
        fields = {one: self.query_one(f"#{one}", Input).value.strip() for one in _FIELDS}
        check = self.query_one("#check", TickBox).value
        return LandingWish(self._path, method, **fields, check=check)

    def _show(self, outlook: Outlook | None) -> None:
        self._outlook = outlook
        if outlook is not None and outlook.target:
            self.query_one("#target", Input).placeholder = outlook.target
        self.query_one("#outlook", Static).update(_outlook_text(outlook))
        by_person = outlook is not None and outlook.possible and bool(outlook.uncommitted)
        self.query_one("#row-commit").display = by_person
        check = self.query_one("#check", TickBox)
        check.display = outlook is not None and bool(outlook.check)
        if outlook is not None and outlook.check:
            check.label = Content(f"only if it passes: {outlook.check}")
        self.query_one("#keys", Static).update(_keys(outlook))


_FIELDS = ("target", "message", "commit")


def _outlook_text(found: Outlook | None) -> Content:
    if found is None:
        return Content("it is computed …")
    if found.problem and found.uncommitted:
        count = _count(len(found.uncommitted), "file")
        said = Content(f"{count} not committed, and {found.problem}:")
        return Content("\n").join([said, *_lines(found.uncommitted)])
    if found.problem:
        return Content.styled(found.problem, "$error")
    if found.conflicts:
        return Content("\n").join(
            [
                Content.styled("it conflicts; nothing was touched:", "$warning"),
                *_lines(found.conflicts),
            ]
        )
    if found.uncommitted:
        count = _count(len(found.uncommitted), "file")
        return Content("\n").join(
            [Content(f"{count} not committed, and committed first:"), *_lines(found.uncommitted)]
        )
    commits, files = _count(found.commits, "commit"), _count(found.files, "file")
    return Content.assemble(
        (f"{commits}, {files}", "bold"), f" into {found.target}, without conflicts"
    )


def _lines(names: tuple[str, ...]) -> list[Content]:
    left = len(names) - _SHOWN
    more = [Content(f"  and {left} more")] if left > 0 else []
    return [*(Content(f"  {name}") for name in names[:_SHOWN]), *more]


def _keys(found: Outlook | None) -> Content:
    keys = [("tab", "change"), ("esc", "leave it")]
    if found is not None and found.possible:
        keys.insert(0, ("enter", "commit and land" if found.uncommitted else "land"))
    if found is not None and found.for_task:
        what = "commit them" if found.uncommitted else "resolve it"
        keys.insert(0, ("t", f"let the task {what}"))
    parts = [Content.assemble((key, "bold $primary"), f" {what}") for key, what in keys]
    return Content("   ").join(parts)


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _row(label: str, field: Widget) -> Horizontal:
    return Horizontal(Label(label), field, classes="form--row", id=f"row-{field.id}")


def _field(name: str, placeholder: str) -> Input:
    return Input(id=name, compact=True, placeholder=placeholder)
