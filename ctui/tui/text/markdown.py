"""Markdown as lines: all that its source says, in a form that is pleasant to read.

Only marks vanish. What cannot be laid out is shown as it was written.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain, repeat
from typing import TYPE_CHECKING, NamedTuple

from rich.cells import cell_len

from ctui.tui.text.highlight_budget import HighlightBudget
from ctui.tui.text.lines import BLANK, Line, Wrap
from ctui.tui.text.markdown_fence import fence_lines, fence_rows
from ctui.tui.text.markdown_inline import inline_rows
from ctui.tui.text.markdown_table import table_lines

if TYPE_CHECKING:
    from markdown_it.tree import SyntaxTreeNode

_QUOTE = "▌ "
_BULLET = "• "
_RULE = "─" * 40
_UNDERLINES = {1: "━", 2: "─"}
_LONGEST_UNDERLINE = 60


class Part(NamedTuple):
    """A part of a document that is laid out by itself: a block, or an item of a list."""

    node: SyntaxTreeNode | None
    """None for source that is shown as it is."""
    source: list[str]
    """The rows of the whole document."""
    start: int
    """Its first row in `source`."""
    end: int
    spaced: bool
    """True if a blank line separates it from the part before it."""

    def lines(self, budget: HighlightBudget, *, continued: bool = False) -> list[Line]:
        """Lay it out. A `continued` block of code is one whose label was shown already."""
        if self.node is None:
            return plain_lines("\n".join(self.source[self.start : self.end]))
        if continued and self.node.type == "fence":
            return fence_rows(code_rows(self.node), self.node.info.strip(), budget)
        return _Layout(self.source, budget).block(self.node)


def markdown_lines(text: str) -> list[Line]:
    """Return the lines of sanitised Markdown: CommonMark with tables and strikethrough.

    Blocks are separated by a blank line. Lists are as loose or as tight as their source is.
    """
    budget = HighlightBudget()
    return join((part, part.lines(budget)) for part in parts(text))


def plain_lines(text: str) -> list[Line]:
    """Return the rows of `text` as they are, but for empty ones at either end."""
    rows = text.strip("\n").expandtabs(4).split("\n")
    return [Line(row, wrap=Wrap.CELLS) for row in rows]


def join(laid_out: Iterable[tuple[Part, list[Line]]]) -> list[Line]:
    """Return the lines of consecutive parts, with blank ones between them where they belong."""
    found: list[Line] = []
    for number, (part, lines) in enumerate(laid_out):
        if number and part.spaced:
            found.append(BLANK)
        found += lines
    return found


def parts(text: str) -> list[Part]:
    """Split a document."""
    from ctui.tui.text.markdown_parser import parse_blocks

    source = text.split("\n")
    found = []
    try:
        for block in parse_blocks(text):
            if not "".join(source[block.start : block.end]).strip():
                continue  # blanks that are no white space to Markdown
            if block.node is None or block.node.type not in {"bullet_list", "ordered_list"}:
                found.append(Part(block.node, source, block.start, block.end, spaced=True))
            else:
                found += _items(block.node, source)
    except RecursionError:  # the nesting is bounded, but we may be called from deep down
        return [Part(None, source, 0, len(source), spaced=True)]
    return found


def code_rows(node: SyntaxTreeNode) -> list[str]:
    """Return the rows of a `fence` or `code_block` node."""
    return node.content.removesuffix("\n").split("\n") if node.content else []


def _items(node: SyntaxTreeNode, source: list[str]) -> Iterator[Part]:
    for number, item in enumerate(node.children):
        start, end = item.map or (0, 0)
        yield Part(item, source, start, end, spaced=number == 0 or _is_blank(source[start - 1]))


def _is_blank(row: str) -> bool:
    """Return True if there is nothing but the marks of quotes in a row of the source."""
    return not row.strip(" \t>")


class _Layout:
    """Layout of one document's blocks in lines."""

    def __init__(self, source: list[str], budget: HighlightBudget) -> None:
        self._source = source
        self._budget = budget

    def block(self, node: SyntaxTreeNode) -> list[Line]:
        match node.type:
            case "heading":
                return _heading(node)
            case "bullet_list" | "ordered_list":
                return self._as_spaced_in_source(node)
            case "list_item":
                return self._item(node)
            case "blockquote":
                return self._quote(node)
            case "fence":
                return fence_lines(code_rows(node), node.info.strip(), self._budget)
            case "code_block":
                return fence_lines(code_rows(node), "", self._budget)
            case "table":
                return table_lines(node)
            case "hr":
                return [Line(_RULE, style="rule", wrap=Wrap.CELLS)]
            case _:
                return [Line(*row) for row in inline_rows(_content(node))]

    def _item(self, node: SyntaxTreeNode) -> list[Line]:
        marker = f"{node.info}{node.markup} " if node.info else _BULLET
        lines = self._as_spaced_in_source(node) or [Line("")]
        return _prefixed(lines, marker, " " * len(marker))

    def _quote(self, node: SyntaxTreeNode) -> list[Line]:
        lines: list[Line] = []
        for child in node.children:
            lines += [BLANK] if lines else []
            lines += self.block(child)
        quoted = [line if line.style else line._replace(style="quote") for line in lines]
        return _prefixed(quoted or [Line("", style="quote")], _QUOTE, _QUOTE)

    def _as_spaced_in_source(self, node: SyntaxTreeNode) -> list[Line]:
        """Lay out what is within a list or an item.

        Whether a list is loose is known at its end only, too late for one that streams in.
        """
        lines: list[Line] = []
        for child in node.children:
            start = child.map[0] if child.map else 0
            lines += [BLANK] if lines and _is_blank(self._source[start - 1]) else []
            lines += self.block(child)
        return lines


def _content(node: SyntaxTreeNode) -> str:
    return "".join(child.content for child in node.children)


def _heading(node: SyntaxTreeNode) -> list[Line]:
    """Underline the first two levels; the others have a mark for each level below the second."""
    level = int(node.tag[1:])
    rows = inline_rows(_content(node))
    mark = "▸" * (level - 2) + " " if level > 2 else ""
    lines = [Line(*row, style="heading", first=mark, rest=" " * len(mark)) for row in rows]
    if level in _UNDERLINES:
        width = min(_LONGEST_UNDERLINE, max(1, *(cell_len(row.text) for row in rows)))
        lines.append(Line(_UNDERLINES[level] * width, style="heading", wrap=Wrap.CELLS))
    return lines


def _prefixed(lines: list[Line], first: str, rest: str) -> list[Line]:
    """Put `first` in front of the first line, and `rest` in front of all further rows."""
    found = []
    for line, front in zip(lines, chain([first], repeat(rest)), strict=False):
        if line.text or line.first:
            found.append(line._replace(first=front + line.first, rest=rest + line.rest))
        else:
            found.append(line._replace(first=front.rstrip(), rest=front.rstrip()))
    return found
