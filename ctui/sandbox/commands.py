"""The port to commands of a person in a sandbox that runs, beside the CLI.

It is apart from `SandboxRunner`, because the driver starts none: whoever has the terminal talks to
the place where the sandbox is, and neither of them notices when the driver dies.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple, Protocol

from ctui.sandbox.runner import Stream

_NO_VARIABLES: Mapping[str, str] = MappingProxyType({})


class Size(NamedTuple):
    """Size of a terminal in cells."""

    rows: int
    columns: int


class Command(NamedTuple):
    """A command, which runs as the sandbox's user, in its folder and with its environment."""

    argv: tuple[str, ...]
    env: Mapping[str, str] = _NO_VARIABLES
    """Variables beside those that the sandbox has; in no argument, and in nothing that lists it."""
    terminal: Size | None = None
    """None for pipes: stdout and stderr apart, and a stdin that can end."""


class Usage(NamedTuple):
    """Resources of its machine that a sandbox takes."""

    cpu: int
    """Nanoseconds of all processors, since it began."""
    memory: int
    """Bytes, without what the kernel can give back at once."""
    memory_limit: int
    processes: int
    layer: int | None
    """Bytes that it wrote over its image; None where that is not known."""


class SandboxProcess(Protocol):
    """A command that runs."""

    async def read(self) -> list[tuple[Stream, bytes]]:
        """Return what it has said since, or nothing once its output is at its end."""

    async def write(self, data: bytes) -> None:
        """Give it input; returns when that has left this process.

        Raises:
            OSError: the way to it broke.
        """

    async def end_input(self) -> None:
        """Let its stdin end."""

    async def resize(self, size: Size) -> None:
        """Give its terminal another size."""

    async def exit_code(self) -> int | None:
        """Return its exit code, 128 + n for a signal; None where nobody knows it any more."""

    def close(self) -> None:
        """Let go of it; it may run on."""


class SandboxCommands(Protocol):
    """The place where sandboxes live, as whoever has a terminal sees it."""

    async def run(self, sandbox: str, command: Command) -> SandboxProcess:
        """Start a command.

        Raises:
            NotFound: there is no such sandbox.
            Conflict: it does not run, or is paused.
            Unavailable: the place does not answer.
        """

    async def usage(self, sandbox: str) -> Usage | None:
        """Return what it takes now; None where it does not run any more."""

    async def is_running(self, sandbox: str) -> bool:
        """Return True while the sandbox is there, and takes commands."""
