"""An ask in full, as plain lines: nobody should allow what they have not seen."""

from __future__ import annotations

from ctui.tasks.asks.lines import cut
from ctui.tasks.asks.registry import kind_of
from ctui.tasks.model import Ask


def ask_lines(ask: Ask) -> list[str]:
    """Return everything that an ask shows, sanitised; the first line says what it is about."""
    return cut(kind_of(ask).lines(ask), ask.task)
