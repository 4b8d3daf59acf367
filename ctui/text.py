"""Sanitising of text from a task, a repository or an engine before it is shown.

Everything that ctui did not write itself is hostile: an escape sequence can retitle the terminal,
write to its clipboard or hide a command, and a bidirectional override can show another command
than the one that runs (CVE-2021-42574). Text is made safe once, where it enters a model that a
person will look at; the journal keeps the original.
"""

from __future__ import annotations


def sanitise(text: str) -> str:
    """Return `text` without anything that a terminal or a reader could misread.

    Newlines and tabs stay. Complete escape sequences are dropped, so that coloured output stays
    readable; a stray control character becomes its picture (U+2400 block); a bidirectional control
    becomes U+FFFD, because hiding that it was there would help whoever put it there.
    """
    if text.isascii() and text.replace("\n", "").replace("\t", "").isprintable():
        return text
    from ctui.text_cleaning import clean  # its patterns take longer to compile than most commands

    return clean(text)


def one_line(text: str, width: int = 80) -> str:
    """Return the sanitised text as a single line of at most `width` characters."""
    line = " ".join(sanitise(text[: width * 8]).split())
    return line if len(line) <= width else line[: width - 1] + "…"
