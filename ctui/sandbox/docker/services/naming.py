"""Names and labels of what stands beside a sandbox."""

from __future__ import annotations

import hashlib

from ctui.sandbox.spec import (
    LABEL_INSTANCE,
    LABEL_KEEPS,
    LABEL_RUN,
    LABEL_SERVICE,
    LABEL_TASK,
    SandboxSpec,
)


def holder_name(instance: str, task: str) -> str:
    """Return the name of the container that owns a task's network."""
    return f"ctui-{instance[:8]}-{task}-holder"


def service_name(instance: str, task: str, service: str) -> str:
    """Return the name of a service's container; a task whose id has a dot may find it taken."""
    return f"ctui-{instance[:8]}-{task}.{service}"


def volume_name(instance: str, task: str, service: str, target: str) -> str:
    """Return the name of a volume that a service keeps.

    Nobody who only chooses the names of volumes can choose it: half of what it is made of is the
    instance, of which names show only a part.
    """
    whole = f"{instance}\0{task}\0{service}\0{target}"
    return f"ctui-{instance[:8]}-{task}-service-{hashlib.sha256(whole.encode()).hexdigest()[:16]}"


def labels_of(spec: SandboxSpec, service: str, *, keeps: bool = False) -> dict[str, str]:
    """Return the labels of a container beside a sandbox; each is stronger than its image's."""
    own = {name: spec.labels.get(name, "") for name in (LABEL_INSTANCE, LABEL_TASK, LABEL_RUN)}
    return {**own, LABEL_SERVICE: service, LABEL_KEEPS: "yes" if keeps else ""}
