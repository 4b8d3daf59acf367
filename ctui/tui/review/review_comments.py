"""Keys of a review that write comments, send them, and close their threads."""

from __future__ import annotations

from typing import NamedTuple

from textual.content import Content

from ctui.client.review.reviewing import Lines, PlacedThread, by_path
from ctui.text import one_line
from ctui.tui.review.comment_box import CommentBox
from ctui.tui.review.file_diff import shown_path
from ctui.tui.review.file_rows import Kind
from ctui.tui.review.review_files import FileKeys


class Draft(NamedTuple):
    """A comment that is being written."""

    lines: Lines | None
    thread: PlacedThread | None
    """The thread that it goes on with."""


class CommentKeys(FileKeys):
    """Screen on which lines are commented on."""

    _draft: Draft | None = None

    @property
    def _box(self) -> CommentBox:
        return self.query_one(CommentBox)

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
            self._close_box(forget=True)
            self.diff.end_choice()
            await self._read_threads()

        self._do(keep())

    def on_comment_box_left(self) -> None:
        self._close_box()

    def _close_box(self, *, forget: bool = False) -> None:
        if not self._box.display:
            return
        self._draft = None
        self._box.close(forget=forget)
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

    async def _read_threads(self) -> None:
        if self.review is None:
            return
        threads = await self.actions.threads(self.review)
        self.review = self.review._replace(threads=threads)
        with self.diff.changing():
            self.diff.window.take_threads(by_path(threads))
        self.files.refresh()
        self._show_title()
