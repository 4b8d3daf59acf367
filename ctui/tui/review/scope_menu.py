"""The choice of what a review compares."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static
from textual.widgets.option_list import Option

from ctui.humanize import short_age
from ctui.tui.support.bounded_list import BoundedList
from ctui.worktrees.review.scopes import ListedCommit, Scope

_WHOLE = (
    (Scope("branch"), "all of the branch", "since it left the target"),
    (Scope("uncommitted"), "uncommitted", "the files against the last commit"),
    (Scope("looked"), "since you last looked", "what came after the last review"),
)


class ScopeMenu(ModalScreen[Scope]):
    """Menu of all scopes: the whole ones, then each commit."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,v", "leave", "Close")]

    def __init__(self, scope: Scope, commits: Sequence[ListedCommit]) -> None:
        super().__init__()
        self._scopes = [*(scope for scope, _, _ in _WHOLE)]
        self._scopes += [Scope("commit", commit.id) for commit in commits]
        self._now = scope
        self._commits = commits

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog review--scopes"):
            yield Static(Content.styled("What to look at", "bold"), classes="dialog--title")
            yield BoundedList(compact=True, classes="review--scope-list")
            keys = Content.assemble(
                ("enter", "bold $primary"), " look at it   ", ("esc", "bold $primary"), " back"
            )
            yield Static(keys, classes="dialog--keys")

    def on_mount(self) -> None:
        rows = self.query_one(BoundedList)
        rows.add_options(map(Option, self._rows()))
        same = [place for place, scope in enumerate(self._scopes) if scope == self._now]
        rows.highlighted = same[0] if same else 0
        rows.focus()

    def _rows(self) -> list[Content]:
        found = [
            Content.assemble((f"{name:<23}", "bold"), (said, "$text-muted"))
            for _, name, said in _WHOLE
        ]
        now = time.time_ns()
        for commit in self._commits:
            age = short_age(commit.time * 10**9, now)
            found.append(
                Content.assemble(
                    (f"{commit.id[:8]} ", "$accent"),
                    (f"{age:>4}  ", "$text-muted"),
                    commit.subject,
                    (f"  {commit.author}", "$text-muted"),
                )
            )
        return found

    def on_option_list_option_selected(self, event: BoundedList.OptionSelected) -> None:
        self.dismiss(self._scopes[event.option_index])

    def action_leave(self) -> None:
        self.dismiss()
