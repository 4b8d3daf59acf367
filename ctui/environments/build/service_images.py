"""Images of services: had before a task starts, and known to fit beside each other."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ctui.errors import ExternalFailure
from ctui.sandbox.docker.engine import Engine
from ctui.sandbox.docker.environment_image import pull_image
from ctui.sandbox.docker.services.image_facts import facts_of
from ctui.sandbox.services import Service, refuse_shared_ports


async def require_images(
    engine: Engine, services: Sequence[Service], progress: Callable[[str], None]
) -> None:
    """Have the images of services on the engine; no registry is asked for one that is there.

    Raises:
        ExternalFailure: one cannot be pulled.
        InvalidInput: two services listen on one port, or one has nothing to keep.
    """
    for service in services:
        if await engine.image_id(service.image) is None:
            try:
                await pull_image(engine, service.image, progress)
            except ExternalFailure as error:
                raise ExternalFailure(
                    f"the image {service.image} of the service {service.name} is not there, and "
                    f"cannot be pulled: {error.message}",
                    hint="check its name, or load it: docker load",
                ) from error
    ports = {one.name: (await facts_of(engine, one)).ports for one in services}
    refuse_shared_ports(ports, "")
