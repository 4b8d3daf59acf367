"""Width of a character in cells: all that the screen's model asks of the package of this name."""

from __future__ import annotations

import unicodedata


def wcwidth(char: str) -> int:
    """Return 0, 1 or 2 cells; -1 for what is no character of a text."""
    kind = unicodedata.category(char)
    if kind in {"Mn", "Me", "Cf"}:
        return 0
    if kind in {"Cc", "Cs"}:
        return -1
    return 2 if unicodedata.east_asian_width(char) in {"W", "F"} else 1
