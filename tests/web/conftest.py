"""A real `ctui serve` in a process of its own, and whoever talks to it."""

from __future__ import annotations

import re
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import requests

from ctui.demo.world import World
from ctui.paths import Paths
from ctui.web.auth import Tokens
from tests.conftest import environment_in, make_repository
from tests.warm import warm_argv

WAIT_SECONDS = 40.0


class Served:
    """A running server, and requests to it."""

    def __init__(self, process: subprocess.Popen[str], url: str, paths: Paths) -> None:
        self.process = process
        self.url = url
        self.paths = paths
        self.port = int(url.rpartition(":")[2])

    @property
    def token(self) -> str:
        return Tokens(self.paths).current()

    def ask(
        self, method: str, path: str, *, headers: Mapping[str, str] | None = None, **given: Any
    ) -> requests.Response:
        """A request with the token, unless the headers say something else."""
        sent = {"Authorization": f"Bearer {self.token}", **(headers or {})}
        return requests.request(
            method, self.url + path, headers=sent, timeout=WAIT_SECONDS, **given
        )

    def get(self, path: str) -> Any:
        answer = self.ask("GET", f"/api/claude{path}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    def create(self, prompt: str, **more: Any) -> Any:
        answer = self.ask("POST", "/api/claude/tasks", json={"prompt": prompt, **more})
        assert answer.status_code == 201, answer.text
        return answer.json()

    def until(self, task: str, status: str) -> Any:
        """The task's detail when it has this status."""
        end = time.monotonic() + WAIT_SECONDS
        while time.monotonic() < end:
            found = self.get(f"/tasks/{task}")
            if found["status"] == status:
                return found
            time.sleep(0.1)
        raise AssertionError(f"{task} is {found['status']}: {found['problem']}")

    def asked(self, task: str) -> Any:
        """Its next ask."""
        end = time.monotonic() + WAIT_SECONDS
        while time.monotonic() < end:
            if found := self.get(f"/tasks/{task}/asks")["asks"]:
                return found[0]
            time.sleep(0.1)
        raise AssertionError(f"{task} asks nothing")

    def healthy(self) -> None:
        """It still answers, and quickly."""
        begun = time.monotonic()
        assert self.get("/tasks") is not None
        assert time.monotonic() - begun < 5


@contextmanager
def serving(repository: Path, environ: Mapping[str, str], *options: str) -> Iterator[Served]:
    """Start `ctui serve` on a free port; it ends within seconds, without a word."""
    process = subprocess.Popen(
        [*warm_argv("servers"), "serve", "--port", "0", *options],
        cwd=repository,
        env=dict(environ),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    try:
        line = process.stderr.readline()
        found = re.match(r"(https?://\S+:\d+) serves", line)
        assert found, line + process.stderr.read()
        served = Served(process, found.group(1), Paths.from_environment(environ))
        token = served.token
        yield served
        process.send_signal(signal.SIGTERM)
        said = "".join(process.communicate(timeout=10))
        assert process.returncode == 0, said
        assert "Traceback" not in said, said
        assert token not in said
        # Only a request that fails in a way that nobody thought of is logged.
        assert "/api/" not in said, said
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()


@pytest.fixture(scope="module")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server whose driver has no engine: enough for everything that starts no task.

    The tests of a module share it, so each leaves it as it found it.
    """
    folder = tmp_path_factory.mktemp("quiet")
    environ = {**environment_in(folder), "DOCKER_HOST": "unix:///nowhere/docker.sock"}
    with serving(make_repository(folder), environ) as served:
        yield served


@pytest_asyncio.fixture
async def served(world: World, repository: Path) -> AsyncIterator[Served]:
    """A server in a world with an engine and a scripted model."""
    with serving(repository, world.environ) as made:
        yield made
