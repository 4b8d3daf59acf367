"""Searching blocks without laying them out, and without keeping the loop."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from time import monotonic

from ctui.claude.transcript.blocks import Block, Notice, Prompt, Speech, Thought, ToolCall
from ctui.tui.text.tool_lines import title_line
from ctui.tui.transcript.block_lines import block_body

_WORD = re.compile(r"[^\W_]+")
_AT_ONCE = 0.008
"""Seconds that a search may take from the loop; a frame has 33 ms."""

RowPosition = tuple[int, int]
"""The index of a block, and a row within it."""


class Pause:
    """Pauses that give the loop back whenever enough time has passed."""

    def __init__(self) -> None:
        self._last = monotonic()

    async def take(self) -> None:
        if monotonic() - self._last > _AT_ONCE:
            await asyncio.sleep(0)
            self._last = monotonic()


def may_show(block: Block, needle: str) -> bool:
    """Return True if a row may have a case-folded text, judged without laying out the block.

    Marks of Markdown may stand between the words of what is shown, so each word counts by itself.
    """
    words = set(_WORD.findall(needle))
    for text in _texts(block) if words else ():
        folded = text.casefold()
        words = {word for word in words if word not in folded}
        if not words:
            return True
    return not words


def _texts(block: Block) -> Iterator[str]:
    match block:
        case Speech() | Thought() | Notice():
            yield str(block.text)
        case Prompt(delivered=True):
            yield block.text
        case ToolCall():
            yield title_line(block).text
            yield from (value for value in block.given.values() if isinstance(value, str))
            if (output := block.output) is not None:
                yield from (output.text, output.stdout, output.stderr)
                yield from (line for hunk in output.hunks for line in hunk.lines)
        case _:
            yield from (line.text for line in block_body(block, unfolded=True).lines)
