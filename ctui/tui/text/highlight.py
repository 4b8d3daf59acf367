"""The colours of code: Pygments' tokens as spans with the names of our styles."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache, lru_cache
from itertools import accumulate
from typing import Any, NamedTuple

from ctui.tui.text.languages import LANGUAGES, LIKE
from ctui.tui.text.lines import Span

_LONGEST_NAME = 40
_LONGEST_PIECE = 1_000
"""Characters. The expressions of many lexers take the square of what they are given, or more."""

_MAY_BE_OPEN = {"string", "comment"}
_STYLES = {
    "Comment": "comment",
    "Comment.Preproc": "keyword",
    "Generic.Deleted": "removed",
    "Generic.Emph": "emphasis",
    "Generic.Heading": "heading",
    "Generic.Inserted": "added",
    "Generic.Strong": "strong",
    "Generic.Subheading": "hunk",
    "Keyword": "keyword",
    "Keyword.Type": "class",
    "Literal.Number": "number",
    "Literal.String": "string",
    "Name.Class": "class",
    "Name.Decorator": "function",
    "Name.Exception": "class",
    "Name.Function": "function",
    "Name.Tag": "keyword",
    "Operator.Word": "keyword",
}
"""Pygments' name of a kind of token -> our style. A kind without one has that of its parent."""


class Highlighted(NamedTuple):
    """The colours of some rows of code."""

    rows: tuple[tuple[Span, ...], ...]
    """One item for each row."""
    open: bool = False
    """True if the last row ends within a string or a comment, as far as one can tell."""


@lru_cache(maxsize=64)
def highlighted(code: str, language: str) -> Highlighted:
    """Return the spans of every row of `code`, rows being what line breaks separate.

    An unknown `language` has no spans. The caller bounds the code and its rows (see `budget`).
    """
    rows = code.split("\n")
    lexer = _lexer(language)
    found: list[tuple[Span, ...]] = []
    is_open = False
    while lexer is not None and len(found) < len(rows):
        piece = _piece(rows, len(found))
        spans, is_open = _highlighted_piece(piece, lexer)
        is_last = len(found) + len(piece) == len(rows)
        found += spans if is_last else spans[: _good_end(piece, spans)]
    return Highlighted(tuple(found) or ((),) * len(rows), is_open)


def _piece(rows: list[str], start: int) -> list[str]:
    """Return the rows from `start` on that a lexer gets at once, one at the least."""
    end, size = start + 1, len(rows[start])
    while end < len(rows) and size + len(rows[end]) < _LONGEST_PIECE:
        size += len(rows[end]) + 1
        end += 1
    return rows[start:end]


def _good_end(piece: list[str], spans: list[tuple[Span, ...]]) -> int:
    """Return how many rows of a piece stay: what follows must not begin within a string."""
    for end in range(len(piece) - 1, len(piece) // 2, -1):
        first = spans[end][0] if spans[end] else None
        within = first is not None and first.start == 0 and first.style in _MAY_BE_OPEN
        if piece[end] and not within:
            return end
    return len(piece)


def _highlighted_piece(rows: list[str], lexer: Any) -> tuple[list[tuple[Span, ...]], bool]:
    code = "\n".join(rows) + "\n"
    try:
        # Not get_tokens(), which strips the code: offsets would no longer be those of the rows.
        tokens = [
            (start, start + len(text), _style(kind))
            for start, kind, text in lexer.get_tokens_unprocessed(code)
        ]
    except Exception:  # noqa: BLE001 - a bug in a lexer may cost colours, nothing more
        tokens = []
    is_open = bool(tokens) and tokens[-1][2] in _MAY_BE_OPEN
    return list(_spans_by_row(rows, tokens)), is_open


@lru_cache(maxsize=1024)
def language_of(path: str) -> str:
    """Return the language of the file at `path`, judged by its name; "" if unknown."""
    from pygments.lexers import find_lexer_class_for_filename

    lexer = find_lexer_class_for_filename(path.rpartition("/")[2])
    return str(lexer.aliases[0]) if lexer is not None and lexer.aliases else ""


@lru_cache(maxsize=256)
def _lexer(language: str) -> Any:
    if not language or len(language) > _LONGEST_NAME:
        return None
    from pygments.lexers import get_lexer_by_name
    from pygments.util import ClassNotFound

    try:
        lexer = get_lexer_by_name(language)
    except ClassNotFound:
        return None
    name = lexer.aliases[0]
    return _lexer(LIKE[name]) if name in LIKE else lexer if name in LANGUAGES else None


@cache  # bounded: Pygments has a few hundred kinds
def _style(kind: tuple[str, ...]) -> str:
    for size in range(len(kind), 0, -1):
        style = _STYLES.get(".".join(kind[:size]))
        if style is not None:
            return style
    return ""


def _spans_by_row(
    rows: list[str], tokens: Iterable[tuple[int, int, str]]
) -> Iterable[tuple[Span, ...]]:
    """Cut `tokens`, of which each is a start, an end and a style, at the ends of the rows."""
    starts = [0, *accumulate(len(row) + 1 for row in rows)]
    spans: list[list[Span]] = [[] for _ in rows]
    row = done = 0
    for start, end, style in tokens:
        # A few lexers go back; what has been coloured stays.
        at = max(start, done)
        done = max(end, done)
        while at < end and row < len(rows):
            stop = min(end, starts[row + 1] - 1)
            if style and at < stop:
                _extend(spans[row], Span(at - starts[row], stop - starts[row], style))
            if end < starts[row + 1]:
                break
            row += 1
            at = starts[row]
    return map(tuple, spans)


def _extend(spans: list[Span], span: Span) -> None:
    """Add `span`, as a part of the last one if they are of one colour and touch."""
    if spans and spans[-1].end == span.start and spans[-1].style == span.style:
        span = Span(spans.pop().start, span.end, span.style)
    spans.append(span)
