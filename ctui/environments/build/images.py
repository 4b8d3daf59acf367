"""Images that a definition names or builds: the one underneath, and those of services."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import msgspec

from ctui.environments.build.context import build_context
from ctui.environments.build.stages import Builder, Progress
from ctui.environments.definition.dockerfile import bases, refuse_fetching
from ctui.environments.plan import Plan
from ctui.sandbox.docker.engine import Engine
from ctui.sandbox.docker.environment_image import (
    LABEL_ENVIRONMENT,
    inspect_image,
    pull_image,
    service_tag,
)
from ctui.sandbox.services import ImageBuild, Service
from ctui.sandbox.spec import LABEL_INSTANCE


def named_bases(plan: Plan) -> list[str]:
    """Return the images that a definition, or one of its Dockerfiles, names as a base."""
    definition = plan.found.definition
    named = {definition.image: None} if definition.image else {}
    for build in definition.builds:
        named.update(dict.fromkeys(_bases(plan, build)))
    return list(named)


def _bases(plan: Plan, build: ImageBuild) -> list[str]:
    return bases(plan.dockerfiles[build.dockerfile], build.args, build.target)


async def image_ids(engine: Engine, names: Iterable[str]) -> dict[str, str]:
    """Return the ids of those images that the engine has, by their names."""
    found = {name: await engine.image_id(name) for name in names}
    return {name: one for name, one in found.items() if one is not None}


async def base_image(builder: Builder, plan: Plan) -> str:
    """Return the image that the definition names, built or pulled if need be; "" for ctui's own."""
    definition = plan.found.definition
    if definition.build:
        tag = f"ctui-env-base:{builder.paths.instance[:8]}-{plan.id}"
        await _build(builder, plan, definition.build, tag)
        return tag
    if definition.image:
        await require_harmless(builder.engine, definition.image, builder.progress)
    return definition.image


async def built_services(builder: Builder, plan: Plan) -> tuple[Service, ...]:
    """Build the images of services that have a Dockerfile; return all services with their images.

    Raises:
        CtuiError: one cannot be built.
    """
    made = []
    for service in plan.found.definition.services:
        if service.build:
            tag = service_tag(builder.paths.instance, plan.id, service.name)
            await _build(builder, plan, service.build, tag)
            made.append(msgspec.structs.replace(service, image=tag))
        else:
            made.append(service)
    return tuple(made)


async def _build(builder: Builder, plan: Plan, build: ImageBuild, tag: str) -> None:
    for image in _bases(plan, build):
        await require_harmless(builder.engine, image, builder.progress)
    context = await asyncio.to_thread(build_context, plan, build)
    builder.progress(f"building {build.dockerfile}")
    await builder.engine.build(
        context.archive,
        tag,
        {**builder.proxies, **build.args},
        {LABEL_ENVIRONMENT: plan.id, LABEL_INSTANCE: builder.paths.instance},
        builder.progress,
        network=builder.network,
        dockerfile=context.dockerfile,
        target=build.target,
    )


async def require_harmless(engine: Engine, image: str, progress: Progress) -> None:
    """Have an image on the engine whose own instructions for a build on it fetch nothing.

    Raises:
        Refused: they would, from where the host is.
        Unavailable, ExternalFailure: the image cannot be had.
    """
    if await engine.image_id(image) is None:
        await pull_image(engine, image, progress)
    found = await inspect_image(engine, image)
    for instruction in (found or {"Config": {}})["Config"].get("OnBuild") or ():
        refuse_fetching(str(instruction), image)
