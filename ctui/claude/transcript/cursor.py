"""Place of a transcript's next block: its run, its time, its depth."""

from __future__ import annotations

from typing import Any

from ctui.claude.transcript.blocks import LongText, Notice
from ctui.claude.transcript.ledger import Ledger
from ctui.text import one_line, sanitise

_DEEPEST = 16
"""Subagents within subagents; deeper ones stay on this level, so that an indent stays readable."""


class Cursor:
    """State that all parts of the fold share."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.run = 0
        """0 before the first run."""
        self.time = 0
        self.run_over = True
        self._depths: dict[str, int] = {}

    def begin_run(self, run: int) -> None:
        self.run, self.run_over = run, False

    def begin_call(self, call_id: str, parent: str) -> None:
        """Begin a tool call: whatever its subagent does lies one level deeper."""
        self._depths[call_id] = min(self.depth(parent) + 1, _DEEPEST)

    def depth(self, parent: str) -> int:
        return self._depths.get(parent, 1) if parent else 0

    def origin(self, parent: str = "") -> dict[str, Any]:
        """Return the fields that every block has."""
        return {
            "run": self.run,
            "time": self.time,
            "parent": parent,
            "depth": self.depth(parent),
        }

    def notice(self, kind: str, text: str, parent: str = "", *, urgent: bool = False) -> None:
        """Settle a notice."""
        said = LongText(sanitise(text))
        self.ledger.settle(
            Notice(**self.origin(parent), kind=one_line(kind), text=said, urgent=urgent)
        )
