"""A person with a fresh clone of a project, whose set-ups reach the registries."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest_asyncio

from ctui.demo.model.script import fenced
from ctui.demo.world import World
from ctui.gateway.egress.addresses import is_public
from tests import warm
from tests.conftest import git
from tests.tasks.conftest import Person, person

__all__ = ["person"]

REGISTRIES = (
    *("pypi.org", "files.pythonhosted.org", "registry.npmjs.org"),
    *("proxy.golang.org", "sum.golang.org", "index.crates.io", "static.crates.io"),
    "deb.debian.org:80",
)


def private_registries() -> list[str]:
    """Return the registries that this machine reaches by an address that is not public.

    A person in such a network names them, and so does the test.
    """
    found = []
    for registry in REGISTRIES:
        host, _, port = registry.partition(":")
        try:
            addresses = socket.getaddrinfo(host, port or 443, type=socket.SOCK_STREAM)
        except OSError:
            continue  # the test that needs it will say so
        if not all(is_public(str(one[4][0])) for one in addresses):
            found.append(f"{host}:{port or 443}")
    return found


class Project:
    """A clone of a project, and the commands of a person in it."""

    def __init__(self, person: Person, folder: Path) -> None:
        self.person = person
        self.world: World = person.world
        self.folder = folder
        config = self.world.paths.config_file
        text = config.read_text()
        if "private =" not in text:
            private = f"[network]\nprivate = {json.dumps(private_registries())}"
            config.write_text(text.replace("[network]", private))

    async def ctui(
        self, *arguments: str, seconds: float = 300, **environ: str
    ) -> tuple[int, str, str]:
        """Run the real command; its exit code and what it said."""
        return await asyncio.to_thread(self._run, arguments, environ, seconds)

    def _run(
        self, arguments: tuple[str, ...], environ: Mapping[str, str], seconds: float
    ) -> tuple[int, str, str]:
        code, out, err = warm.run(
            self.folder, arguments, {**self.world.environ, **environ}, b"", seconds=seconds
        )
        return code, out.decode(), err.decode()

    async def built(self, *arguments: str) -> str:
        """Build the environment with consent, and return its id."""
        code, out, err = await self.ctui("env", "build", "--yes", *arguments)
        assert code == 0, out + err
        return out.splitlines()[-1]

    async def shown(self) -> dict[str, Any]:
        """What `env show --json` says."""
        code, out, err = await self.ctui("env", "show", "--json")
        assert code == 0, err
        found: dict[str, Any] = json.loads(out)
        return found

    async def task(self, name: str, *steps: str) -> tuple[int, str]:
        """Run a task to its end, unattended; the exit code and what its tools printed."""
        code, out, err = await self.ctui(
            *("run", "--unattended", "--skip-permissions", "--name", name),
            "Please.\n" + fenced(*steps, "say Done."),
        )
        printed = self.person.tool_output(name) if code == 0 else ""
        return code, printed or out + err


def clone_of(files: Mapping[str, str], folder: Path) -> Path:
    """Commit a project, and return a fresh clone of it."""
    origin = folder / "origin"
    for name, text in files.items():
        path = origin / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    git(origin, "init", "-q", "-b", "main")
    git(origin, "add", ".")
    git(origin, "commit", "-q", "-m", "Begin")
    git(folder, "clone", "-q", str(origin), "project")
    return folder / "project"


@pytest_asyncio.fixture
async def projects(
    person: Person,  # noqa: ARG001 - its world must outlive them
) -> AsyncIterator[list[Project]]:
    """Collects the projects of a test, whose environments are removed at its end."""
    made: list[Project] = []
    yield made
    for project in made:
        _, out, _ = await project.ctui("task", "list", "--json")
        for one in json.loads(out or "[]"):
            await project.ctui("task", "remove", "--force", "--purge", one["task"]["id"])
        # What is in the trash has left its node_modules to the environment.
        await project.ctui("worktree", "trash", "--purge", "--all")
        _, out, _ = await project.ctui("env", "list", "--json")
        if ids := [one["id"] for one in json.loads(out or "[]")]:
            code, out, err = await project.ctui("env", "remove", *ids)
            assert code == 0, out + err
