"""Rows of a transcript in a window, without laying out more than is near it."""

from __future__ import annotations

from collections.abc import Sequence

from textual.geometry import Offset
from textual.selection import Selection
from textual.strip import Strip

from ctui.claude.transcript.blocks import Block
from ctui.claude.transcript.ledger import Changes
from ctui.tui.transcript.block_rows import BlockRows
from ctui.tui.transcript.block_search import Pause, RowPosition, may_show
from ctui.tui.transcript.heights import Heights
from ctui.tui.transcript.row_paint import ROW_BITS, selected_text
from ctui.tui.transcript.strips import Palette, Rows


class BlockWindow:
    """Blocks, their rows and heights. Rows are counted from the first block's first one."""

    def __init__(self) -> None:
        self.blocks: Sequence[Block] = ()
        self._rows = BlockRows()
        self._heights = Heights()

    @property
    def width(self) -> int:
        """Return the width in cells; 0 before there is a place on the screen."""
        return self._rows.width

    @property
    def total(self) -> int:
        """Return the rows of all blocks, as far as they are known, else estimated."""
        return self._heights.total

    def show(self, blocks: Sequence[Block]) -> None:
        """Show these blocks, which may grow and change from now on."""
        self.blocks = blocks
        self._rows.forget_all()
        self._heights.replace_tail(0, map(self._rows.estimate, blocks))

    def take(self, changes: Changes) -> None:
        """Take changes of the blocks."""
        if changes.start is not None:
            tail = self.blocks[changes.start :]
            self._heights.replace_tail(changes.start, map(self._rows.estimate, tail))
        for block_id in changes.changed:
            self._rows.forget(block_id)
        if changes.changed:
            self._doubt(set(changes.changed))

    def restyle(self, width: int, palette: Palette) -> None:
        """Lay everything out anew; the heights so far stay as estimates."""
        self._rows.restyle(width, palette)
        self._heights.doubt_all()

    # -- places

    def place(self, row: int) -> RowPosition:
        """Return the block at a row, and the row within it."""
        return self._heights.find(row)

    def row_of(self, index: int, within: int = 0) -> int:
        return self._heights.top(index) + within

    def rows_of(self, index: int) -> Rows:
        return self._rows.of(self.blocks[index])

    # -- the window

    def settle_at_end(self, height: int) -> int:
        """Make the last `height` rows exact; the first row of a window on them."""
        index, rows = len(self.blocks), 0
        while index and rows < height + 2:
            index -= 1
            rows += self._measure(index)
        return max(0, self.total - height)

    def settle_around(self, row: int, height: int) -> int:
        """Make the heights around a window exact; where the same text begins now."""
        index, within = self._heights.find(min(row, max(0, self.total - 1)))
        below, rows = index, -within
        while below < len(self.blocks) and rows < 2 * height:
            rows += self._measure(below)
            below += 1
        above, rows = index, 0
        while above and rows < height:
            above -= 1
            rows += self._measure(above)
        if index < len(self.blocks):
            within = min(within, max(0, self._heights[index] - 1))
        return self._heights.top(index) + within

    def frame(self, row: int, height: int, blank: Strip) -> list[Strip]:
        """Return the rows of a window that begins at `row`, filled up with blanks."""
        rows: list[Strip] = []
        index, within = self._heights.find(row)
        while len(rows) < height and index < len(self.blocks):
            strips = self._rows.of(self.blocks[index]).strips
            rows += strips[within : within + height - len(rows)]
            index, within = index + 1, 0
        return rows + [blank] * (height - len(rows))

    def text_of(self, selection: Selection) -> str:
        """Return the selected text; its offsets are those of `row_paint`."""
        start = selection.start or Offset(0, 0)
        end = selection.end or Offset(1 << 20, len(self.blocks) << ROW_BITS)
        rows = map(self.rows_of, range(start.y >> ROW_BITS, len(self.blocks)))
        return selected_text(rows, start, end)

    def row_with_offset(self, row: int, blank: Strip) -> Strip:
        """Return one row that knows its place in a selection."""
        index, within = self._heights.find(row)
        if index >= len(self.blocks):
            return blank
        strips = self._rows.of(self.blocks[index]).strips
        strip = strips[within] if within < len(strips) else blank
        return strip.apply_offsets(0, index << ROW_BITS | within)

    # -- what a person does

    def toggle(self, index: int) -> bool:
        """Fold or unfold a block; return False if there was nothing to do."""
        done = index < len(self.blocks) and self._rows.toggle(self.blocks[index].id)
        if done:
            self._heights.doubt(index)
        return done

    def toggle_last(self, top: int, bottom: int) -> bool:
        """Toggle the last block between two rows that can be; return False if none can."""
        first, last = self.place(top)[0], min(self.place(bottom)[0], len(self.blocks) - 1)
        return any(self.toggle(index) for index in range(last, first - 1, -1))

    def place_from(self, row: int) -> RowPosition:
        """Return the place of a row, which may be one above the first or below the last."""
        inside = min(max(row, 0), max(0, self.total - 1))
        index, within = self._heights.find(inside)
        return index, within + row - inside

    async def find(self, needle: str, start: RowPosition, step: int) -> RowPosition | None:
        """Return the next row above (-1) or below (1) a place that has a case-folded text.

        No height changes, and only blocks that can have it are laid out.
        """
        (index, within), blocks, pause = start, self.blocks, Pause()
        while 0 <= index < len(blocks) and blocks is self.blocks:
            if may_show(blocks[index], needle):
                for place in self._places(index, needle)[::step]:
                    if (place - within) * step > 0:
                        return index, place
            index += step
            within = -1 if step > 0 else 1 << 30
            await pause.take()
        return None

    def reveal(self, place: RowPosition) -> int:
        """Return the row of a place, the height of whose block is exact from now on."""
        self._measure(place[0])
        return self.row_of(*place)

    def _places(self, index: int, needle: str) -> list[int]:
        strips = self._rows.of(self.blocks[index]).strips
        return [place for place, strip in enumerate(strips) if needle in strip.text.casefold()]

    def _measure(self, index: int) -> int:
        if not self._heights.is_exact(index):
            self._heights.set(index, len(self._rows.of(self.blocks[index]).strips))
        return self._heights[index]

    def _doubt(self, changed: set[int]) -> None:
        """Doubt the heights of these blocks, nearly all of which are close to the end."""
        for index in range(len(self.blocks) - 1, -1, -1):
            if self.blocks[index].id in changed:
                self._heights.doubt(index)
                changed.discard(self.blocks[index].id)
                if not changed:
                    return
