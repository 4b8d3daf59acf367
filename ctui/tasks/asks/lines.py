"""Lines of an ask as a screen can show them: sanitised, indented, and cut where they say so."""

from __future__ import annotations

from collections.abc import Iterable

from ctui.text import sanitise

INDENT = "    "

_MOST_LINES = 400
"""Of one ask; what is left out is said, and `ctui task show --json` has it."""

_LEAST_LINES = 20
_MOST_CHARACTERS = 40_000
_LONGEST_LINE = 6000
"""Characters; a screen lays out no more of them without being felt to wait."""

_LONGEST_TEXT = 1 << 20
"""Characters of one text that are looked at."""


def text_lines(text: str) -> list[str]:
    """Return a text's lines, sanitised; of one beyond a million characters both ends."""
    return sanitise(shortened(text, _LONGEST_TEXT)).split("\n") if text else []


def file_lines(text: str) -> list[str]:
    """Return the lines of a file: the end of its last one begins no other."""
    lines = text_lines(text)
    return lines if not lines or lines[-1] else lines[:-1]


def flat(text: str) -> str:
    """Return a sanitised text as one line that shows where it had others."""
    return sanitise(shortened(text, _LONGEST_TEXT)).replace("\n", "⏎")


def cut(lines: Iterable[str], task: str) -> list[str]:
    """Return what a person can be shown: both ends, and how much is left out between.

    Args:
        lines: sanitised.
        task: the id of the task that asks.
    """
    shown = [shortened(line) for line in lines]
    most = _MOST_LINES
    while most > _LEAST_LINES and sum(map(len, _ends(shown, most))) > _MOST_CHARACTERS:
        most //= 2
    if len(shown) <= most:
        return shown
    half = most // 2
    left_out = len(shown) - 2 * half
    note = f"… {left_out} lines are not shown: `ctui task show {task} --json` has them …"
    return [*shown[:half], note, *shown[-half:]]


def shortened(line: str, longest: int = _LONGEST_LINE) -> str:
    """Return both ends of a line that nobody could read: what matters may stand in either."""
    left_out = len(line) - longest
    if left_out <= 0:
        return line
    half = longest // 2
    return f"{line[:half]} … {left_out:,} characters are not shown … {line[-half:]}"


def _ends(lines: list[str], most: int) -> list[str]:
    return lines if len(lines) <= most else lines[: most // 2] + lines[-(most // 2) :]
