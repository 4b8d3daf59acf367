"""The text within a Markdown block: emphasis, code, links.

A long text is parsed in pieces. Markdown has no bound on how far an opening mark may be from its
closing one, and the parser's time can grow with the square of a text's length; and while a
paragraph streams in, only its last piece is new. A piece ends between words, where no mark is
open; where there is no such place for a long time, it ends anyway.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from ctui.text import sanitise
from ctui.tui.styled import Styled, Writer

if TYPE_CHECKING:
    from markdown_it.tree import SyntaxTreeNode

_PIECE_SIZES = (1_000, 2_000, 4_000)
_LONGEST_PIECE = 8_000

# Neither a hard break (`  \n`, `\\\n`) nor an escaped blank may be torn apart.
_BETWEEN_WORDS = re.compile(r"(?<=[^\s\\])[ \n](?=\S)")
_OPENING_MARK = re.compile(
    r"`"
    r"|[*~](?=\S)"
    r"|(?<!\w)_(?=\S)"
    r"|\[(?![^\[\]]*\](?!\())"  # not one of the plain brackets in `list[0]`
)
_STYLES = {"strong": "strong", "em": "emphasis", "s": "strike"}


class _Piece(NamedTuple):
    rows: tuple[Styled, ...]
    closed: bool
    """Whether no mark in it waits for another one."""


def inline_rows(content: str) -> list[Styled]:
    """Return the text of a block: one row, and one more for each hard break."""
    writer = Writer()
    for piece in _pieces(content):
        for number, row in enumerate(_parsed(piece).rows):
            if number:
                writer.end_row()
            writer.write_styled(row)
    return writer.rows()


def _pieces(content: str) -> Iterator[str]:
    """Cut `content`, in a way that does not depend on how it goes on after a cut."""
    start = 0
    while (end := _piece_end(content, start)) < len(content):
        yield content[start:end]
        start = end
        if content[start] in " \n":
            yield " "
            start += 1
    yield content[start:]


def _piece_end(content: str, start: int) -> int:
    limit = start + _LONGEST_PIECE
    last = 0
    for size in _PIECE_SIZES:
        between = _BETWEEN_WORDS.search(content, start + size, limit)
        if between is None:
            break
        last = between.start()
        if _parsed(content[start:last]).closed:
            return last
    return len(content) if len(content) <= limit else last or limit


@lru_cache(maxsize=1024)
def _parsed(content: str) -> _Piece:
    from ctui.tui.markdown_parser import parse_inline

    nodes = parse_inline(content)
    writer = Writer()
    _write(writer, nodes, "")
    texts = (part.content for node in nodes for part in node.walk() if part.type == "text")
    return _Piece(tuple(writer.rows()), not any(map(_OPENING_MARK.search, texts)))


def _write(writer: Writer, nodes: Iterable[SyntaxTreeNode], style: str) -> None:
    """Write `nodes`; where styles are nested, the innermost one counts."""
    for node in nodes:
        if node.type == "softbreak":
            writer.write(" ", style)
        elif node.type == "hardbreak":
            writer.end_row()
        elif node.type == "code_inline":
            writer.write(node.content, "code")
        elif node.type in _STYLES:
            _write(writer, node.children, _STYLES[node.type])
        elif node.type == "link":
            _write(writer, node.children, "link")
            _write_address(writer, node, str(node.attrs.get("href", "")))
        elif node.type == "image":
            _write(writer, node.children, "link")
            _write_address(writer, node, str(node.attrs.get("src", "")))
        else:
            writer.write(node.content, style)


def _write_address(writer: Writer, node: SyntaxTreeNode, address: str) -> None:
    """Write where a link goes, unless its text says just that."""
    text = _plain(node.children)
    # An autolink's address is its text, perhaps with `mailto:` in front.
    told = text == address or node.info == "auto"
    # The parser decodes entities in a title, so it is sanitised once more.
    title = " ".join(sanitise(str(node.attrs.get("title", ""))).split())
    more = ("" if told else address) + (f' "{title}"' if title else "")
    if more:
        writer.write(f" ({more.strip()})" if text else more.strip(), "link")


def _plain(nodes: Iterable[SyntaxTreeNode]) -> str:
    return "".join(_plain(node.children) if node.children else node.content for node in nodes)
