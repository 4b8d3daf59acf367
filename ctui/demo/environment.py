"""The demo's environment: what its tasks are built and tested in, and how it comes to be."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from ctui.demo.command import run_ctui
from ctui.demo.project import HISTORY, LIN, Commit, Replace
from ctui.demo.world import World
from ctui.errors import ExternalFailure

_CONSENT = "This demo consents to it for you, as you would: ctui env build --yes"
_KEYS = "\nKEY "
"""Begin of the table behind the text that a person consents to."""

_SETTINGS = """\
# What a task is built and tested in. It needs no registry: the compiler is in the image.
[environment]
setup = [
    "python3 -m venv --without-pip .venv",
    "make -C bell install",
]
inputs = ["bell/bell.c"]
carry = [".venv"]
"""

_BELL = """\
/* Rings a bell, once for each argument. */

#include <stdio.h>

int main(int count, char **teas) {
    for (int tea = 1; tea < count; tea++)
        printf("ding: %s\\n", teas[tea]);
    return 0;
}
"""

_MAKEFILE = """\
# The bell goes where the project's Python is.
install: ../.venv/bin/bell

../.venv/bin/bell: bell.c
\t$(CC) -O2 -Wall -o $@ bell.c
"""

PROJECT = (
    *HISTORY,
    Commit(
        LIN,
        "Compile a bell, and say what a task needs for it",
        {
            ".ctui.toml": _SETTINGS,
            "bell/bell.c": _BELL,
            "bell/Makefile": _MAKEFILE,
            ".gitignore": Replace("*.pyc\n", "*.pyc\n.venv/\n"),
        },
    ),
)
"""Commits of `main` where the project has a set-up."""


async def build_environment(world: World, repository: Path) -> None:
    """Show what the project brings, consent to it in the demo's name, and build it in the open.

    Raises:
        ExternalFailure: it cannot be built.
    """
    shown = await run_ctui(repository, world.environ, "env", "show")
    sys.stdout.write(f"{shown.stdout.partition(_KEYS)[0]}\n{_CONSENT}\n")
    sys.stdout.flush()
    building = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "ctui", "env", "build", "--yes"),
        cwd=repository,
        env=dict(world.environ),
        stdin=asyncio.subprocess.DEVNULL,
    )
    try:
        failed = await building.wait()
    except asyncio.CancelledError:
        building.kill()
        await building.wait()
        raise
    if failed:
        raise ExternalFailure("the demo's environment cannot be built")
