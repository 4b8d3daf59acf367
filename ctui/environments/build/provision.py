"""The environment of a plan, ready to run in: taken as it is, built, or waited for."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from ctui.environments.freshness import moved_bases
from ctui.environments.plan import Plan
from ctui.environments.records import Environment, Records
from ctui.errors import Conflict, CtuiError
from ctui.paths import Paths
from ctui.sandbox.docker.environment_image import inspect_image
from ctui.sandbox.docker.image import image_tag
from ctui.sandbox.proxies import gateway_proxies, proxy_environment

if TYPE_CHECKING:
    from ctui.config import Config
    from ctui.sandbox.docker.engine import Engine

_AGAIN_SECONDS = 10.0
"""Between two loans: a driver that replaces one that was killed knows of none, and cuts it off."""

Lend = Callable[[str, str], Awaitable[Path]]
"""Returns the folder of an access for a build and its repository; called again and again."""


class Provision(NamedTuple):
    """Everything that a build on this machine takes."""

    paths: Paths
    config: Config
    network: str
    """The engine's network for what is unsealed."""
    task_uid: int
    """The user of tasks where this process is root; otherwise they have its own."""
    progress: Callable[[str], None] = lambda _: None
    lend: Lend | None = None
    """Lends a build what the tasks of its repository reach; None builds unsealed."""
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
            # What is said of ports changes nothing that is built.
            known = msgspec.structs.replace(known, ports=plan.found.definition.ports)
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
        built = [known.image, *(one.image for one in known.services if one.build)]
        for image in built:
            if await inspect_image(engine, image) is None:
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
    async with (
        _engine() as engine,
        build_network(given, plan.id, str(plan.repository.common_dir), engine) as net,
    ):
        builder = Builder(
            engine=engine,
            paths=given.paths,
            config=given.config,
            network=net.name,
            proxies=net.proxies,
            uid=given.task_uid if root else os.geteuid(),
            gid=given.task_uid if root else os.getegid(),
            progress=given.progress,
        )
        return await build_environment(builder, plan)


class BuildNetwork(NamedTuple):
    """The network of a build, as the engine names it, and the variables of its proxies."""

    name: str
    proxies: Mapping[str, str]


@asynccontextmanager
async def build_network(
    given: Provision, name: str, repository: str, engine: Engine
) -> AsyncIterator[BuildNetwork]:
    """Have the network of a build, or of a shell in what was built.

    Args:
        given: whether it is sealed, and how.
        name: of what it is for; nothing else has it at the same time.
        repository: whose rules of hosts count.
        engine: that builds.
    """
    from ctui.environments.build.network import sealed_network

    if given.lend is None:
        proxies = proxy_environment(engine=engine.endpoint.url, in_sandbox=True)
        yield BuildNetwork(given.network, proxies)
        return
    lend = given.lend
    folder = await lend(name, repository)

    async def keep() -> None:
        while True:
            await asyncio.sleep(_AGAIN_SECONDS)
            with suppress(CtuiError):
                await lend(name, repository)

    keeping = asyncio.create_task(keep())
    try:
        sealed = sealed_network(engine, given.paths, given.config.image, name, folder)
        async with sealed as network:
            yield BuildNetwork(network, gateway_proxies())
    finally:
        keeping.cancel()


@asynccontextmanager
async def _engine() -> AsyncIterator[Engine]:
    from ctui.sandbox.docker.engine import Engine

    engine = await Engine.connect()
    try:
        yield engine
    finally:
        await engine.close()
