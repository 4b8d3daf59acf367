"""Shells of a person in a task's sandbox, as its driver knows them."""

from __future__ import annotations

from typing import NamedTuple

from ctui.sandbox.spec import SandboxSpec

IDLE_SECONDS = 3600.0
"""So long a shell without input delays sleep."""
BEAT_SECONDS = 60.0
"""So often whoever has a shell says that it is open."""
SILENT_SECONDS = 2.5 * BEAT_SECONDS
"""Then it is taken for dead."""


LINGER_SECONDS = 30.0
"""So long a sandbox is kept behind its last shell: most often another command follows."""


class Shell(NamedTuple):
    """A shell that is open."""

    id: str
    until: float
    """Time, on the loop's clock, until which it keeps the sandbox awake."""


class Opened(NamedTuple):
    """A sandbox without the CLI: its relay waits for the first line."""

    sandbox: str
    spec: SandboxSpec | None
    """None where an earlier driver made it."""
