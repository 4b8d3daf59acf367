"""The review screen: files beside what changed in them, comments, and one key that sends them."""

from __future__ import annotations

from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Horizontal
from textual.widgets import Static

from ctui.client.review.reviewing import Review, by_path
from ctui.errors import CtuiError
from ctui.text import one_line
from ctui.tui.board.board import Board, Item
from ctui.tui.review.comment_box import CommentBox
from ctui.tui.review.diff_view import DiffView
from ctui.tui.review.file_list import FileList, Noted
from ctui.tui.review.loading import Loading
from ctui.tui.review.review_actions import ReviewActions
from ctui.tui.review.review_comments import CommentKeys
from ctui.tui.review.review_content import Facts, nothing, title
from ctui.tui.review.scope_menu import ScopeMenu
from ctui.tui.support.key_bar import KeyBar
from ctui.worktrees.review.scopes import Scope

_LOOK_SECONDS = 0.25
_WIDE = 100


class ReviewScreen(CommentKeys):
    """Screen of what one worktree changed."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("c", "comment", "comment", id="review.comment"),
        Binding("S", "send", "send", tooltip="send all comments to the task", id="review.send"),
        Binding("space", "mark", "read", tooltip="mark a file as read", id="review.mark"),
        Binding("n", "change(1)", "next", tooltip="next change", id="review.next"),
        Binding("N", "change(-1)", "before", tooltip="change before", show=False, id="review.back"),
        Binding("e", "edit", "edit", tooltip="edit the file at this line", id="review.edit"),
        Binding("v", "scope", "what", tooltip="look at something else", id="review.scope"),
        Binding(
            "vertical_line,s",
            "split",
            "split",
            tooltip="both sides beside each other, or one below the other",
            show=False,
            key_display="|",
            id="review.split",
        ),
        Binding("right_square_bracket", "file(1)", "Next file", show=False, key_display="]"),
        Binding("left_square_bracket", "file(-1)", "File before", show=False, key_display="["),
        Binding(
            "x",
            "close_thread",
            "close",
            tooltip="take back a comment, or close its thread",
            show=False,
            id="review.close",
        ),
        Binding("r", "reload", "reload", tooltip="compare anew", show=False, id="review.reload"),
        Binding("z", "zoom", "zoom", tooltip="hide or show the list", show=False, id="review.zoom"),
        Binding("tab,shift+tab", "other_side", "Between list and changes", show=False),
        Binding("question_mark", "app.show_help", "help", key_display="?", id="review.help"),
        Binding("escape,q", "step_back", "back", key_display="esc", id="review.leave"),
    ]

    def __init__(self, item: Item, board: Board, actions: ReviewActions) -> None:
        """Prepare a screen on which nothing was read yet.

        Args:
            item: the worktree.
            board: what is known of it; it changes while the screen is open.
            actions: read and keep what the screen shows.
        """
        super().__init__()
        self.HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (_WIDE, "-wide")]
        self.review: Review | None = None
        self.actions = actions
        self._item = item
        self._board = board
        self._scope = Scope()
        self._version = -1
        self._moved = False
        self._loading: Loading | None = None

    def compose(self) -> ComposeResult:
        yield Static(classes="review--title")
        with Horizontal(classes="review--body"):
            yield FileList(self._noted, id="review-files")
            with Container(classes="review--changes"):
                yield DiffView(id="review-diff")
                yield CommentBox()
                yield Static(classes="review--nothing")
        yield KeyBar(self.BINDINGS, {})

    def on_mount(self) -> None:
        self._show_title()
        self.query_one(".review--nothing").display = False
        self.diff.focus()
        self._open(self._scope)
        self.set_interval(_LOOK_SECONDS, self._look)

    # -- what is shown

    def _open(self, scope: Scope) -> None:
        """Compare what a scope names; where that cannot be, what is shown stays."""

        async def go() -> None:
            review = await self.actions.open(scope)
            self._scope, self._moved = scope, False
            self._show(review)
            self._loading = Loading(self.diff, self.actions, review, self._taken)
            self._do(self._loading.run(), group="review-load")

        self._do(go(), group="review-open")

    def _show(self, review: Review) -> None:
        before, path = self.review, self._path
        self.review = review
        self._close_box()
        read = [index for index, file in enumerate(review.files) if review.is_read(file)]
        self.diff.window.show(review.files, by_path(review.threads), read)
        self.files.show(review.files)
        names = [file.name for file in review.files]
        place = names.index(path) if before is not None and path in names else None
        if place is None:
            unread = (index for index in range(len(names)) if index not in self.diff.window.read)
            place = next(unread, 0)
        self.diff.begin()
        if place:
            self.diff.go_to_file(place)
        self.files.choose(place)
        is_empty = not review.files
        self.query_one(".review--nothing", Static).update(nothing(review) if is_empty else "")
        self.query_one(".review--nothing").display = is_empty
        self.diff.display = not is_empty
        (self.diff if not is_empty else self).focus()
        self._show_title()

    @property
    def _path(self) -> str:
        window = self.diff.window
        return window.files[self.diff.cursor.file].name if window.files else ""

    def _taken(self) -> None:
        """Begin with what changed once it is there, unless somebody has gone elsewhere."""
        if self.diff.cursor.row == 0 and self._stands_on_name:
            self.diff.stand_on_change()
            self._stands_on_name = self.diff.cursor.row == 0
        self._place_box()

    def _show_title(self) -> None:
        name = one_line(self._item.name, 60)
        facts = Facts(
            read=len(self.diff.window.read),
            unsent=self._unsent,
            uncommitted=self._uncommitted,
            moved=self._moved,
        )
        self.query_one(".review--title", Static).update(title(name, self.review, facts))

    @property
    def _unsent(self) -> int:
        threads = self.review.threads if self.review is not None else ()
        return sum(len(placed.thread.unsent) for placed in threads)

    @property
    def _uncommitted(self) -> int:
        status = self._item.status
        if status is None or status.changes is None or self._scope.kind == "commit":
            return 0
        changes = status.changes
        return changes.staged + changes.modified + changes.untracked + changes.conflicted

    def _noted(self, index: int) -> Noted:
        threads = self.diff.window.threads_of(index)
        unsent = any(placed.thread.unsent for placed in threads)
        return Noted(index in self.diff.window.read, len(threads), unsent)

    def _look(self) -> None:
        """Take what is new of the worktree and its task; nothing is done while nothing is."""
        if self.review is None or self._board.version == self._version:
            return
        self._version = self._board.version
        path = self._item.path
        item = next((item for item in self._board.items() if item.path == path), None)
        if item is None:
            return
        answered = self._answered
        self._item = item
        if item.status is not None and item.status.head:
            self._moved = item.status.head != self.review.compared.tip
        if self._answered != answered:
            self._do(self._read_threads())
        self._show_title()

    @property
    def _answered(self) -> int:
        return self._item.task.comments_answered if self._item.task is not None else 0

    def on_painted_diff_moved(self) -> None:
        self.files.choose(self.diff.cursor.file)
        self._place_box()
        if self._loading is not None:
            self._loading.wake()

    def on_file_list_chosen(self, event: FileList.Chosen) -> None:
        self._stands_on_name = True
        self.diff.go_to_file(event.index)
        self.diff.stand_on_change()
        if event.opened:
            self._to_changes()

    # -- what the person does

    def action_scope(self) -> None:
        """Choose what is compared."""

        def chosen(scope: Scope | None) -> None:
            if scope is not None:
                self._open(scope)

        self.app.push_screen(
            ScopeMenu(self._scope, self.actions.commits, self.actions.turns), chosen
        )

    def action_reload(self) -> None:
        self._open(self._scope)

    def action_zoom(self) -> None:
        self.toggle_class("-zoomed")

    def action_step_back(self) -> None:
        """End a choice of lines, leave the list of a narrow screen; else close the screen."""
        if self.diff.chooses:
            self.diff.end_choice()
        elif self.has_class("-in-list", "-narrow"):
            self._to_changes()
        else:
            if self.review is not None and self._scope.kind in {"branch", "looked", "uncommitted"}:
                self.app.run_worker(self._quietly(self.actions.mark_looked()))
            self.dismiss()

    @staticmethod
    async def _quietly(work: Coroutine[Any, Any, None]) -> None:
        with suppress(CtuiError):  # the next look then begins where an earlier one did
            await work
