"""Lines of a transcript, before they have a width or a colour.

A `Line` is a line of the source: a paragraph, a row of code, a title. Styles are names, so that a
line survives a change of the theme, and nothing here needs Textual. Every text must be sanitised.
"""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple


class Wrap(Enum):
    """Continuation of a line that is wider than the screen."""

    WORDS = "words"
    """Prose: between words."""
    CELLS = "cells"
    """Code: wherever the edge is, so that no blank is lost."""


class Span(NamedTuple):
    """A part of a line's text with a style of its own, on top of the line's."""

    start: int
    end: int
    style: str


class Line(NamedTuple):
    """One logical line."""

    text: str
    spans: tuple[Span, ...] = ()
    """In order, without overlaps."""
    style: str = ""
    """Of the whole line; "" is the transcript's own."""
    first: str = ""
    """In front of the text in its first row, such as `• `."""
    rest: str = ""
    """In front of every further row; as wide as `first`."""
    wrap: Wrap = Wrap.WORDS


BLANK = Line("")

_LONGEST_TEXT = 200_000
"""Characters of one text that become lines; each of them could be a row."""


def shortened(text: str) -> str:
    """Return the text, or both ends of a very long one with a row between them that says so."""
    left_out = len(text) - _LONGEST_TEXT
    if left_out <= 0:
        return text
    half = _LONGEST_TEXT // 2
    mark = f"… {left_out:,} more characters: too many to be shown here …"
    return f"{text[:half]}\n{mark}\n{text[-half:]}"


STYLES = (
    # prose
    "heading",
    "strong",
    "emphasis",
    "strike",
    "code",
    "link",
    "quote",
    "dim",
    # code
    "keyword",
    "function",
    "class",
    "string",
    "number",
    "comment",
    "block",
    # diffs
    "added",
    "removed",
    "hunk",
    # blocks
    "prompt",
    "thought",
    "tool",
    "subject",
    "output",
    "error",
    "ok",
    "ask",
    "notice",
    "urgent",
    "rule",
)
"""Every name that a span or a line may use."""
