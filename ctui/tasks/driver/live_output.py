"""Output of the commands that a task runs, live, for those who follow the task. Never archived.

The CLI says nothing of what a command prints before that has ended, but after some seconds it says
which command of the task's sandbox still runs. The end of its output is read there, as a person's
shell could; secrets are taken out of it, and what is left is a few lines.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import suppress

import msgspec

from ctui.claude.protocol.control import command_output
from ctui.errors import CtuiError
from ctui.paths import resource
from ctui.redaction.redactor import Redactor, without
from ctui.sandbox.commands import Command, SandboxCommands
from ctui.tasks.journal.archive import Journal

log = logging.getLogger(__name__)

_RUN = 'for p in /ctui/tree/bin/python3 python3; do command -v "$p" >/dev/null && break; done; '
_ARGV = ("/bin/sh", "-c", f'{_RUN}exec "$p" -I -S -c "$0" "$@"')
_MOST = 4
"""Commands of one task that are looked at; others of it are shown when they have ended."""
_LONGEST_LINE = 1 << 20
_LONGEST_SECRET = 16 << 10
"""Bytes: of a longer one, the end alone could stand in what is read."""
_BEGINNING = 8
"""Bytes at the end that may begin a secret, from which on they are not shown yet."""
_LINES = 6
_WIDTH = 400


class _End(msgspec.Struct):
    cut: bool
    text: str


class LiveOutput:
    """The running commands of one task, as long as somebody follows it."""

    def __init__(
        self, journal: Journal, commands: SandboxCommands, sandbox: Callable[[], tuple[str, int]]
    ) -> None:
        """Begin with those that run.

        Args:
            journal: of the task: it knows the commands, and who follows.
            commands: the way into sandboxes.
            sandbox: returns the task's present one, and the number of its run.
        """
        self._journal = journal
        self._commands = commands
        self._sandbox = sandbox
        self._jobs: dict[str, asyncio.Task[None]] = {}
        journal.commands_changed = self._changed
        self._changed()

    def close(self) -> None:
        """Look at no command any more."""
        self._journal.commands_changed = None
        for job in self._jobs.values():
            job.cancel()
        self._jobs.clear()

    def _changed(self) -> None:
        running = self._journal.commands
        for name in [name for name in self._jobs if name not in running]:
            self._jobs.pop(name).cancel()
        for name, call in running.items():
            if name not in self._jobs and len(self._jobs) < _MOST:
                self._jobs[name] = asyncio.create_task(self._watch(name, call))

    async def _watch(self, name: str, call: str) -> None:
        try:
            sandbox, run = self._sandbox()
            program = (resource("docker") / "shell" / "output.py").read_text(encoding="utf-8")
            process = await self._commands.run(sandbox, Command((*_ARGV, program, name)))
        except CtuiError as error:
            log.info("no live output of %s: %s", name, error.message)
            return
        try:
            said = b""
            while parts := await process.read():
                said += b"".join(data for stream, data in parts if stream == "out")
                *lines, said = said.split(b"\n")
                if len(said) > _LONGEST_LINE:
                    return
                if lines and (shown := last_lines(lines[-1], self._journal.redaction)):
                    self._journal.show(run, time.time_ns(), command_output(call, shown))
        except (CtuiError, OSError) as error:
            log.info("no more live output of %s: %s", name, error)
        finally:
            with suppress(OSError):
                process.close()


def last_lines(line: bytes, redactor: Redactor) -> str:
    """Return the last lines of an output without any secret; "" where that cannot be said."""
    try:
        end = msgspec.json.decode(line, type=_End)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ""
    data = end.text.encode("utf-8", "replace")
    if end.cut:
        if redactor.longest > _LONGEST_SECRET:
            return ""
        data = data[data.find(b"\n") + 1 :]
    spans = redactor.spans(data)
    last = spans[-1].end if spans else 0
    rest = last + redactor.unfinished(data[last:])
    if len(data) - rest >= _BEGINNING:  # it may go on to be a secret
        data = data[:rest]
    text = without(data, spans).decode("utf-8", "replace")
    lines = [part.rpartition("\r")[2] for part in text.rstrip("\r\n").split("\n")]
    return "\n".join(part[-_WIDTH:] for part in lines[-_LINES:])
