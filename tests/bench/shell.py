"""How soon a shell in a task has its prompt, beside the engine's own `docker exec`."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from ctui.client.client import Client
from ctui.demo.model.script import fenced
from ctui.demo.world import demo_world
from ctui.tasks.model import TaskState
from ctui.tasks.store import Store
from tests.bench.figures import ratio
from tests.bench.terminal import Pty
from tests.conftest import make_repository

_CTUI = str(Path(sys.executable).with_name("ctui"))
_ROUNDS = 12
_PROMPT = "/workspace$ "
_TASK = "shell-bench"


async def shell() -> None:
    """Compare the two, in turn, on one idle task."""
    docker = shutil.which("docker")
    if docker is None:
        print("shell: there is no docker command to compare with")
        return
    async with demo_world() as world:
        repository = make_repository(world.folder)
        prompt = "Hi.\n" + fenced("say Hi.")
        start = [_CTUI, "run", "--detach", "--task-id", _TASK, "--name", _TASK, prompt]
        subprocess.run(start, env=world.environ, cwd=repository, check=True, capture_output=True)
        async with Client(world.paths, world.environ) as client:
            async for update in client.watch(_TASK):
                if update.task is not None and update.task.state is TaskState.IDLE:
                    break
        run = Store(world.paths.database).runs.last(_TASK)
        assert run is not None
        bare = [docker, "exec", "-it", run.container, "bash"]
        ours, theirs = [], []
        for _ in range(_ROUNDS):
            ours.append(_until_prompt([_CTUI, "task", "shell", _TASK], world.environ))
            theirs.append(_until_prompt(bare, world.environ))
        # The first pair warms the caches of both.
        ratio("task shell / docker exec, to prompt", "<= 1.2", ours[1:], theirs[1:])


def _until_prompt(command: list[str], environ: Mapping[str, str]) -> float:
    terminal = Pty(command, environ)
    try:
        return terminal.until(_PROMPT) - terminal.started
    finally:
        terminal.close()
