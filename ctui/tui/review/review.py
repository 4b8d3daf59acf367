"""The review screen: files beside what changed in them, comments, and one key that sends them."""

from __future__ import annotations

from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, ClassVar, NamedTuple

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Horizontal
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Static

from ctui.client.review.reviewing import Lines, PlacedThread, Review, by_path
from ctui.errors import CtuiError
from ctui.text import one_line, sanitise
from ctui.tui.board.board import Board, Item
from ctui.tui.review.comment_box import CommentBox
from ctui.tui.review.diff_view import DiffView
from ctui.tui.review.file_diff import shown_path
from ctui.tui.review.file_list import FileList, Noted
from ctui.tui.review.file_rows import Kind
from ctui.tui.review.loading import Loading
from ctui.tui.review.review_actions import ReviewActions
from ctui.tui.review.review_content import Facts, nothing, title
from ctui.tui.review.scope_menu import ScopeMenu
from ctui.tui.support.key_bar import KeyBar
from ctui.tui.support.own_terminal import in_own_terminal
from ctui.worktrees.review.scopes import Scope

_LOOK_SECONDS = 0.25
_WIDE = 100


class Draft(NamedTuple):
    """A comment that is being written."""

    lines: Lines | None
    thread: PlacedThread | None
    """The thread that it goes on with."""


class ReviewScreen(Screen[None]):
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
        self._stands_on_name = True
        """True as long as the cursor is to go on to what changed, once that was read."""
        self._draft: Draft | None = None

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

    @property
    def diff(self) -> DiffView:
        return self.query_one(DiffView)

    @property
    def files(self) -> FileList:
        return self.query_one(FileList)

    @property
    def _box(self) -> CommentBox:
        return self.query_one(CommentBox)

    # -- what is shown

    def _open(self, scope: Scope) -> None:
        async def go() -> None:
            review = await self.actions.open(scope)
            self._scope, self._moved = scope, False
            self._show(review)
            loading = Loading(self.diff, self.actions, review, self._taken)
            self._loading = loading
            await loading.run()

        self._do(go(), group="review-load")

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

    async def _read_threads(self) -> None:
        if self.review is None:
            return
        threads = await self.actions.threads(self.review)
        self.review = self.review._replace(threads=threads)
        with self.diff.changing():
            self.diff.window.take_threads(by_path(threads))
        self.files.refresh()
        self._show_title()

    def on_diff_view_moved(self) -> None:
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

    # -- comments

    def action_comment(self) -> None:
        """Write a comment on the chosen lines, or one more where there is a thread."""
        diff, review = self.diff, self.review
        if review is None or not diff.window.files:
            return
        diff.stand_on_change()
        row = diff.window.row(diff.cursor)
        if row.kind is Kind.THREAD and row.thread is not None:
            thread, line = row.thread, row.left
            self._write(None, thread, line, f"on #{thread.thread.id}")
            return
        chosen = diff.lines()
        if chosen is None:
            self.notify("choose a line first", timeout=3, markup=False)
            return
        lines, line = chosen
        until = lines.first + len(lines.quote) - 1
        numbers = f"{lines.first}-{until}" if until > lines.first else f"{lines.first}"
        side = ", before the change" if lines.side == "old" else ""
        path = shown_path(diff.window.files[diff.cursor.file].path)
        self._write(lines, None, line, f"{path[-60:]}:{numbers}{side}")

    def _write(
        self, lines: Lines | None, thread: PlacedThread | None, line: int, title: str
    ) -> None:
        self._draft = Draft(lines, thread)
        window = self.diff.window
        if line >= 0:
            with self.diff.changing():
                window.draft = (self.diff.cursor.file, line)
                window.change(self.diff.cursor.file)
            self.diff.show_draft()
        self._box.open(Content(title))
        self._place_box()

    def _place_box(self) -> None:
        if self._box.display:
            self._box.styles.offset = (2, self.diff.draft_line())

    def on_comment_box_kept(self, event: CommentBox.Kept) -> None:
        draft, review = self._draft, self.review
        if draft is None or review is None:
            return
        number = draft.thread.thread.id if draft.thread is not None else None

        async def keep() -> None:
            await self.actions.comment(review.compared.tip, draft.lines, event.text, number)
            self._close_box()
            self.diff.end_choice()
            await self._read_threads()

        self._do(keep())

    def on_comment_box_left(self) -> None:
        self._close_box()

    def _close_box(self) -> None:
        if not self._box.display:
            return
        self._draft = None
        self._box.close()
        window = self.diff.window
        if window.draft is not None:
            index = window.draft[0]
            with self.diff.changing():
                window.draft = None
                window.change(index)
        self.diff.focus()

    def action_send(self) -> None:
        """Tell the worktree's task all comments that it was not told."""

        async def go() -> None:
            sent = await self.actions.send()
            many = "" if sent.comments == 1 else "s"
            text = f"{one_line(sent.task.id, 60)} was told {sent.comments} comment{many}"
            self.notify(text, timeout=6, markup=False)
            await self._read_threads()

        self._do(go())

    def action_close_thread(self) -> None:
        """Take back what was not sent of the thread here, or close it."""
        window = self.diff.window
        row = window.row(self.diff.cursor) if window.files else None
        if row is None or row.thread is None:
            self.notify("stand on a comment first", timeout=3, markup=False)
            return
        thread = row.thread

        async def go() -> None:
            self.notify(await self.actions.close_or_withdraw(thread), timeout=4, markup=False)
            await self._read_threads()

        self._do(go())

    # -- files

    def action_mark(self) -> None:
        """Mark the file that is looked at as read, and go to the next one; or as unread."""
        window = self.diff.window
        if not window.files:
            return
        index = self.diff.cursor.file
        read = index not in window.read
        (window.read.add if read else window.read.discard)(index)
        self.diff.fold(index, folded=read)
        self._do(self.actions.mark_read(window.files[index], read=read))
        following = [*range(index + 1, len(window.files)), *range(index)]
        unread = next((other for other in following if other not in window.read), None)
        if read and unread is not None:
            self._stands_on_name = True
            self.diff.go_to_file(unread)
            self.diff.stand_on_change()
        self.files.refresh()
        self._show_title()

    def action_change(self, step: int) -> None:
        self._stands_on_name = True
        if not self.diff.go_to_change(step):
            self.notify("no more changes", timeout=2, markup=False)

    def action_file(self, step: int) -> None:
        index = self.diff.cursor.file + step
        if 0 <= index < len(self.diff.window.files):
            self._stands_on_name = True
            self.diff.go_to_file(index)
            self.diff.stand_on_change()

    def action_edit(self) -> None:
        """Give the terminal to the person's editor, at the line of the cursor."""
        window = self.diff.window
        if not window.files:
            return
        file = window.files[self.diff.cursor.file]
        name = file.path.decode("utf-8", "surrogateescape")
        at = f"{name}:{self.diff.number()}"
        command = ("worktree", "open", self._item.path, "--repo", str(self.actions.git_dir))
        in_own_terminal(self.app, self.actions.paths, *command, "--at", at)

    def action_split(self) -> None:
        self.diff.wanted_split = not self.diff.is_split
        self.diff.restyle()

    def action_scope(self) -> None:
        """Choose what is compared."""

        def chosen(scope: Scope | None) -> None:
            if scope is not None:
                self._open(scope)

        self.app.push_screen(ScopeMenu(self._scope, self.actions.commits), chosen)

    def action_reload(self) -> None:
        self._open(self._scope)

    def action_zoom(self) -> None:
        self.toggle_class("-zoomed")

    def action_other_side(self) -> None:
        """Go from the list to the changes, or back."""
        if self.files.has_focus:
            self._to_changes()
        else:
            self.remove_class("-zoomed")
            self.add_class("-in-list")
            self.call_after_refresh(self.files.focus)

    def _to_changes(self) -> None:
        self.remove_class("-in-list")
        self.call_after_refresh(self.diff.focus)

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

    # -- in the background

    def _do(self, work: Coroutine[Any, Any, None], group: str = "") -> None:
        async def go() -> None:
            try:
                await work
            except CtuiError as error:
                self._complain(error)

        self.run_worker(go(), group=group or "review", exclusive=bool(group))

    @staticmethod
    async def _quietly(work: Coroutine[Any, Any, None]) -> None:
        with suppress(CtuiError):  # the next look then begins where an earlier one did
            await work

    def _complain(self, error: CtuiError) -> None:
        text = sanitise(f"{error.message}\n{error.hint}" if error.hint else error.message)
        if self.review is None:
            self.query_one(".review--nothing", Static).update(Content(text))
            self.query_one(".review--nothing").display = True
            self.diff.display = False
        else:
            self.notify(text, severity="error", timeout=8, markup=False)
