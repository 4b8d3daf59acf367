"""What the driver says first in every run."""

from __future__ import annotations

from ctui.claude import control
from ctui.tasks.model import Run

FIRST_LINE = "first line"
"""What the relay's first line is remembered by until the relay has said that it started."""


def initialize_id(run: Run) -> str:
    """Return the request id of a run's `initialize`, the same for every driver."""
    return f"initialize-{run.task}-{run.number}"


def initialize(run: Run) -> bytes:
    """Return the line that opens the dialogue with the CLI."""
    return control.initialize(initialize_id(run))
