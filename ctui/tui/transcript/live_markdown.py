"""Markdown that is still being written."""

from __future__ import annotations

from itertools import pairwise

from ctui.tui.text.highlight_budget import HighlightBudget
from ctui.tui.text.lines import BLANK, Line
from ctui.tui.text.markdown import Part, code_rows, join, parts
from ctui.tui.text.markdown_fence import chunk_size, fence_lines, fence_rows


class LiveMarkdown:
    """Layout of a growing text, made only once for what cannot change any more.

    At any time all frozen lines and `tail()` are the `markdown_lines` of the whole text, unless a
    list gets nested so deeply that the whole text would show all of it as it was written.
    """

    def __init__(self, *, step: int = 1_000) -> None:
        """Look for what can be frozen after each `step` characters.

        A smaller step keeps the tail shorter, but looks through a long block more often.
        """
        self._step = step
        self.frozen: list[Line] = []
        """Lines that stay as they are until they are taken. Only `append` adds some, at the end."""
        self._budget = HighlightBudget()
        """Budget left behind the frozen lines."""
        self._rest = ""
        """The source of the tail."""
        self._looked_at = 0
        """Characters of the rest that have been looked through in vain."""
        self._in_fence = False
        """True if the rest begins within a block of code. If so, its first row opens the block
        once more, and is not shown again."""
        self._tail: list[Line] | None = None

    def append(self, text: str) -> None:
        """Add sanitised text at the end."""
        self._rest += text
        self._tail = None
        if len(self._rest) - self._looked_at >= self._step:
            self._freeze()
            self._looked_at = len(self._rest)

    def take_frozen(self) -> list[Line]:
        """Hand over the frozen lines, which are not kept here any longer."""
        taken, self.frozen = self.frozen, []
        return taken

    def tail(self) -> list[Line]:
        """Return the lines after those that are frozen. The list is not yours to change."""
        if self._tail is None:
            found, budget = parts(self._rest), self._budget.copy()
            self._tail = join((part, self._lines(part, budget)) for part in found)
        return self._tail

    def _freeze(self) -> None:
        """Freeze all that is followed by something else.

        Only complete rows count. One more of them can change the last part, but none before it; a
        row that is not complete may still become anything.
        """
        complete = self._rest.rfind("\n") + 1
        found = parts(self._rest[:complete])
        if not found:
            return
        for part, following in pairwise(found):
            self.frozen += self._lines(part, self._budget)
            if following.spaced:
                self.frozen.append(BLANK)
            self._in_fence = False
        self._rest = _without_rows(self._rest, found[-1].start)
        self._freeze_code(found[-1])

    def _freeze_code(self, last: Part) -> None:
        """Freeze the complete chunks of a block of code."""
        if last.node is None or last.node.type != "fence":
            return
        info = last.node.info.strip()
        rows = code_rows(last.node)
        while size := chunk_size(rows, info, self._budget):
            lay_out = fence_rows if self._in_fence else fence_lines
            self.frozen += lay_out(rows[:size], info, self._budget)
            del rows[:size]
            opening, code = self._rest.split("\n", 1)
            self._rest = f"{opening}\n{_without_rows(code, size)}"
            self._in_fence = True

    def _lines(self, part: Part, budget: HighlightBudget) -> list[Line]:
        return part.lines(budget, continued=self._in_fence and part.start == 0)


def _without_rows(text: str, count: int) -> str:
    """Drop `count` rows, all of them complete, at the beginning of `text`."""
    return text.split("\n", count)[count]
