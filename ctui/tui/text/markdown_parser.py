"""Markdown as a tree, by markdown-it-py, set up so that nothing in the source can be hidden.

Importing this module loads markdown-it-py, so import it where it is used.

HTML and entities are text like any other: `&#x202e;` would bring back what was sanitised away.
Definitions of link references are text too, for as definitions they would not be shown at all.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock, table
from markdown_it.token import Token
from markdown_it.tree import SyntaxTreeNode

_DEEPEST = 24
"""Levels of nesting, of which a list takes two. It bounds recursion and the width of prefixes."""


class Block(NamedTuple):
    """A block at the top level of a document."""

    node: SyntaxTreeNode | None
    """None if it is nested so deeply that parts of it were left out: show its source."""
    start: int
    """Its first line in the source, from 0."""
    end: int
    """The line after its last one."""


def parse_blocks(text: str) -> Iterator[Block]:
    """Yield the blocks of `text`; the content of their `inline` nodes is not parsed yet."""
    group: list[Token] = []
    for token in _parser().parse(text):
        group.append(token)
        if token.level == 0 and token.nesting <= 0:
            yield _block(group)
            group = []


def parse_inline(content: str) -> list[Token]:
    """Return the tokens of one block's text.

    They are no tree, because emphasis has no bound on its nesting.
    """
    parser = _parser()
    tokens: list[Token] = []
    parser.inline.parse(content, parser, {}, tokens)
    return tokens


def _block(tokens: list[Token]) -> Block:
    start, end = tokens[0].map or (0, 0)
    cut_off = any(token.nesting == 1 and token.level >= _DEEPEST - 1 for token in tokens)
    return Block(None if cut_off else SyntaxTreeNode(tokens).children[0], start, end)


class _Verbatim(MarkdownIt):
    """Parser that leaves addresses as they are written."""

    def normalizeLink(self, url: str) -> str:  # noqa: N802
        # An address may hold entities, which are decoded: what they could hide is encoded again.
        return url if url.isprintable() else super().normalizeLink(url)

    def normalizeLinkText(self, link: str) -> str:  # noqa: N802
        return link


@cache
def _parser() -> MarkdownIt:
    parser = _Verbatim("commonmark", {"html": False, "maxNesting": _DEEPEST})
    parser.enable(["table", "strikethrough"])
    parser.disable(["reference", "entity"])
    # Inline content is parsed by `parse_inline`, in pieces that can be cached.
    parser.disable(["inline", "text_join"])
    parser.block.ruler.at("table", _table, {"alt": ["paragraph"]})
    return parser


def _table(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Keep each row's source, because cells beyond the header's columns are left out."""
    size = len(state.tokens)
    if not table(state, start, end, silent):
        return False
    for token in state.tokens[size:]:
        if token.type == "tr_open" and token.map:
            line = token.map[0]
            content = state.bMarks[line] + state.tShift[line]
            token.meta["source"] = state.src[content : state.eMarks[line]]
    return True
