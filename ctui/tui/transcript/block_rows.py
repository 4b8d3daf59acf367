"""The rows of blocks at the current width and colours, kept for those that were shown lately."""

from __future__ import annotations

from collections import OrderedDict

from ctui.claude.transcript.blocks import Block, Notice, Prompt, Speech, Thought, ToolCall
from ctui.tui.text.lines import BLANK
from ctui.tui.transcript.block_lines import block_body, indented
from ctui.tui.transcript.live_markdown import LiveMarkdown
from ctui.tui.transcript.long_rows import MOST_ROWS, LongRows
from ctui.tui.transcript.strips import Palette, Rows

_KEPT_ROWS = 20_000
_FOLDED_ROWS = 8


class BlockRows:
    """Rows of blocks, laid out when they are wanted, and remembered."""

    def __init__(self) -> None:
        self.unfolded: set[int] = set()
        """Ids of blocks that show all they have."""
        self.width = 0
        self.palette: Palette = {}
        self._kept: OrderedDict[int, Rows] = OrderedDict()
        self._kept_rows = 0
        self._live: dict[int, _Live] = {}
        self._foldable: set[int] = set()

    def restyle(self, width: int, palette: Palette) -> None:
        """Lay everything out anew from now on."""
        self.width, self.palette = width, palette
        self._kept.clear()
        self._kept_rows = 0
        self._live.clear()

    def forget(self, block_id: int) -> None:
        """Forget the rows of a block that changed."""
        if (rows := self._kept.pop(block_id, None)) is not None:
            self._kept_rows -= len(rows.strips)

    def forget_all(self) -> None:
        """Forget all blocks: others have the same ids from now on."""
        self.unfolded.clear()
        self._foldable.clear()
        self.restyle(self.width, self.palette)

    def of(self, block: Block) -> Rows:
        rows = self._kept.get(block.id)
        if rows is None:
            rows = self._laid_out(block)
            self._keep(block.id, rows)
        else:
            self._kept.move_to_end(block.id)
        return rows

    def toggle(self, block_id: int) -> bool:
        """Fold or unfold a block; return False if there was nothing to do."""
        if block_id in self.unfolded:
            self.unfolded.discard(block_id)
        elif block_id in self._foldable:
            self.unfolded.add(block_id)
        else:
            return False
        self.forget(block_id)
        return True

    def estimate(self, block: Block) -> int:
        """Return the rows that the block will about have, without laying it out."""
        match block:
            case Speech() | Notice():
                return min(MOST_ROWS, len(block.text) // max(1, self.width) + 2)
            case Prompt():
                return min(MOST_ROWS, block.text.count("\n") + 2)
            case Thought():
                return 3
            case ToolCall():
                return 2 if block.output is None else _FOLDED_ROWS
        return 2

    def _laid_out(self, block: Block) -> Rows:
        if isinstance(block, Speech) and block.open and not block.error:
            if (live := self._live.get(block.id)) is None:
                live = self._live[block.id] = _Live(self.width, self.palette)
            return live.rows(block)
        self._live.pop(block.id, None)
        body = block_body(block, unfolded=block.id in self.unfolded)
        if body.folded:
            self._foldable.add(block.id)
        rows = LongRows(self.width, self.palette)
        rows.add(body.lines)
        return rows.rows()

    def _keep(self, block_id: int, rows: Rows) -> None:
        self._kept[block_id] = rows
        self._kept_rows += len(rows.strips)
        while self._kept_rows > _KEPT_ROWS and len(self._kept) > 1:
            _, dropped = self._kept.popitem(last=False)
            self._kept_rows -= len(dropped.strips)


class _Live:
    """A speech that is still growing: only what may still change is laid out again."""

    def __init__(self, width: int, palette: Palette) -> None:
        self._markdown = LiveMarkdown()
        self._rows = LongRows(width, palette)
        self._taken = 0

    def rows(self, block: Speech) -> Rows:
        if len(block.text) > self._taken:
            self._markdown.append(block.text.tail(len(block.text) - self._taken))
            self._taken = len(block.text)
        indent = "  " * block.depth
        self._rows.add([indented(line, indent) for line in self._markdown.take_frozen()])
        return self._rows.rows([*(indented(line, indent) for line in self._markdown.tail()), BLANK])
