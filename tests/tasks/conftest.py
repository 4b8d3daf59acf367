"""A person at the keyboard of a demo world: starts tasks, waits for what they do."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import urllib.request
import uuid
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import pytest
import pytest_asyncio

from ctui.client.client import Client
from ctui.client.connection import driver_pid
from ctui.config import ImageConfig, load_config
from ctui.demo.model.script import fenced
from ctui.demo.world import World, demo_world
from ctui.git.repository.repository import open_repository
from ctui.sandbox.docker.image import image_tag
from ctui.tasks import calls
from ctui.tasks.journal.archive import FILE_NAME, Entry, read_entries
from ctui.tasks.model import Answer, Ask, AskState, Task, TaskOptions, TaskState
from ctui.tasks.store import Store
from ctui.worktrees.create import create_worktree
from tests.demo.conftest import Start, start_model
from tests.tasks.private_engine import PrivateEngine, private_engine
from tests.warm import warm_argv

__all__ = ["start_model"]

WAIT_SECONDS = 40.0
ProxyLess = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Person:
    """Drives one world through the same client that every front end uses."""

    def __init__(self, world: World, repository: Path) -> None:
        self.world = world
        self.repository = repository
        self.client = Client(world.paths, world.environ)
        self._stores: list[Store] = []

    async def start(self, name: str, *steps: str, **options: Any) -> Task:
        """Start a task on a worktree of its own with a scripted prompt."""
        login = options.pop("login", {})
        found = open_repository(self.repository)
        record = await create_worktree(found, self.world.paths.worktrees, name=name)
        self.store.worktrees.save(record.path, record.repository, msgspec.json.encode(record))
        call = calls.StartTask(
            task=name,
            repository=record.repository,
            worktree=record.path,
            metadata=record.metadata,
            branch=record.branch,
            base=record.base,
            prompt="Please.\n" + fenced(*steps),
            options=TaskOptions(**{"network": "allow", **options}),
            login=self.login(login),
        )
        return await self.client.call(call)

    def login(self, environment: dict[str, str]) -> calls.Login:
        """As a shell with these variables would bring it; without any, the driver's own counts."""
        base_url = load_config(self.world.paths).claude.base_url
        return calls.Login(environment, base_url=base_url)

    async def say(self, task: str, *steps: str, before: str = "") -> str:
        """Send a follow-up; its message id."""
        message = str(uuid.uuid4())
        text = before + "Next.\n" + fenced(*steps)
        await self.client.call(calls.SendMessage(task, message, text))
        return message

    async def asked(self, task: str, *, seconds: float = WAIT_SECONDS) -> Ask:
        """The next ask that is pending."""
        async with asyncio.timeout(seconds):
            async for update in self.client.watch(task):
                if update.ask is not None and update.ask.state is AskState.PENDING:
                    return update.ask
        raise AssertionError("the watch ended")

    async def answer(self, ask: Ask, answer: Answer) -> Ask:
        return await self.client.call(calls.AnswerAsk(ask.id, answer))

    async def until(
        self, task: str, seen: Callable[[Task], bool], seconds: float = WAIT_SECONDS
    ) -> Task:
        """Return the task as soon as it is so; else say how it is, and what the driver said."""
        try:
            async with asyncio.timeout(seconds):
                async for update in self.client.watch(task):
                    if update.task is not None and seen(update.task):
                        return update.task
        except TimeoutError:
            log = self.world.paths.driver_log.read_text()[-3000:]
            raise AssertionError(f"{self.store.tasks.get(task)}\n{log}") from None
        raise AssertionError("the watch ended")

    async def idle(self, task: str, *, turns: int = 1, seconds: float = WAIT_SECONDS) -> Task:
        """The task when its turn is over."""
        return await self.until(
            task,
            lambda now: now.state is TaskState.IDLE and now.turns >= turns,
            seconds=seconds,
        )

    async def kill_driver(self) -> None:
        pid = await driver_pid(self.world.paths)
        assert pid is not None
        os.kill(pid, signal.SIGKILL)

    async def api_calls(self) -> list[dict[str, Any]]:
        """What the scripted model was asked, by whichever way that went."""

        def ask() -> list[dict[str, Any]]:
            base_url = load_config(self.world.paths).claude.base_url
            with ProxyLess.open(f"{base_url}/calls", timeout=WAIT_SECONDS) as answer:
                found: list[dict[str, Any]] = json.loads(answer.read())
                return found

        return await asyncio.to_thread(ask)

    async def ctui(self, *arguments: str, seconds: float = WAIT_SECONDS) -> tuple[int, str]:
        """Run the command; its exit code and everything it said."""
        process = await asyncio.create_subprocess_exec(
            *warm_argv(),
            *arguments,
            cwd=self.repository,
            env=self.world.environ,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        output, _ = await asyncio.wait_for(process.communicate(), seconds)
        return process.returncode or 0, output.decode()

    @property
    def store(self) -> Store:
        """The store as it is now, on a connection of its own; see `let_go_of_stores`."""
        self._stores.append(Store(self.world.paths.database))
        return self._stores[-1]

    def let_go_of_stores(self) -> None:
        """Close every connection to the store.

        One that nobody closes ends when the interpreter collects it, and writes its log into
        whatever the file is then.
        """
        for store in self._stores:
            store.close()
        self._stores.clear()

    def journal(self, task: str) -> list[Entry]:
        return list(read_entries(self.world.paths.task(task) / FILE_NAME))

    def events(self, task: str) -> list[dict[str, Any]]:
        """The CLI's lines."""
        return [json.loads(entry.line) for entry in self.journal(task) if entry.stream == "out"]

    def tool_output(self, task: str) -> str:
        """Everything that the task's tools printed."""
        return "\n".join(
            json.dumps(event["message"]["content"])
            for event in self.events(task)
            if event["type"] == "user" and isinstance(event["message"]["content"], list)
        )


@pytest_asyncio.fixture
async def person(world: World, repository: Path) -> AsyncIterator[Person]:
    (world.paths.state).mkdir(mode=0o700, parents=True, exist_ok=True)
    made = Person(world, repository)
    async with made.client:
        yield made
    made.let_go_of_stores()


@pytest_asyncio.fixture
async def engine(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[PrivateEngine]:
    """Run an engine that may be killed, with the image of tasks."""
    with (
        TemporaryDirectory(prefix="ctui-engine-") as folder,
        private_engine(Path(folder) / "engine") as made,
    ):
        await asyncio.to_thread(made.load, image_tag(ImageConfig()))
        monkeypatch.setenv("DOCKER_HOST", made.host)
        yield made


@pytest_asyncio.fixture
async def person_apart(
    engine: PrivateEngine, repository: Path, start_model: Start
) -> AsyncIterator[Person]:
    """Make a person whose world is on that engine, whose networks this machine does not reach."""
    del engine
    async with demo_world(f"127.0.0.1:{start_model().port}") as world:
        world.paths.state.mkdir(mode=0o700, parents=True, exist_ok=True)
        made = Person(world, repository)
        async with made.client:
            yield made
        made.let_go_of_stores()
