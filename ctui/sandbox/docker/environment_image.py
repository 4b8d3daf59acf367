"""Images of environments: their names, and whether one fits this ctui."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ctui.config import ImageConfig
from ctui.errors import ExternalFailure, NotFound, Unavailable
from ctui.sandbox.docker.base_image import Progress
from ctui.sandbox.docker.engine import Engine
from ctui.sandbox.docker.image import image_tag
from ctui.text import one_line

if TYPE_CHECKING:
    from docker.api.client import APIClient

_AGAIN = "`ctui env build --base COMMIT` with the task's base commit builds it again"

LABEL_ENVIRONMENT = "ctui.environment"
LABEL_MADE_WITH = "ctui.environment.image"
"""Label with the tag of ctui's own image at the time."""

LABEL_STAGE = "ctui.environment.failed"
"""Label of what a failed set-up left: `root` or `user`, whose step it was."""
LABEL_SHELL = "ctui.environment.shell"
"""Label of the container of a person's shell."""


def environment_tag(instance: str, environment: str) -> str:
    """Return the tag of an environment's image: two homes never share one."""
    return f"ctui-env:{instance[:8]}-{environment}"


def service_tag(instance: str, environment: str, service: str) -> str:
    """Return the tag of a service's image that was built with an environment."""
    return f"ctui-env-service:{instance[:8]}-{environment}-{service}"


def failed_tag(instance: str, environment: str) -> str:
    """Return the tag of what a failed set-up left."""
    return f"ctui-env-failed:{instance[:8]}-{environment}"


def image_names(item: Mapping[str, Any]) -> list[str]:
    """Return the names by which an entry of the engine's list is removed: tags, or its id.

    An image has no tag once a later build has taken that; "<none>:<none>" is one of engines
    before 25.
    """
    tags = [str(tag) for tag in item.get("RepoTags") or () if not tag.startswith("<none>")]
    return tags or [str(item["Id"])]


async def require_environment(
    engine: Engine, config: ImageConfig, instance: str, environment: str
) -> str:
    """Return the tag of an environment's image.

    Raises:
        Unavailable: it is not there, or another ctui built it.
    """
    tag = environment_tag(instance, environment)
    found = await inspect_image(engine, tag)
    if found is None:
        raise Unavailable(
            f"the image of the environment {environment} is not there",
            hint=_AGAIN,
        )
    labels = found["Config"].get("Labels") or {}
    if labels.get(LABEL_MADE_WITH) != await asyncio.to_thread(image_tag, config):
        raise Unavailable(
            f"the environment {environment} was built by another ctui or for other settings",
            hint=_AGAIN,
        )
    return tag


async def inspect_image(engine: Engine, image: str) -> Mapping[str, Any] | None:
    """Return what the engine says of an image, or None if it has none of that name."""

    def ask(client: APIClient) -> dict[str, Any]:
        found: dict[str, Any] = client.inspect_image(image)  # type: ignore[no-untyped-call]
        return found

    try:
        return await engine.ask(ask)
    except NotFound:
        return None


async def pull_image(engine: Engine, image: str, progress: Progress) -> None:
    """Pull an image from its registry.

    Raises:
        ExternalFailure: with what the engine said.
    """

    def pull(client: APIClient) -> str:
        said = ""
        name, tag = image, None
        if "@" not in image and ":" not in image.rpartition("/")[2]:
            tag = "latest"
        for part in client.pull(name, tag=tag, stream=True, decode=True):
            said = said or one_line(str(part.get("error", "")), 300)
            if status := str(part.get("status", "")):
                progress(one_line(f"{status} {part.get('id', '')}", 100))
        return said

    progress(f"pulling {image}")
    hint = "check its name, or load it: docker load"
    try:
        said = await engine.ask(pull)
    except NotFound as error:
        raise ExternalFailure(f"the image {image} cannot be pulled", hint=hint) from error
    if said:
        raise ExternalFailure(f"the image {image} cannot be pulled: {said}", hint=hint)


async def commit_container(engine: Engine, container: str, tag: str, changes: list[str]) -> None:
    """Keep what a container has written as an image.

    Args:
        engine: that has it.
        container: stopped or never started.
        tag: of the image.
        changes: instructions of a Dockerfile, such as `ENV A=b`.
    """
    name, _, version = tag.rpartition(":")

    def commit(client: APIClient) -> None:
        client.commit(container, repository=name, tag=version, changes=changes)

    await engine.ask(commit)
