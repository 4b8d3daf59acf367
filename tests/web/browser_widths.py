"""Writes `widths.js`: how wide characters are, as the library that draws the dashboard counts.

`python -m tests.web.browser_widths` does it again when that library knows a newer Unicode.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from rich._unicode_data import load

import ctui.web.browser

FILE = Path(ctui.web.browser.__file__).parent / "static" / "widths.js"


def rendered() -> str:
    """The file's text."""
    table = load("latest")
    parts = {
        "WIDE": _ranges((first, last) for first, last, width in table.widths if width == 2),
        "ZERO": _ranges((first, last) for first, last, width in table.widths if width == 0),
        "EMOJI_WIDE": _ranges((ord(one), ord(one)) for one in sorted(table.narrow_to_wide)),
    }
    head = f"// Unicode {table.unicode_version}: code points of two cells, of none, and of two when"
    lines = [head, "// the emoji style (U+FE0F) follows. Written by tests/web/browser_widths.py."]
    for name, ranges in parts.items():
        pieces = [ranges[at : at + 90] for at in range(0, len(ranges), 90)]
        lines += ["", f"export const {name} ="]
        lines += [f'  "{piece}"{" +" if piece is not pieces[-1] else ";"}' for piece in pieces]
    return "\n".join(lines) + "\n"


def _ranges(given: Iterable[tuple[int, int]]) -> str:
    joined: list[list[int]] = []
    for first, last in given:
        if joined and joined[-1][1] + 1 == first:
            joined[-1][1] = last
        else:
            joined.append([first, last])
    return ",".join(f"{a:x}" if a == b else f"{a:x}-{b:x}" for a, b in joined)


if __name__ == "__main__":
    FILE.write_text(rendered(), encoding="utf-8")
