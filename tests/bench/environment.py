"""How soon a task begins in a built environment, beside one in ctui's plain image."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from ctui.demo.environment import PROJECT
from ctui.demo.model.script import fenced
from ctui.demo.repository import make_demo_repository
from ctui.demo.world import demo_world
from tests.bench.figures import ratio
from tests.bench.first_event import until_init

_CTUI = str(Path(sys.executable).with_name("ctui"))
_ROUNDS = 6


async def environment() -> None:
    """From the start of `ctui run` on a new worktree to the CLI's init event, a driver running."""
    async with demo_world() as world:
        built = make_demo_repository(world.folder / "built", PROJECT)
        plain = make_demo_repository(world.folder / "plain")
        build = [_CTUI, "env", "build", "--yes"]
        subprocess.run(build, cwd=built, env=dict(world.environ), check=True, capture_output=True)
        ours, theirs = list[float](), list[float]()
        for number in range(_ROUNDS):
            for repository, times in ((built, ours), (plain, theirs)):
                name = f"{repository.parent.name}-{number}"
                command = [_CTUI, "run", "--name", name, "--json", "Hi.\n" + fenced("say Hi.")]
                times.append(await until_init(command, b"", world, repository))
        # The first pair also starts the driver.
        ratio("run in an environment / plain image", "<= 1.1", ours[1:], theirs[1:])
