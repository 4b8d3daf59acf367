"""The port to the place where sandboxes live: an engine today, a cluster later.

Nothing above this floor knows a container, an engine's address or an error of its client. A sandbox
is named by the text that `create` returned.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol

from ctui.errors import CtuiError
from ctui.sandbox.spec import HOLDER

if TYPE_CHECKING:
    from ctui.config import ImageConfig
    from ctui.sandbox.spec import SandboxSpec

Stream = Literal["out", "err"]


class LogLine(NamedTuple):
    """One line of a sandbox's stdout or stderr."""

    time: int
    """Nanoseconds since the epoch, when the runner read its last piece."""
    stream: Stream
    data: bytes
    """Without the newline."""
    complete: bool = True
    """False for what stands after the last newline, or beyond the runner's limit."""


class Seen(NamedTuple):
    """Number of lines taken of each stream: the offset at which a journal goes on."""

    out: int = 0
    err: int = 0

    def plus(self, line: LogLine) -> Seen:
        """Return the offset behind that line."""
        if line.stream == "out":
            return Seen(self.out + 1, self.err)
        return Seen(self.out, self.err + 1)


class LogDamaged(CtuiError):
    """A log of a sandbox that cannot be read to its end: the disk was full, or power failed."""


NOTHING = Seen()
"""The offset of a journal's start."""


class SandboxState(NamedTuple):
    """State of a sandbox, as the runner gives it."""

    id: str
    running: bool
    """True also while it is paused."""
    exit_code: int
    paused: bool = False
    out_of_memory: bool = False
    started: bool = True
    """False if it was made, but the CLI in it never began."""
    finished: int = 0
    """End in nanoseconds since the epoch; 0 if that is not known."""


class FoundSandbox(NamedTuple):
    """A sandbox found by its labels."""

    id: str
    task: str
    run: int
    running: bool
    service: str = ""
    """Name of the service that it is, or `HOLDER`; "" for a sandbox itself."""

    @property
    def ends_by_itself(self) -> bool:
        """Return True where it is asked to end before it is removed: a holder only waits."""
        return self.running and self.service != HOLDER


class SandboxInput(Protocol):
    """The way into a sandbox. Closing it leaves the sandbox's stdin open."""

    async def send(self, *lines: bytes) -> None:
        """Write whole lines, in order.

        Raises:
            OSError, CtuiError: the connection broke; how much of them arrived is unknown.
        """

    @property
    def broken(self) -> bool:
        """Return True if the connection is known to have broken since the last line was sent."""

    def close(self) -> None: ...


class SandboxRunner(Protocol):
    """A place where sandboxes live. Each method raises Unavailable where it does not answer."""

    async def ensure_image(self, config: ImageConfig, environment: str = "") -> str:
        """Return the image for these settings, or that of an environment.

        Raises:
            Unavailable: it has to be built first.
        """

    async def ensure_services(self, spec: SandboxSpec) -> None:
        """Start what a sandbox needs beside it, and wait until that is ready.

        Called only while the task has no sandbox that runs. Where it fails or is cancelled, some
        may be left: `list_ours` has them until they are removed.

        Raises:
            CtuiError: which service it is, and why.
        """

    async def create(self, spec: SandboxSpec) -> str:
        """Make a sandbox with its network and its volumes, and return what names it.

        Raises:
            Conflict: one of that name exists.
        """

    async def start(self, sandbox: str) -> None: ...

    async def attach(self, sandbox: str, *, torn: bool) -> SandboxInput:
        """Open the way in. `torn` says that another writer may have left half a line behind."""

    def journal(self, sandbox: str, after: Seen, *, follow: bool) -> AsyncIterator[list[LogLine]]:
        """Yield the whole lines behind an offset, in batches as they come.

        With `follow` it ends when the sandbox stops, else at the present end.

        Raises:
            NotFound: there is no such sandbox.
            LogDamaged: behind the lines that came nothing can be read any more.
            Unavailable: the runner does not answer, or broke off.
        """

    async def state(self, sandbox: str) -> SandboxState | None:
        """Return what it is, or None if there is no such sandbox."""

    async def stop(self, sandbox: str, *, grace: float) -> None:
        """Ask the CLI to end, then insist; return when it does not run. A paused one goes on."""

    async def pause(self, sandbox: str) -> None:
        """Freeze every process in it; one that is frozen or does not run is left as it is."""

    async def unpause(self, sandbox: str) -> None: ...

    async def remove(self, sandbox: str) -> None:
        """Remove it, running or not; one that is gone already is fine."""

    async def list_ours(self, task: str = "") -> list[FoundSandbox]:
        """Return all sandboxes of this instance, or those of one task, running or not.

        What stands beside them is among them, and has a name as a `service`.
        """

    async def free_space(self) -> tuple[int, str] | None:
        """Return what is left of the disk that sandboxes write to, and a folder on it.

        None where that is not known, or of another machine; it raises nothing.
        """

    async def discard_volumes(self, task: str) -> None:
        """Delete the volumes that only this task used."""

    async def close(self) -> None: ...
