"""A task's holder and services, from nothing to ready."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from ctui.errors import Conflict, CtuiError, ExternalFailure, NotFound
from ctui.sandbox.docker.engine import Engine
from ctui.sandbox.docker.services.bodies import holder_body, kept_folders, service_body
from ctui.sandbox.docker.services.image_facts import ImageFacts, facts_of
from ctui.sandbox.docker.services.naming import service_name, volume_name
from ctui.sandbox.docker.services.readiness import wait_ready
from ctui.sandbox.docker.volumes import ensure_own
from ctui.sandbox.services import Service, refuse_shared_ports
from ctui.sandbox.spec import (
    LABEL_INSTANCE,
    LABEL_SERVICE,
    LABEL_TASK,
    LABEL_VOLUME,
    SandboxSpec,
)

_SHARED = {
    "HostsPath": "/etc/hosts",
    "ResolvConfPath": "/etc/resolv.conf",
    "HostnamePath": "/etc/hostname",
}
"""Key under which the engine says the place of a container's file, and the file."""


async def bring_up(engine: Engine, spec: SandboxSpec) -> None:
    """Start a sandbox's services anew, and return once all are ready.

    Where it fails, or is cancelled, some are left: whoever closes the task finds them by label.

    Raises:
        CtuiError: what is missing, or which service is not ready.
    """
    facts = {one.name: await facts_of(engine, one) for one in spec.services}
    refuse_shared_ports({name: one.ports for name, one in facts.items()}, "")
    await _remove_old(engine, spec)
    await engine.ensure_network(spec.network, {LABEL_INSTANCE: spec.labels.get(LABEL_INSTANCE, "")})
    holder = await _made(engine, spec.network_of, holder_body(spec))
    await engine.start(holder)
    shared = await _shared_files(engine, holder)
    ready = {one.name: asyncio.Event() for one in spec.services}

    async def start(service: Service) -> None:
        for name in service.after:
            if name in ready:
                await ready[name].wait()
        await _start(engine, spec, service, facts[service.name], holder, shared)
        ready[service.name].set()

    try:
        async with asyncio.TaskGroup() as group:
            for service in spec.services:
                group.create_task(start(service))
    except BaseExceptionGroup as failed:  # the others were ended; the first says what is wrong
        raise failed.exceptions[0] from None


async def _start(
    engine: Engine,
    spec: SandboxSpec,
    service: Service,
    facts: ImageFacts,
    holder: str,
    shared: Mapping[str, str],
) -> None:
    instance, task = spec.labels[LABEL_INSTANCE], spec.labels[LABEL_TASK]
    for target in kept_folders(service, facts):
        kept = {LABEL_INSTANCE: instance, LABEL_TASK: task, LABEL_VOLUME: "service"}
        await ensure_own(engine, volume_name(instance, task, service.name, target), kept)
    body = await asyncio.to_thread(service_body, spec, service, facts, shared)
    try:
        container = await _made(engine, service_name(instance, task, service.name), body)
        await engine.start(container)
    except (NotFound, Conflict, ExternalFailure) as error:  # what it is to run cannot be run
        raise ExternalFailure(
            f"the service {service.name} cannot be started: {error.message}",
            hint="mend its command, user or image",
        ) from error
    await wait_ready(engine, service, facts, container, holder, task)


async def _shared_files(engine: Engine, holder: str) -> dict[str, str]:
    """Return the files that a holder gives to all of its network: their paths, here and there."""
    found = await engine.ask(lambda client: client.inspect_container(holder))
    return {target: str(found[key]) for key, target in _SHARED.items() if found.get(key)}


async def _remove_old(engine: Engine, spec: SandboxSpec) -> None:
    """Remove what an earlier attempt left: no sandbox of the task uses it."""
    own = {name: spec.labels.get(name, "") for name in (LABEL_INSTANCE, LABEL_TASK)}
    for one in await engine.find({**own, LABEL_SERVICE: ""}):
        if one.labels.get(LABEL_SERVICE):
            await engine.remove(one.id)


async def _made(engine: Engine, name: str, body: Mapping[str, Any]) -> str:
    """Create a container and return its id; whoever gives up here leaves none that appears later.

    Raises:
        CtuiError: what the engine said.
    """
    making = asyncio.ensure_future(
        engine.ask(lambda client: client.create_container_from_config(dict(body), name=name))  # type: ignore[no-untyped-call]
    )
    try:
        made = await asyncio.shield(making)
    except asyncio.CancelledError:
        with suppress(CtuiError):
            await making
        raise
    return str(made["Id"])
