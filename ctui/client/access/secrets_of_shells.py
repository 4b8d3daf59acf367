"""A task's secrets for a person's command in its sandbox: by stdin, before the command begins.

Neither an argument nor the engine's record of the command has them, and no terminal shows them.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping

from ctui.client.access.ssh_access import SESSION
from ctui.errors import Unavailable
from ctui.paths import Paths, resource
from ctui.sandbox.commands import SandboxProcess
from ctui.tasks.model import Task
from ctui.tasks.secrets.values import Values, read_values

_READY = b"\x06"
_SECONDS = 20.0
_SAID = 1 << 12


async def secrets_of(paths: Paths, task: Task, environ: Mapping[str, str]) -> Values:
    """Return the values that the task's next run would have: as many as can be had."""
    return await asyncio.to_thread(read_values, paths, task.options.secrets, environ)


def beginning(argv: tuple[str, ...]) -> tuple[str, ...]:
    """Return the command that waits for variables and then becomes `argv`."""
    program = (resource("docker") / "shell" / "begin.py").read_text(encoding="utf-8")
    return (*SESSION, program, *argv)


async def hand_over(process: SandboxProcess, variables: Mapping[str, str]) -> None:
    """Give a command that was begun so its variables.

    Raises:
        Unavailable: it does not ask for them; what it said instead is in the message.
    """
    said = b""
    try:
        async with asyncio.timeout(_SECONDS):
            while _READY not in said and len(said) < _SAID:
                if not (parts := await process.read()):
                    break
                said += b"".join(data for _, data in parts)
            if said.endswith(_READY):
                await process.write(json.dumps(dict(variables)).encode() + b"\n")
                return
    except (TimeoutError, OSError):
        pass
    process.close()
    why = said.decode("utf-8", "replace").strip().splitlines()
    raise Unavailable(
        "the secrets of the task could not be given to the shell" + (f": {why[-1]}" if why else ""),
        hint="--without-secrets has one without them",
    )
