"""The main job from start to end by the installed command; each step is verified before the next.

Only the model is scripted; everything else is what a person would use.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ctui.client.client import Client
from ctui.client.connection import driver_pid
from ctui.demo.command import run_ctui, start_ctui
from ctui.demo.environment import PROJECT
from ctui.demo.model.known import CONTRIBUTORS, ONE_MORE
from ctui.demo.repository import make_demo_repository
from ctui.demo.world import World, clean_up, leftovers
from ctui.errors import CtuiError
from ctui.tasks.model import Ask, AskState, Task, TaskState

_STEP_SECONDS = 90.0

Say = Callable[[str], None]


class StepFailed(CtuiError):
    """Step of the walk whose result was not seen."""


class Walk:
    """One walk through one world."""

    def __init__(self, world: World, say: Say) -> None:
        self._world = world
        self._say = say
        self._number = 0
        self._repository = Path()

    async def run(self) -> None:
        """Walk to the end. Raises StepFailed at the first step whose result is not seen."""
        self._repository = await asyncio.to_thread(
            make_demo_repository, self._world.folder / "repository", PROJECT
        )
        self._step("a repository was made", str(self._repository))
        async with Client(self._world.paths, self._world.environ) as client:
            task = await self._start()
            await self._answer_permission(client, task)
            await self._answer_question(client, task)
            await self._see_result(client, task)
            await self._follow_up_and_kill(client, task)
        async with Client(self._world.paths, self._world.environ) as client:
            await self._come_back(client, task)
            await self._take_over(client, task)
        await self._remove(task)
        await self._leave_nothing()

    async def _start(self) -> str:
        made = await self._ctui("env", "build", "--yes", "--json")
        self._step("the project was set up, with consent", f"{made['id']} in {made['seconds']} s")
        task = await self._ctui("run", "--detach", "--name", "contributors", "--json", CONTRIBUTORS)
        self._step("a worktree was made", task["worktree"])
        self._step("a task was started in a sealed container", task["id"])
        return str(task["id"])

    async def _answer_permission(self, client: Client, task: str) -> None:
        ask = await _pending(client, task, "Bash")
        self._step("it asks for permission", ask.title)
        await self._ctui("task", "answer", task, "allow", "--json")
        self._step("the permission was given once", f"ask {ask.id}")

    async def _answer_question(self, client: Client, task: str) -> None:
        ask = await _pending(client, task, "AskUserQuestion")
        self._step("it asks a question", ask.title)
        await self._ctui("task", "answer", task, "--text", "Warm", "--json")
        self._step("the question was answered", "Warm")

    async def _see_result(self, client: Client, task: str) -> None:
        done = await _until(client, task, lambda now: now.state is TaskState.IDLE)
        _expect(done.result == "The contributors are named.", f"the result is {done.result!r}")
        self._step("the result was seen", done.result)
        log = await self._ctui_text("task", "logs", task)
        _expect("I will add the file." in log, "the journal has no text of the model")
        self._step("its stream was followed", f"{len(log.splitlines())} lines")

    async def _follow_up_and_kill(self, client: Client, task: str) -> None:
        follower = await start_ctui(
            self._repository, self._world.environ, "task", "logs", "--follow", task
        )
        await self._ctui("task", "send", task, ONE_MORE, "--json")
        self._step("a follow-up was sent", ONE_MORE)
        ask = await _pending(client, task, "Bash")
        pid = await driver_pid(self._world.paths)
        _expect(pid is not None, "no driver runs")
        os.kill(pid or 0, signal.SIGKILL)
        follower.kill()
        await follower.wait()
        self._step("driver and front end were killed with -9", f"pid {pid}, ask {ask.id} pending")

    async def _come_back(self, client: Client, task: str) -> None:
        ask = await _pending(client, task, "Bash")
        self._step("a new driver took over, and the ask is still there", ask.title)
        await self._ctui("task", "answer", task, "allow", "--json")
        done = await _until(client, task, lambda now: now.state is TaskState.IDLE)
        _expect(done.result == "Done.", f"the result is {done.result!r}")
        self._step("the answer arrived, and the turn ended", done.result)

    async def _take_over(self, client: Client, task: str) -> None:
        done = await _until(client, task, lambda now: bool(now.work and now.work.refs))
        await self._ctui("task", "stop", task, "--json")
        log = await self._git("log", "--format=%s", "-n2", done.branch or "HEAD")
        _expect(
            log.splitlines() == ["Name one more", "Name the contributors"],
            f"the branch has {log.splitlines()}",
        )
        self._step("its commits were taken over", f"{done.branch}: {', '.join(log.splitlines())}")

    async def _remove(self, task: str) -> None:
        shown = await self._ctui("task", "show", task, "--json")
        _expect(shown["task"]["reason"] == "stopped", f"the task is {shown['task']['state']}")
        self._step("the task was stopped", shown["task"]["reason"])
        removed = await self._ctui("task", "remove", task, "--force", "--purge", "--json")
        worktree = Path(shown["task"]["worktree"])
        _expect(not worktree.exists(), f"{worktree} is still there")
        self._step("it was removed, its worktree is in the trash", removed["trash_id"])
        restored = await self._ctui("worktree", "restore", removed["trash_id"], "--json")
        _expect((worktree / "CONTRIBUTORS").is_file(), "the worktree was not restored")
        self._step("the worktree was restored", restored["restored"][0]["path"])

    async def _leave_nothing(self) -> None:
        await clean_up(self._world.engine, self._world.paths)
        left = await leftovers(self._world.engine, self._world.paths)
        _expect(not left, f"left behind: {left}")
        _expect(await driver_pid(self._world.paths) is None, "a driver still runs")
        self._step("nothing was left behind", "no container, volume, network, image or process")

    def _step(self, what: str, detail: str) -> None:
        self._number += 1
        self._say(f"{self._number:>2}. {what}: {detail}")

    async def _ctui(self, *arguments: str) -> Any:
        return json.loads(await self._ctui_text(*arguments))

    async def _ctui_text(self, *arguments: str) -> str:
        running = run_ctui(self._repository, self._world.environ, *arguments)
        done = await asyncio.wait_for(running, _STEP_SECONDS)
        if done.exit_code:
            said = (done.stdout + done.stderr).strip()
            raise StepFailed(f"ctui {arguments[0]} {arguments[1]} failed: {said}")
        return done.stdout

    async def _git(self, *arguments: str) -> str:
        from ctui.git.process.command import run_git

        output = await run_git(list(arguments), git_dir=self._repository / ".git")
        return output.stdout.decode()


async def _pending(client: Client, task: str, tool: str) -> Ask:
    """Wait for a pending ask of that tool."""
    async with asyncio.timeout(_STEP_SECONDS):
        async for update in client.watch(task):
            ask = update.ask
            if ask is not None and ask.state is AskState.PENDING and ask.tool == tool:
                return ask
            if update.task is not None and update.task.problem:
                raise StepFailed(f"the task has a problem: {update.task.problem}")
    raise StepFailed(f"no ask of {tool} came")


async def _until(client: Client, task: str, seen: Callable[[Task], bool]) -> Task:
    """Wait for a state of the task."""
    async with asyncio.timeout(_STEP_SECONDS):
        async for update in client.watch(task):
            if update.task is not None:
                if update.task.problem:
                    raise StepFailed(f"the task has a problem: {update.task.problem}")
                if seen(update.task):
                    return update.task
    raise StepFailed("the task never came so far")


def _expect(seen: bool, otherwise: str) -> None:
    if not seen:
        raise StepFailed(otherwise)
