"""Facts that a service's image states: its volumes, its ports, and how to look if it is ready."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from ctui.errors import InvalidInput, Unavailable
from ctui.sandbox.docker.engine import Engine
from ctui.sandbox.docker.environment_image import inspect_image
from ctui.sandbox.services import Service

_MOST = 32


class ImageFacts(NamedTuple):
    """An image, as far as a service needs to know it."""

    volumes: tuple[str, ...] = ()
    ports: tuple[int, ...] = ()
    health: tuple[str, ...] = ()


async def facts_of(engine: Engine, service: Service) -> ImageFacts:
    """Return what an image says, or what the service says instead.

    Raises:
        Unavailable: the image is not on the engine.
        InvalidInput: it has no folder for the data that is to be kept.
    """
    found = await inspect_image(engine, service.image)
    if found is None:
        raise Unavailable(
            f"the image {service.image} of the service {service.name} is not there",
            hint="`ctui env build` pulls it; or `docker load` it",
        )
    facts = read_facts(found.get("Config") or {})
    if service.keeps_data and not facts.volumes:
        raise InvalidInput(
            f"the image {service.image} of the service {service.name} declares no volume to keep",
            hint='name the folder that is kept: data = "/var/lib/…"',
        )
    return facts._replace(
        ports=(service.port,) if service.port else facts.ports,
        health=service.health or facts.health,
    )


def read_facts(config: Mapping[str, Any]) -> ImageFacts:
    """Return what an image's configuration says; whoever made it is not to be trusted."""
    volumes = [str(one) for one in config.get("Volumes") or () if str(one).startswith("/")]
    named = (str(one).partition("/") for one in config.get("ExposedPorts") or ())
    ports = [int(one) for one, _, kind in named if one.isdecimal() and kind in {"", "tcp"}]
    return ImageFacts(
        tuple(sorted(volumes)[:_MOST]),
        tuple(sorted(one for one in ports if 0 < one <= 65535)[:_MOST]),
        _health(config.get("Healthcheck")),
    )


def _health(said: object) -> tuple[str, ...]:
    test = said.get("Test") if isinstance(said, dict) else None
    words = [str(word) for word in test] if isinstance(test, list) else []
    if words[:1] == ["CMD-SHELL"]:
        return "/bin/sh", "-c", " ".join(words[1:])
    return tuple(words[1:]) if words[:1] == ["CMD"] else ()
