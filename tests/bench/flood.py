"""Another task's answers, and the end of the task itself, while that one floods with asks."""

from __future__ import annotations

import asyncio
import base64
import json
import subprocess
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from functools import partial
from pathlib import Path
from typing import Any

from ctui.config import ImageConfig
from ctui.demo.repository import make_demo_repository
from ctui.demo.world import World, demo_world
from ctui.paths import private_folder
from ctui.sandbox.docker.image import image_tag
from ctui.tasks.calls import StopTask, Update
from ctui.tasks.journal.archive import FILE_NAME
from ctui.tasks.model import Answer, Ask, AskState
from tests.bench.screen import quantile
from tests.tasks.conftest import Person

_LINES = 2000
_ANSWERS = 40
_APART = 0.15
"""Seconds between the beginning of a flood and the answer beside it."""

_TAIL = 1 << 16
_REST = 0.5
_PATIENCE = 60.0
Forged = Callable[[str], dict[str, Any]]
_FILE = ".flood"
_FORGER = f"""#!/usr/bin/python3 -I
import os, select, sys, time
# A task on a branch "flood-..." also says, in the CLI's place, what is put into its worktree.
if "flood-" in " ".join(sys.argv) and not os.fork():
    while time.sleep(0.01) is None:
        if not os.path.exists("{_FILE}"):
            continue
        with open("{_FILE}", "rb") as file:
            lines = file.readlines()
        os.remove("{_FILE}")
        while lines:
            select.select([], [1], [])
            try:
                os.write(1, lines[0])
                del lines[0]
            except BlockingIOError:  # the CLI has made it so
                pass
os.execv("/usr/local/bin/claude.real", sys.argv)
"""


async def flood() -> None:
    """The driver's work for one task must not be another's waiting."""
    async with demo_world() as world:
        image = _image_that_forges(world)
        try:
            private_folder(world.paths.state)
            person = Person(world, make_demo_repository(world.folder / "repository"))
            async with person.client:
                await _beside(person, "asks", _tool_call)
                await _beside(person, "falsehoods", _permission)
        finally:
            subprocess.run(["docker", "rmi", "-f", image], check=True, stdout=subprocess.DEVNULL)


def _image_that_forges(world: World) -> str:
    """Make the image of this world's settings one whose CLI has a companion; its tag."""
    bundle = world.folder / "no-certificates.crt"
    bundle.write_text(f"none {world.paths.instance}\n")
    with world.paths.config_file.open("a") as file:
        file.write(f'\n[image]\nca_file = "{bundle}"\n')
    tag = image_tag(ImageConfig(ca_file=str(bundle)))
    forger = base64.b64encode(_FORGER.encode()).decode()
    added = f"echo {forger} | base64 -d > claude && chmod 0755 claude"
    steps = [
        f"FROM {image_tag(ImageConfig())}",
        "USER root",
        f"RUN cd /usr/local/bin && mv claude claude.real && {added}",
    ]
    subprocess.run(
        ["docker", "build", "-q", "-t", tag, "-"],
        input="\n".join(steps).encode(),
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    return tag


async def _beside(person: Person, name: str, forged: Forged) -> None:
    """Print what an honest task's answers take, each beside a flood and beside nothing in turn."""
    flooding, honest = f"flood-{name}", f"honest-{name}"
    place = Path((await person.start(flooding, "say I begin.", "hang")).worktree)
    await person.start(honest, *(f"bash touch {number}" for number in range(2 * _ANSWERS)))
    beside: list[float] = []
    alone: list[float] = []
    async with aclosing(person.client.watch(honest)) as updates:
        for number in range(_ANSWERS):
            alone.append(await _answered(person, updates))
            flooded = partial(_say, place, number, forged)
            beside.append(await _answered(person, updates, flooded))
            await _taken(person, flooding, number)
    _say(place, _ANSWERS, forged)
    await asyncio.sleep(_APART)
    begun = time.perf_counter()
    await person.client.call(StopTask(flooding))
    stopped = time.perf_counter() - begun
    begun = time.perf_counter()
    await person.client.call(StopTask(honest))
    quiet = time.perf_counter() - begun
    for title, part in (("p50", 0.5), ("p99", 0.99)):
        here, there = quantile(beside, part), quantile(alone, part)
        print(
            f"{f'an answer beside {name}, {title}':<34} {(here - there) * 1000:+5.0f} ms"
            f"{' (wanted <= +50)' if title == 'p99' else ''}   "
            f"{here * 1000:.0f} ms flooded, {there * 1000:.0f} ms idle, n={len(alone)}"
        )
    alarms = person.store.tasks.get(flooding).alarm_count
    print(
        f"{f'stop of a flood of {name}':<34} {stopped:5.2f} s (wanted <= 2)   "
        f"{quiet:.2f} s of a quiet task, {alarms} alarms"
    )


async def _answered(
    person: Person, updates: AsyncGenerator[Update], before: Callable[[], None] | None = None
) -> float:
    """Seconds from an answer to the CLI's receipt of it, as this process is told of it."""
    ask = await _next(updates, lambda ask: ask.state is AskState.PENDING)
    if before is not None:
        before()
        await asyncio.sleep(_APART)
    begun = time.perf_counter()
    await person.answer(ask, Answer("allow"))
    await _next(updates, lambda now: now.id == ask.id and now.state is AskState.DELIVERED)
    return time.perf_counter() - begun


async def _next(updates: AsyncGenerator[Update], wanted: Callable[[Ask], bool]) -> Ask:
    async with asyncio.timeout(_PATIENCE):
        async for update in updates:
            if update.ask is not None and wanted(update.ask):
                return update.ask
    raise SystemExit("the watch ended")


def _say(place: Path, number: int, forged: Forged) -> None:
    """Let the task's sandbox say 2,000 lines."""
    lines = [json.dumps(forged(f"{number}-{line}")) + "\n" for line in range(_LINES)]
    written = place / f"{_FILE}-{number}"
    written.write_text("".join(lines))
    written.chmod(0o666)
    written.rename(place / _FILE)


async def _taken(person: Person, task: str, number: int) -> None:
    """Wait until the last line of a flood is in the journal, and then for a while."""
    archive = person.world.paths.task(task) / FILE_NAME
    last = f"{number}-{_LINES - 1}".encode()
    async with asyncio.timeout(_PATIENCE):
        while last not in archive.read_bytes()[-_TAIL:]:  # noqa: ASYNC110 - another process writes it
            await asyncio.sleep(0.1)
    await asyncio.sleep(_REST)


def _tool_call(request: str) -> dict[str, Any]:
    """As the CLI says that the model called ctui's own tool: 64 may be open, others are refused."""
    call = {"name": "ask_user", "arguments": {"question": "Which?"}}
    message = {"jsonrpc": "2.0", "method": "tools/call", "id": request, "params": call}
    asked = {"subtype": "mcp_message", "server_name": "ctui", "message": message}
    return {"type": "control_request", "request_id": request, "request": asked}


def _permission(request: str) -> dict[str, Any]:
    """As the CLI asks whether a tool may run; there is no such call, so it is an alarm."""
    asked = {"subtype": "can_use_tool", "tool_name": "Bash", "tool_use_id": request, "input": {}}
    return {"type": "control_request", "request_id": request, "request": asked}
