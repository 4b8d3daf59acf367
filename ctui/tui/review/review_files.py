"""Keys of a review that go from file to file, and mark, fold or edit one."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Coroutine
from typing import Any

from textual.content import Content
from textual.screen import Screen
from textual.widgets import Static

from ctui.client.review.reviewing import Review
from ctui.errors import CtuiError
from ctui.text import sanitise
from ctui.tui.board.board import Item
from ctui.tui.review.diff_view import DiffView
from ctui.tui.review.file_list import FileList
from ctui.tui.review.review_actions import ReviewActions
from ctui.tui.support.own_terminal import in_own_terminal


class FileKeys(Screen[None]):
    """Screen with a list of files beside what changed in them."""

    actions: ReviewActions
    review: Review | None
    _item: Item
    _stands_on_name = True
    """True as long as the cursor is to go on to what changed, once that was read."""

    @abstractmethod
    def _show_title(self) -> None:
        """Show the line above all."""

    @property
    def diff(self) -> DiffView:
        return self.query_one(DiffView)

    @property
    def files(self) -> FileList:
        return self.query_one(FileList)

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

    # -- in the background

    def _do(self, work: Coroutine[Any, Any, None], group: str = "") -> None:
        async def go() -> None:
            try:
                await work
            except CtuiError as error:
                self._complain(error)

        self.run_worker(go(), group=group or "review", exclusive=bool(group))

    def _complain(self, error: CtuiError) -> None:
        text = sanitise(f"{error.message}\n{error.hint}" if error.hint else error.message)
        if self.review is None:
            self.query_one(".review--nothing", Static).update(Content(text))
            self.query_one(".review--nothing").display = True
            self.diff.display = False
        else:
            self.notify(text, severity="error", timeout=8, markup=False)
