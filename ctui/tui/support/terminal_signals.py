"""Words to the terminal around the screen: its title, and notifications of the desktop.

What is told is a task's text: it is sanitised where it becomes part of a sequence.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, TextIO

from textual.app import App

from ctui.text import one_line

_WIDTH = 200
_ST = "\x1b\\"
_SAVE_TITLE, _RESTORE_TITLE = "\x1b[22;2t", "\x1b[23;2t"

_OSC_9 = {"iTerm.app", "WezTerm", "ghostty", "kitty"}
_OSC_777 = ("foot", "rxvt")


def title(text: str) -> str:
    """Return the sequence that sets the title of the terminal, or of tmux's pane."""
    return f"\x1b]2;{one_line(text, _WIDTH)}{_ST}"


def notification(text: str, environ: Mapping[str, str]) -> str:
    """Return the sequences that show a notification of the desktop.

    There are two of them. Terminals that know both would show two, so these get one; others ignore
    what they do not know. tmux passes them on where `allow-passthrough` is set.

    Args:
        text: a line.
        environ: variables that say which terminal this is.
    """
    text = one_line(text, _WIDTH)
    plain, titled = f"\x1b]9;{text}{_ST}", f"\x1b]777;notify;ctui;{text}{_ST}"
    name, kind = environ.get("TERM_PROGRAM", ""), environ.get("TERM", "")
    if name in _OSC_9 or kind in {"xterm-kitty", "xterm-ghostty"}:
        sequences = [plain]
    elif kind.startswith(_OSC_777) or "VTE_VERSION" in environ:
        sequences = [titled]
    else:
        sequences = [plain, titled]
    if environ.get("TMUX"):
        sequences = [f"\x1bPtmux;{one.replace(chr(27), chr(27) * 2)}{_ST}" for one in sequences]
    return "".join(sequences)


@contextmanager
def kept_title() -> Iterator[None]:
    """Give the terminal its title back at the end, where it can keep one (XTWINOPS)."""
    terminal = sys.__stderr__ if sys.__stderr__ is not None and sys.__stderr__.isatty() else None
    try:
        _write(terminal, _SAVE_TITLE)
        yield
    finally:
        _write(terminal, _RESTORE_TITLE)


def _write(terminal: TextIO | None, sequence: str) -> None:
    with suppress(OSError):
        if terminal is not None:
            terminal.write(sequence)
            terminal.flush()


def send(app: App[Any], sequence: str) -> None:
    """Write a sequence behind what is painted, where there is a terminal."""
    driver = app._driver  # noqa: SLF001 - Textual offers no more than `bell`
    if driver is not None and not app.is_headless:
        driver.write(sequence)
