"""The text within a Markdown block: emphasis, code, links.

A long text is parsed in pieces. Markdown has no bound on how far an opening mark may be from its
closing one, and the parser's time can grow with the square of a text's length; and while a
paragraph streams in, only its last piece is new. A piece ends between words, where no mark is
open; where there is no such place for a long time, it ends anyway.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from ctui.text import sanitise
from ctui.tui.text.styled import Styled, Writer

if TYPE_CHECKING:
    from markdown_it.token import Token

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
_MARK = re.compile(r"[\\`*_~\[!<\n]")
_STYLES = {"strong": "strong", "em": "emphasis", "s": "strike", "a": "link"}
"""The tag of a token -> our style."""


class _Piece(NamedTuple):
    rows: tuple[Styled, ...]
    closed: bool
    """True if no mark in it waits for another one."""


def inline_rows(content: str) -> list[Styled]:
    """Return the text of a block: one row, and one more for each hard break."""
    if len(content) <= _PIECE_SIZES[0]:
        return list(_parsed(content).rows)
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


@lru_cache(maxsize=2048)
def _parsed(content: str) -> _Piece:
    from ctui.tui.text.markdown_parser import parse_inline

    if _MARK.search(content) is None:
        return _Piece((_plain(content),), closed=True)
    writer = Writer()
    try:
        tokens = parse_inline(content)
        _write(writer, tokens)
    except RecursionError:  # images may be nested in the text of images
        return _Piece((_plain(content),), closed=True)
    texts = (token.content for token in tokens if token.type == "text")
    return _Piece(tuple(writer.rows()), not any(map(_OPENING_MARK.search, texts)))


def _plain(content: str) -> Styled:
    writer = Writer()
    writer.write(content)
    return writer.rows()[0]


def _write(writer: Writer, tokens: Sequence[Token], style: str = "") -> None:
    """Write `tokens`; where styles are nested, the innermost one counts."""
    styles = [style]
    link = 0
    for number, token in enumerate(tokens):
        if token.nesting > 0:
            styles.append(_STYLES[token.tag])
            link = number if token.tag == "a" else link
        elif token.nesting < 0:
            styles.pop()
            if token.tag == "a":
                text = _text(tokens[link + 1 : number])
                _write_address(writer, tokens[link], text, "href")
        elif token.type == "hardbreak":
            writer.end_row()
        elif token.type == "image":
            _write(writer, token.children or (), "link")
            _write_address(writer, token, _text(token.children or ()), "src")
        else:
            shown = token.content or " " * (token.type == "softbreak")
            writer.write(shown, "code" if token.type == "code_inline" else styles[-1])


def _write_address(writer: Writer, token: Token, text: str, attribute: str) -> None:
    """Write where a link with `text` goes, unless the text says just that."""
    address = str(token.attrs.get(attribute, ""))
    # An autolink's address is its text, perhaps with `mailto:` in front.
    told = text == address or token.info == "auto"
    # The parser decodes entities in a title, so it is sanitised once more.
    title = " ".join(sanitise(str(token.attrs.get("title", ""))).split())
    more = " ".join(([] if told else [address]) + ([f'"{title}"'] if title else []))
    if more:
        writer.write(f" ({more})" if text else more, "link")


def _text(tokens: Iterable[Token]) -> str:
    return "".join(_text(token.children) if token.children else token.content for token in tokens)
