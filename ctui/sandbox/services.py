"""Services beside a sandbox as data: a database, a queue, whatever a project's tests talk to."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

WAIT_SECONDS = 60
"""So long a service may take until it is healthy, unless its definition says otherwise."""


class WorktreeMount(msgspec.Struct, frozen=True):
    """A file or folder of the worktree that a service can read."""

    path: str
    """Below the worktree; "" is all of it."""
    target: str


class Service(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One service, which a task reaches by its name."""

    name: str
    image: str
    env: Mapping[str, str] = {}
    command: tuple[str, ...] = ()
    """Empty for the image's own."""
    entrypoint: tuple[str, ...] = ()
    """Empty for the image's own."""
    user: str = ""
    """Name or number in the image; "" is the image's own."""
    directory: str = ""
    health: tuple[str, ...] = ()
    """Command in it that succeeds once it is healthy; empty for the image's own, or a port."""
    port: int = 0
    """Port that it listens on; 0 for those that its image exposes."""
    checked: bool = True
    """False where it only has to run."""
    wait: int = WAIT_SECONDS
    """Seconds until it must be healthy."""
    keeps_data: bool = False
    """True if what it writes into its image's volumes is kept as long as the task."""
    kept: tuple[str, ...] = ()
    """More folders in it that are kept as long as the task."""
    files: tuple[WorktreeMount, ...] = ()
    after: tuple[str, ...] = ()
    """Services that are healthy before it is started."""
