"""The trust store of a task that reaches opened hosts: its image's own, and one certificate more.

A certificate of this home's is in no image: the bundle lies over the image's own, read-only.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from ctui.files import replace_file
from ctui.sandbox.docker.engine import Engine
from ctui.sandbox.docker.image_files import files_of
from ctui.sandbox.spec import CERTIFICATES, LABEL_INSTANCE, Mount, SandboxSpec

_OF_THE_TREE = "/ctui/tree/certificates.crt"
"""The bundle that comes with every image of a task."""
_LIMIT = 8 << 20


async def bundle_mounts(engine: Engine, spec: SandboxSpec, folder: Path) -> tuple[Mount, ...]:
    """Return the mount of the bundle, where the sandbox is to trust another certificate.

    Args:
        engine: that has the image.
        spec: of the sandbox.
        folder: keeps the bundles; that of an image and a certificate is made once.

    Raises:
        Unavailable: the engine does not answer.
    """
    image = await engine.image_id(spec.image) if spec.authority else None
    if image is None:
        return ()  # nothing is wanted, or making the container will say so
    named = hashlib.sha256(f"{image}\0{spec.authority}".encode()).hexdigest()[:16]
    place = folder / named / "ca-certificates.crt"
    if not place.is_file():
        owner = {LABEL_INSTANCE: spec.labels.get(LABEL_INSTANCE, "")}
        found = await files_of(engine, image, (CERTIFICATES, _OF_THE_TREE), owner, _LIMIT)
        own = found[CERTIFICATES] or found[_OF_THE_TREE]
        place.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        replace_file(place, own.rstrip() + b"\n" + spec.authority.encode(), mode=0o644)
    return (Mount(str(place), CERTIFICATES, read_only=True),)
