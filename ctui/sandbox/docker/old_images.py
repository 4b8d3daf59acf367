"""The images that ctui built, and which of them can be removed."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from ctui.config import ImageConfig
from ctui.sandbox.docker.engine import Engine
from ctui.sandbox.docker.environment_image import LABEL_ENVIRONMENT
from ctui.sandbox.docker.image import LABEL, LABEL_VARIANT, current_tags
from ctui.sandbox.spec import LABEL_INSTANCE

if TYPE_CHECKING:
    from docker.api.client import APIClient


class BuiltImage(msgspec.Struct, frozen=True, kw_only=True):
    """Image that a ctui built on this engine."""

    id: str
    tags: tuple[str, ...]
    """Tags, a current one first; empty if a newer image took the name over."""
    size: int
    """Size in bytes; other images may share a part of it."""
    created: int
    """Time in nanoseconds since the epoch, to the second."""
    current: bool
    """True if tasks run in it with today's settings, or if their image is built on it."""
    in_use: bool
    """True if a container was made from it."""
    own: bool
    """True if this ctui built it; images of another one are never removed."""
    variant: str = ""
    """Variant of ctui's own image that it is or is built on; empty for others."""

    @property
    def name(self) -> str:
        """Return a tag, or the beginning of the image's id."""
        return self.tags[0] if self.tags else self.id.removeprefix("sha256:")[:12]

    @property
    def old(self) -> bool:
        """Return True if it can go: this ctui built it, and nothing needs it."""
        return self.own and not self.current and not self.in_use


async def built_images(engine: Engine, config: ImageConfig, instance: str) -> list[BuiltImage]:
    """Return every image that a ctui built, newest first.

    Args:
        engine: that has them.
        config: decides which one is the current one.
        instance: of this ctui.

    Raises:
        Unavailable: `image.dockerfile` cannot be read, so nobody knows which one is current.
    """
    current = await asyncio.to_thread(current_tags, config)
    found = await engine.ask(lambda client: client.images(filters={"label": LABEL}))
    containers = await engine.ask(lambda client: client.containers(all=True))
    used = {item["ImageID"] for item in containers}
    # What an environment has kept has the labels of the image that it was set up in.
    others = [item for item in found if LABEL_ENVIRONMENT not in (item.get("Labels") or {})]
    images = [_image(item, current, used, instance) for item in others]
    return sorted(images, key=lambda image: (-image.created, image.name))


async def remove_image(engine: Engine, image: BuiltImage) -> None:
    """Remove an image with all its tags.

    Raises:
        Conflict: something needs it by now.
    """
    for name in image.tags or (image.id,):
        await engine.ask(partial(_remove, name))


def _remove(name: str, client: APIClient) -> None:
    client.remove_image(name)


def _image(item: Mapping[str, Any], current: set[str], used: set[str], instance: str) -> BuiltImage:
    # A removed name is "<none>:<none>" in engines before 25.
    tags = [tag for tag in item.get("RepoTags") or () if not tag.startswith("<none>")]
    return BuiltImage(
        id=item["Id"],
        tags=tuple(sorted(tags, key=lambda tag: (tag not in current, tag))),
        size=item["Size"],
        created=item["Created"] * 1_000_000_000,
        current=not current.isdisjoint(tags),
        in_use=item["Id"] in used,
        own=(item.get("Labels") or {}).get(LABEL_INSTANCE) == instance,
        variant=(item.get("Labels") or {}).get(LABEL_VARIANT, ""),
    )
