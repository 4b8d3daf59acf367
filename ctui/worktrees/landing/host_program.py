"""Programs of hosts (`gh`, `glab`), with the person's own login and without a question."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from ctui.errors import ExternalFailure, Refused
from ctui.git.process.process import communicate
from ctui.text import one_line, sanitise
from ctui.worktrees.landing.publish import without_credentials

_SECONDS = 60
_LOGIN_NEEDED = 4
"""Exit status of gh without a login (gh help exit-codes)."""

_UNATTENDED = {
    "GH_PROMPT_DISABLED": "1",
    "GH_NO_UPDATE_NOTIFIER": "1",
    "GH_PAGER": "cat",
    "GLAB_PAGER": "cat",
    "GLAB_CHECK_UPDATE": "false",
    "NO_PROMPT": "1",
    "NO_COLOR": "1",
    "GIT_TERMINAL_PROMPT": "0",
}
"""Variables with which they ask nothing, and print what is read."""


async def host_program(
    name: str, arguments: Sequence[str], body: str = "", *, cwd: Path | None = None
) -> str:
    """Run such a program and return its output.

    Where it is told which repository is meant it runs outside of every repository, so it starts no
    git in one.

    Args:
        name: `gh` or `glab`.
        arguments: of it.
        body: for its stdin.
        cwd: the person's own repository, where only the program can tell what its remotes mean.

    Raises:
        FileNotFoundError: it is not installed.
        Refused: nobody is logged in.
        ExternalFailure: it failed, or took too long.
    """
    program = shutil.which(name)
    if program is None:
        raise FileNotFoundError(name)
    environment = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    argv = [program, *arguments]
    try:
        async with asyncio.timeout(_SECONDS):
            stdout, stderr, exit_code = await communicate(
                argv,
                environment | _UNATTENDED,
                body.encode("utf-8", "replace"),
                nice=False,
                cwd=cwd,
            )
    except TimeoutError as error:
        raise ExternalFailure(f"{name} took longer than {_SECONDS} s", argv=argv) from error
    except OSError as error:
        raise ExternalFailure(f"{name} does not start: {error.strerror}", argv=argv) from error
    said = without_credentials(sanitise(stderr.decode("utf-8", "replace")))
    if exit_code == _LOGIN_NEEDED and name == "gh":
        raise Refused("gh is not logged in", hint="gh auth login")
    if exit_code or stdout is None:
        raise ExternalFailure(
            f"{name} failed: {one_line(said, 300) or f'exit status {exit_code}'}",
            hint=f"{name} auth status tells whether you are logged in",
            argv=argv,
            exit_code=exit_code,
            stderr=said,
        )
    return stdout.decode("utf-8", "replace")
