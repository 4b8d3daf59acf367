"""Plain ASCII for terminals and fonts that have nothing else, over everything that is shown."""

from __future__ import annotations

from functools import lru_cache

from rich.cells import cell_len
from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

_LOOKS_LIKE = {
    "-": "─━┈╌┄—–‐‑‒―▔¯",
    "=": "═≡",
    "|": "│┃║▏▎▍▌▐▕▊▉",
    "+": "┌┐└┘├┤┬┴┼╭╮╯╰┏┓┗┛┣┫┳┻╋╞╡╪▛▜▙▟",
    "#": "█▇▆▅▓■",
    "_": "▁▂▃▄",
    "^": "▀↑▲△",
    "v": "↓▼▽▾",
    ">": "▶▸›→»❯",
    "<": "◀◂‹←«❮",
    "*": "●•✻★✱",
    "o": "○◌◦",
    ".": "·…",
    "x": "✗✘✕×",
    "y": "✓✔",
    "'": "‘’",
    '"': "“”",
    "~": "↻≈",
    "@": "✉",
    " ": "\u00a0\u2003\u2002\u2009",
}
_TABLE = {known: plain for plain, all_known in _LOOKS_LIKE.items() for known in all_known}
_TABLE |= dict.fromkeys("📖📝✏💻🔍🔎🌐📋📓🔧💭❓", "*")


class PlainAscii(LineFilter):
    """Filter that makes every character one of ASCII, or as many as it has cells."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:  # noqa: ARG002 - Textual's signature
        return [
            segment
            if segment.control or segment.text.isascii()
            else Segment(plain(segment.text), segment.style)
            for segment in segments
        ]


@lru_cache(4096)
def plain(text: str) -> str:
    """Return the text in ASCII, as wide as before; `?` stands for what has no likeness."""
    return "".join(map(_plain, text)).ljust(cell_len(text))[: cell_len(text)]


def _plain(character: str) -> str:
    if character.isascii():
        return character
    return _TABLE.get(character, "?").ljust(cell_len(character))[: cell_len(character)]
