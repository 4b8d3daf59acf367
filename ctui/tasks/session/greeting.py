"""What the driver says first in every run."""

from __future__ import annotations

from ctui.claude import control
from ctui.tasks.model import Run


def initialize_id(run: Run) -> str:
    """Return the request id of a run's `initialize`, the same for every driver."""
    return f"initialize-{run.task}-{run.number}"


def initialize(run: Run) -> bytes:
    """Return the line that opens the dialogue with the CLI."""
    return control.initialize(initialize_id(run))
