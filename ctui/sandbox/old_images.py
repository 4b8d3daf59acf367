"""The images that ctui has built, and which of them are in nobody's way any more."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from ctui.config import ImageConfig
from ctui.sandbox.docker import Engine
from ctui.sandbox.image import LABEL, current_tags
from ctui.sandbox.spec import LABEL_INSTANCE

if TYPE_CHECKING:
    from docker.api.client import APIClient


class BuiltImage(msgspec.Struct, frozen=True, kw_only=True):
    """An image that a ctui built on this engine."""

    id: str
    tags: tuple[str, ...]
    """Empty for one whose name went to a newer image."""
    size: int
    """Bytes, of which other images may have a part too."""
    created: int
    """Nanoseconds since the epoch, to the second."""
    current: bool
    """Whether tasks run in it with today's settings, or it lies underneath."""
    in_use: bool
    """Whether a container was made from it."""
    own: bool
    """Whether this ctui built it: another one's is never removed."""

    @property
    def name(self) -> str:
        """A tag, or the beginning of its id."""
        return self.tags[0] if self.tags else self.id.removeprefix("sha256:")[:12]

    @property
    def old(self) -> bool:
        """Whether it can go: this ctui built it, and nothing needs it."""
        return self.own and not self.current and not self.in_use


async def built_images(engine: Engine, config: ImageConfig, instance: str) -> list[BuiltImage]:
    """Every image that a ctui built, newest first.

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
    images = [_image(item, current, used, instance) for item in found]
    return sorted(images, key=lambda image: (-image.created, image.name))


async def remove_image(engine: Engine, image: BuiltImage) -> None:
    """Remove it with all its tags.

    Raises:
        Conflict: something needs it by now.
    """
    for name in image.tags or (image.id,):
        await engine.ask(partial(_remove, name))


def _remove(name: str, client: APIClient) -> None:
    client.remove_image(name)


def _image(item: Mapping[str, Any], current: set[str], used: set[str], instance: str) -> BuiltImage:
    # A removed name is "<none>:<none>" in engines before 25.
    tags = tuple(tag for tag in item.get("RepoTags") or () if not tag.startswith("<none>"))
    return BuiltImage(
        id=item["Id"],
        tags=tags,
        size=item["Size"],
        created=item["Created"] * 1_000_000_000,
        current=not current.isdisjoint(tags),
        in_use=item["Id"] in used,
        own=(item.get("Labels") or {}).get(LABEL_INSTANCE) == instance,
    )
