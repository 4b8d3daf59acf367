"""The choice of what a review compares."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static
from textual.widgets.option_list import Option

from ctui.errors import CtuiError
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

    def __init__(
        self, scope: Scope, commits: Callable[[], Awaitable[Sequence[ListedCommit]]]
    ) -> None:
        """Prepare a menu.

        Args:
            scope: that is looked at now.
            commits: reads the worktree's own, newest first; raises CtuiError.
        """
        super().__init__()
        self._scopes = [scope for scope, _, _ in _WHOLE]
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
        for _, name, said in _WHOLE:
            rows.add_option(
                Option(Content.assemble((f"{name:<23}", "bold"), (said, "$text-muted")))
            )
        rows.highlighted = self._scopes.index(self._now) if self._now in self._scopes else 0
        rows.focus()
        self.run_worker(self._list_commits())

    async def _list_commits(self) -> None:
        """Add the commits below the rest, which can be chosen meanwhile."""
        with suppress(CtuiError):  # whoever opens the rest is told what is wrong
            commits = await self._commits()
            self._scopes += [Scope("commit", commit.id) for commit in commits]
            now = time.time_ns()
            self.query_one(BoundedList).add_options(
                Option(commit_line(commit, now)) for commit in commits
            )

    def on_option_list_option_selected(self, event: BoundedList.OptionSelected) -> None:
        self.dismiss(self._scopes[event.option_index])

    def action_leave(self) -> None:
        self.dismiss()


def commit_line(commit: ListedCommit, now: int) -> Content:
    """Return a commit on one line; `now` is in nanoseconds since the epoch."""
    return Content.assemble(
        (f"{commit.id[:8]} ", "$accent"),
        (f"{short_age(commit.time * 10**9, now):>4}  ", "$text-muted"),
        commit.subject,
        (f"  {commit.author}", "$text-muted"),
    )
