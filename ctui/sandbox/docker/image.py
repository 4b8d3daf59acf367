"""The image that tasks run in, named by its ingredients, so that a stale one is noticed."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping
from pathlib import Path

from ctui.config import ImageConfig
from ctui.errors import Unavailable
from ctui.sandbox.docker import image_parts
from ctui.sandbox.docker.base_image import Progress, debian, pulled, require_fitting
from ctui.sandbox.docker.engine import Engine
from ctui.sandbox.docker.toolchain import toolchain_context
from ctui.sandbox.proxies import proxy_environment
from ctui.sandbox.spec import LABEL_INSTANCE

LABEL = "ctui.image"
LABEL_PARTS = "ctui.parts"
"""Label with the hash of the CLI, the relay and what they need, as `image_parts.own_parts`."""
LABEL_VARIANT = "ctui.variant"


def image_tag(config: ImageConfig) -> str:
    """Return `ctui:<hash of everything that goes into the image>`, or the ready-made one's name.

    Raises:
        Unavailable: `image.dockerfile`, a file beside it or `image.ca_file` cannot be read.
    """
    if config.name:
        return config.name
    digest = image_parts.layers(config)
    digest.update(config.base.encode())
    if config.dockerfile:
        digest.update(toolchain_context(Path(config.dockerfile).expanduser()))
    elif not config.base:
        digest.update(image_parts.variant_tag(config).encode())
    return f"ctui:{digest.hexdigest()[:12]}"


async def require_image(engine: Engine, config: ImageConfig) -> str:
    """Return the tag of the image that exists for these settings.

    Raises:
        Unavailable: it was not built yet, or what is there was built from other inputs.
    """
    tag = await asyncio.to_thread(image_tag, config)
    if config.name:
        await _require_ready_made(engine, config)
        return tag
    if await engine.image_id(tag) is not None:
        return tag
    if await engine.images(LABEL):
        raise Unavailable(
            "ctui's image is older than this ctui or your config", hint="run `ctui image build`"
        )
    raise Unavailable("ctui's image is not there yet", hint="run `ctui image build`")


async def build_image(
    engine: Engine, config: ImageConfig, progress: Progress, instance: str = ""
) -> str:
    """Build the image, or pull the ready-made one, unless it exists, and return its tag.

    Args:
        engine: that has it afterwards.
        config: what lies underneath.
        progress: told each step, from any thread.
        instance: who builds it, and may remove it when it is old; nobody if it is empty.

    Raises:
        Unavailable, ExternalFailure: with what the build said last.
    """
    tag = await asyncio.to_thread(image_tag, config)
    if config.name:
        await pulled(engine, config.name, "image.name", progress)
        await _require_ready_made(engine, config)
        progress(f"{tag} is up to date")
        return tag
    if await engine.image_id(tag) is not None:
        progress(f"{tag} is up to date")
        return tag
    base = await _base(engine, config, progress, instance)
    await engine.tag_image(await build_on(engine, config, base, progress, instance), tag)
    return tag


async def build_on(
    engine: Engine, config: ImageConfig, base: str, progress: Progress, instance: str = ""
) -> str:
    """Build the image of a task on top of another unless it exists, and return its tag.

    Args:
        engine: that has the base, and has the image afterwards.
        config: its CA bundle counts; its base and Dockerfile do not.
        base: reference of the image underneath.
        progress: told each step, from any thread.
        instance: as in `build_image`.

    Raises:
        Unavailable, ExternalFailure: with what the build said last.
    """
    below = await require_fitting(engine, base)
    digest = await asyncio.to_thread(image_parts.layers, config)
    digest.update(below.encode())
    tag = f"ctui:{digest.hexdigest()[:12]}"
    if await engine.image_id(tag) is not None:
        progress(f"{tag} is up to date")
        return tag
    tree = await _tree(engine, config, progress, instance)
    progress(f"building {tag} on {base}")
    parts = {LABEL_PARTS: await asyncio.to_thread(image_parts.own_parts, config)}
    await engine.build(
        await asyncio.to_thread(image_parts.task_context, config),
        tag,
        {"BASE_IMAGE": base, "TREE_IMAGE": tree},
        {LABEL: tag, **parts, **_owner(instance)},
        progress,
        network="none",  # nothing is downloaded, and a base may be anybody's
    )
    return tag


def current_tags(config: ImageConfig) -> set[str]:
    """Return the tags that these settings lead to: the image's, and those of what it is made of.

    Raises:
        Unavailable: as `image_tag`.
    """
    tags = {image_tag(config), image_parts.tree_tag(config)}
    if config.dockerfile:
        context = toolchain_context(Path(config.dockerfile).expanduser())
        tags.add(_toolchain_tag(context))
    elif not config.base:
        tags.add(image_parts.variant_tag(config))
    return tags


async def _require_ready_made(engine: Engine, config: ImageConfig) -> None:
    """Raise Unavailable unless the image is there, with the CLI and the relay of this ctui."""
    name = config.name
    labels = await engine.image_labels(name)
    if labels is None:
        raise Unavailable(
            f"the image {name} is not on the engine", hint="`ctui image build` pulls it"
        )
    if labels.get(LABEL_PARTS) != await asyncio.to_thread(image_parts.own_parts, config):
        what = "another ctui's" if LABEL_PARTS in labels else "no"
        raise Unavailable(
            f"the image {name} has {what} CLI and relay",
            hint=f'set image.base = "{name}" instead of image.name: they come on top of it',
        )


async def _base(engine: Engine, config: ImageConfig, progress: Progress, instance: str) -> str:
    """Return what the settings say to build on: it is made or pulled where it is not there."""
    if config.dockerfile:
        path = Path(config.dockerfile).expanduser()
        context = await asyncio.to_thread(toolchain_context, path)
        tag = _toolchain_tag(context)
        progress(f"building your {path.name}")
        proxies = proxy_environment(engine=engine.endpoint.url)
        labels = {LABEL: tag, **_owner(instance)}
        fresh = bool(config.updated)
        await engine.build(context, tag, proxies, labels, progress, fresh=fresh)
        return tag
    if config.base:
        return await pulled(engine, config.base, "image.base", progress)
    return await _variant(engine, config, progress, instance)


async def _variant(engine: Engine, config: ImageConfig, progress: Progress, instance: str) -> str:
    tag = await asyncio.to_thread(image_parts.variant_tag, config)
    if await engine.image_id(tag) is not None:
        return tag
    tree = await _tree(engine, config, progress, instance)
    progress(f"building {tag}, the variant {config.variant}")
    await engine.build(
        await asyncio.to_thread(image_parts.variant_context, config),
        tag,
        {
            "BASE_IMAGE": await debian(progress, config.updated),
            "TREE_IMAGE": tree,
            **image_parts.versions(config),
            **proxy_environment(engine=engine.endpoint.url),
        },
        {LABEL: tag, LABEL_VARIANT: config.variant, **_owner(instance)},
        progress,
        target=config.variant,
        fresh=bool(config.updated),
    )
    return tag


async def _tree(engine: Engine, config: ImageConfig, progress: Progress, instance: str) -> str:
    """Return the image with the CLI and what it needs of its own, which is built once for all."""
    tag = await asyncio.to_thread(image_parts.tree_tag, config)
    if await engine.image_id(tag) is not None:
        return tag
    base = await debian(progress, config.updated)
    progress(f"building {tag}, the CLI and its tools")
    arguments = {
        "BASE_IMAGE": base,
        "STAGE": tag,
        **image_parts.versions(config),
        **proxy_environment(engine=engine.endpoint.url),
    }
    context = await asyncio.to_thread(image_parts.tree_context, config)
    labels = {LABEL: tag, **_owner(instance)}
    await engine.build(context, tag, arguments, labels, progress, fresh=bool(config.updated))
    await engine.remove_stages(f"ctui.stage={tag}")
    return tag


def _owner(instance: str) -> Mapping[str, str]:
    return {LABEL_INSTANCE: instance} if instance else {}


def _toolchain_tag(context: bytes) -> str:
    return f"ctui-toolchain:{hashlib.sha256(context).hexdigest()[:12]}"
