"""The view of what changed, with a cursor on one of its lines, and the keys that move it."""

from __future__ import annotations

from itertools import chain
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType

from ctui.client.review.reviewing import Lines
from ctui.tasks.threads import MOST_QUOTED
from ctui.tui.review.diff_paint import MARGIN, PaintedDiff
from ctui.tui.review.diff_window import Place
from ctui.tui.review.file_diff import DiffLine
from ctui.tui.review.file_rows import DRAFT_HEIGHT, Kind


class DiffView(PaintedDiff):
    """View of all files with a cursor on one of their lines."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "Up", show=False),
        Binding("down,j", "move(1)", "Down", show=False),
        Binding("shift+up,K", "move(-1, True)", "Choose more lines above", show=False),
        Binding("shift+down,J", "move(1, True)", "Choose more lines below", show=False),
        Binding("pageup,ctrl+u", "page(-1)", "Page up", show=False),
        Binding("pagedown,ctrl+d", "page(1)", "Page down", show=False),
        Binding("home", "edge(-1)", "Top", show=False),
        Binding("end,G", "edge(1)", "Bottom", show=False),
        Binding("V", "choose_lines", "Begin to choose lines, or end", show=False),
        Binding("o,enter", "toggle_fold", "Fold or unfold a file", show=False),
    ]

    # -- what is shown

    def begin(self) -> None:
        """Stand on the first line that changed."""
        self.cursor, self._chosen_from = Place(0, 0), None
        self._settled(0)

    def go_to_file(self, index: int) -> None:
        """Show a file from its name on."""
        self._chosen_from = None
        self.cursor = Place(index, 0)
        self._settled(self.window.line_of(self.cursor))

    def stand_on_change(self) -> None:
        """Move the cursor from a file's name to the first line that changed in it."""
        if self.cursor.row == 0 and self.cursor.file in self.window.diffs:
            for place in self.window.walk(self.cursor, 1):
                if place.file != self.cursor.file:
                    return
                if self.window.is_change(place):
                    self._stand(self._added_at(place))
                    return

    def _added_at(self, place: Place) -> Place:
        """Return the first line of a block of changes that is there now, if it has one."""
        diff = self.window.diffs[place.file]
        for found in chain([place], self.window.walk(place, 1)):
            row = self.window.row(found)
            if found.file != place.file or not self.window.is_change(found):
                break
            if any(diff.lines[line].new for line in (row.left, row.right) if line >= 0):
                return found
        return place

    def lines(self) -> tuple[Lines, int] | None:
        """Return the chosen lines as a comment names them, and the index of the last one.

        They are lines after the change, or before it where all of them are gone.
        """
        first, last = self.chosen
        diff = self.window.diffs.get(first.file)
        if diff is None:
            return None
        rows = self.window.rows(first.file).rows[first.row : last.row + 1]
        seen = [row for row in rows if row.kind is Kind.LINE][:MOST_QUOTED]
        indexes = [max(row.left, row.right) for row in seen]
        if not indexes:
            return None
        found: list[DiffLine] = [diff.lines[index] for index in indexes]
        new = [line for line in found if line.new]
        quoted = new or found
        start = quoted[0].new if new else quoted[0].old
        name = diff.file.name
        lines = Lines(name, "new" if new else "old", start, tuple(one.quote for one in quoted))
        return lines, indexes[-1]

    def number(self) -> int:
        """Return the number of the line at the cursor as the file has it now, from 1."""
        diff = self.window.diffs.get(self.cursor.file)
        row = self.window.row(self.cursor)
        if diff is None or not diff.lines:
            return 1
        start = max(row.left, row.right, 0)
        behind = (line.new for line in diff.lines[start:] if line.new)
        return next(behind, diff.lines[-1].new or 1)

    def draft_line(self) -> int:
        """Return the line of the window where something is being written."""
        lowest = max(0, self.size.height - DRAFT_HEIGHT)
        draft = self.window.draft
        if draft is None:
            return lowest
        rows = self.window.rows(draft[0]).rows
        found = (number for number, row in enumerate(rows) if row.kind is Kind.DRAFT)
        line = self.window.line_of(Place(draft[0], next(found, 0))) - self.scroll_offset.y
        return max(0, min(line, lowest))

    def show_draft(self) -> None:
        """Scroll so that there is room for what is being written."""
        draft = self.window.draft
        if draft is None:
            return
        rows = self.window.rows(draft[0]).rows
        found = (number for number, row in enumerate(rows) if row.kind is Kind.DRAFT)
        line = self.window.line_of(Place(draft[0], next(found, 0)))
        self._settled(max(self.scroll_offset.y, line + DRAFT_HEIGHT - self.size.height))

    # -- what a person does

    def _stand(self, place: Place) -> None:
        """Move the cursor, and the window with it."""
        self.cursor = place
        line, height = self.window.line_of(place), self.size.height
        last = line + min(self.window.height_of(place), height - 2 * MARGIN)
        top = self.scroll_offset.y
        top = min(top, line - MARGIN)
        top = max(top, last + MARGIN - height)
        self._settled(top)

    def action_move(self, step: int, choose: bool = False) -> None:
        if not self.window.files:
            return
        if choose and self._chosen_from is None:
            self._chosen_from = self.cursor
        for place in self.window.walk(self.cursor, step):
            if self._chosen_from is None or place.file == self.cursor.file:
                self._stand(place)
            return

    def action_page(self, step: int) -> None:
        """Scroll by a window, and move the cursor as far."""
        if not self.window.files:
            return
        lines = max(1, self.size.height - 2 * MARGIN)
        line = self.window.line_of(self.cursor) + step * lines
        place, _ = self.window.at(line)
        top = self.scroll_offset.y + step * lines
        self.cursor = self._standing(place)
        self._settled(top)
        self._stand(self.cursor)

    def action_edge(self, step: int) -> None:
        if not self.window.files:
            return
        last = len(self.window.files) - 1
        end = Place(last, len(self.window.rows(last).rows) - 1)
        self._stand(self._standing(Place(0, 0) if step < 0 else end))

    def action_choose_lines(self) -> None:
        self._chosen_from = None if self.chooses else self.cursor
        self.refresh()

    def action_toggle_fold(self) -> None:
        """Fold the file under the cursor to its name, or unfold it."""
        if self.window.files:
            self.fold(self.cursor.file, folded=self.cursor.file not in self.window.folded)

    def fold(self, index: int, *, folded: bool) -> None:
        """Fold a file to its name, or unfold it."""
        with self.changing():
            (self.window.folded.add if folded else self.window.folded.discard)(index)
            self.window.change(index)

    def go_to_change(self, step: int) -> bool:
        """Go to the next block of changes (1) or the one before (-1); return False for none."""
        if not self.window.files:
            return False
        inside = self.window.is_change(self.cursor)
        found: Place | None = None
        for place in self.window.walk(self.cursor, step):
            if place.row == 0 and not self.window.is_known(place.file):
                found = place  # what is in it comes soon
                break
            changed = self.window.is_change(place)
            if step > 0 and changed and not inside:
                found = place
                break
            if step < 0 and found is not None and not changed:
                break
            if step < 0 and changed and not inside:
                found = place
            inside = inside and changed
        if found is not None:
            self._chosen_from = None
            self._stand(found)
        return found is not None

    def on_click(self, event: events.Click) -> None:
        if not self.window.files:
            return
        place, _ = self.window.at(self.scroll_offset.y + event.y)
        self._chosen_from = None
        if place == self.cursor and self.window.row(place).kind is Kind.FILE:
            self.action_toggle_fold()
        elif self.window.row(place).can_be_chosen:
            self.cursor = place
            self._settled(self.scroll_offset.y)
