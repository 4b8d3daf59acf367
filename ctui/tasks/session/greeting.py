"""The driver's first words in every run."""

from __future__ import annotations

from ctui.claude.protocol import control
from ctui.tasks.model import Run

RELAY_GREETED = "relay"
"""Key of the relay's first line, until the relay says that it has begun."""


def initialize_id(run: Run) -> str:
    """Return the request id of a run's `initialize`, the same for every driver."""
    return f"initialize-{run.task}-{run.number}"


def initialize(run: Run) -> bytes:
    """Return the line that opens the dialogue with the CLI."""
    return control.initialize(initialize_id(run))
