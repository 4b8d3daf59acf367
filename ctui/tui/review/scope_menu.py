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
from ctui.humanize import lines_text, short_age
from ctui.tasks.turn import Turn
from ctui.text import one_line
from ctui.tui.support.bounded_list import BoundedList
from ctui.worktrees.review.scopes import ListedCommit, Scope

_PROMPT_WIDTH = 60
_WHOLE = (
    (Scope("branch"), "all of the branch", "since it left the target"),
    (Scope("uncommitted"), "uncommitted", "the files against the last commit"),
    (Scope("looked"), "since you last looked", "what came after the last review"),
)


class ScopeMenu(ModalScreen[Scope]):
    """Menu of all scopes: the whole ones, then each turn and each commit."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,v", "leave", "Close")]

    def __init__(
        self,
        scope: Scope,
        commits: Callable[[], Awaitable[Sequence[ListedCommit]]],
        turns: Callable[[], Awaitable[Sequence[Turn]]],
    ) -> None:
        """Prepare a menu.

        Args:
            scope: that is looked at now.
            commits: reads the worktree's own, newest first; raises CtuiError.
            turns: reads those of its task in the same way.
        """
        super().__init__()
        self._scopes = [scope for scope, _, _ in _WHOLE]
        self._now = scope
        self._commits, self._turns = commits, turns

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
        self.run_worker(self._list_others())

    async def _list_others(self) -> None:
        """Add turns and commits below the rest, which can be chosen meanwhile."""
        with suppress(CtuiError):  # whoever opens the rest is told what is wrong
            turns, commits = await self._turns(), await self._commits()
            self._scopes += [Scope("turn", str(turn.turn)) for turn in turns]
            self._scopes += [Scope("commit", commit.id) for commit in commits]
            now = time.time_ns()
            lines = [turn_line(turn, now) for turn in turns]
            lines += [commit_line(commit, now) for commit in commits]
            self.query_one(BoundedList).add_options(map(Option, lines))

    def on_option_list_option_selected(self, event: BoundedList.OptionSelected) -> None:
        self.dismiss(self._scopes[event.option_index])

    def action_leave(self) -> None:
        self.dismiss()


def turn_line(turn: Turn, now: int) -> Content:
    """Return a turn on one line; `now` is in nanoseconds since the epoch."""
    return Content.assemble(
        (f"turn {turn.turn:<4}", "$accent"),
        (f"{short_age(turn.ended or turn.started, now):>4}  ", "$text-muted"),
        one_line(turn.prompt, _PROMPT_WIDTH) or "it went on by itself",
        (f"  {lines_text(turn.added or 0, turn.removed or 0)}", "$text-muted"),
    )


def commit_line(commit: ListedCommit, now: int) -> Content:
    """Return a commit on one line; `now` is in nanoseconds since the epoch."""
    return Content.assemble(
        (f"{commit.id[:8]} ", "$accent"),
        (f"{short_age(commit.time * 10**9, now):>4}  ", "$text-muted"),
        commit.subject,
        (f"  {commit.author}", "$text-muted"),
    )
