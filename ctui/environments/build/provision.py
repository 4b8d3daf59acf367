"""The environment of a plan, ready to run in: taken as it is, built, or waited for."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, NamedTuple

from ctui.environments.freshness import moved_bases
from ctui.environments.plan import Plan
from ctui.environments.records import Environment, Records
from ctui.errors import Conflict
from ctui.paths import Paths
from ctui.sandbox.docker.environment_image import inspect_image
from ctui.sandbox.docker.image import image_tag

if TYPE_CHECKING:
    from ctui.config import Config
    from ctui.sandbox.docker.engine import Engine


class Provision(NamedTuple):
    """Everything that a build on this machine takes."""

    paths: Paths
    config: Config
    network: str
    """The network of tasks."""
    task_uid: int
    """The user of tasks where this process is root; otherwise they have its own."""
    progress: Callable[[str], None] = lambda _: None
    verify: bool = False
    """Look at the engine also where the record says that all is built."""


async def provision(given: Provision, plan: Plan) -> Environment:
    """Return the environment of a plan that the person has consented to, built if need be.

    Raises:
        CtuiError: it cannot be built.
    """
    records = Records(given.paths)
    while True:
        known = records.get(plan.id)
        if known and known.state == "ready" and await _is_current(known, given):
            await _have_services(known, given)
            records.touch(known)
            return known
        try:
            return await _build(given, plan)
        except Conflict:
            given.progress(f"waiting for another build of {plan.id}")
            lock = records.lock(plan.id)
            await lock.wait()
            with lock:
                continue


async def _is_current(known: Environment, given: Provision) -> bool:
    if known.made_with != await asyncio.to_thread(image_tag, given.config.image):
        return False
    if not given.verify:
        return True
    async with _engine() as engine:
        if await inspect_image(engine, known.image) is None:
            return False
        now = {name: await engine.image_id(name) for name in known.bases}
        return not moved_bases(known, now)


async def _have_services(known: Environment, given: Provision) -> None:
    """Have the images of its services again where somebody took them away."""
    if not given.verify or not known.services:
        return
    from ctui.environments.build.service_images import require_images

    async with _engine() as engine:
        await require_images(engine, known.services, given.progress)


async def _build(given: Provision, plan: Plan) -> Environment:
    from ctui.environments.build.building import build_environment
    from ctui.environments.build.stages import Builder

    root = os.geteuid() == 0
    async with _engine() as engine:
        builder = Builder(
            engine=engine,
            paths=given.paths,
            config=given.config,
            network=given.network,
            uid=given.task_uid if root else os.geteuid(),
            gid=given.task_uid if root else os.getegid(),
            progress=given.progress,
        )
        return await build_environment(builder, plan)


@asynccontextmanager
async def _engine() -> AsyncIterator[Engine]:
    from ctui.sandbox.docker.engine import Engine

    engine = await Engine.connect()
    try:
        yield engine
    finally:
        await engine.close()
