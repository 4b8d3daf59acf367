"""The volumes of one instance: a home for each task, and what its environment asks for."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from ctui.errors import Conflict, CtuiError
from ctui.sandbox.docker.engine import Engine
from ctui.sandbox.spec import (
    HOME,
    LABEL_INSTANCE,
    LABEL_TASK,
    LABEL_VOLUME,
    Mount,
    SandboxSpec,
)

if TYPE_CHECKING:
    from docker.api.client import APIClient

VolumeKind = Literal["home", "npm-cache", "node-cache", "shared", "other"]

SHARED = "/shared"
"""Mount point of the folder that the tasks of a repository share, where that is switched on."""

_SHARED_NAME = re.compile(r"ctui-[0-9a-f]{8}-[0-9a-f]{12}-shared")
_SIZE_SECONDS = 20
"""Time limit of sizes, for which the engine walks through every volume."""


class Volume(msgspec.Struct, frozen=True, kw_only=True):
    """Volume that has this instance's label."""

    name: str
    kind: VolumeKind
    task: str | None
    """Id of the task that it is of; None for the shared caches of an older ctui."""
    size: int | None
    """Size in bytes, or None if the engine does not tell."""
    in_use: bool
    """True if a container has it, running or not."""
    created: int
    """Time in nanoseconds since the epoch, to the second."""


async def find_volumes(engine: Engine, instance: str) -> list[Volume]:
    """Return every volume of an instance by name, with its size if the engine tells it in time."""
    label = f"{LABEL_INSTANCE}={instance}"
    found = await engine.ask(lambda client: client.volumes(filters={"label": label}))
    used = await _used(engine)
    items = found.get("Volumes") or ()
    sizes = await _sizes(engine) if items else {}
    volumes = [_volume(item, used, sizes) for item in items]
    return sorted(volumes, key=lambda volume: volume.name)


async def users(engine: Engine, volume: str) -> list[Mapping[str, str]]:
    """Return the labels of every container that has a volume, running or not."""
    return [labels for names, labels in await _mounted(engine) if volume in names]


def shared_folder(instance: str, repository: str) -> Mount:
    """Return the mount of the folder that the tasks of a repository share."""
    digest = hashlib.sha256(repository.encode("utf-8", "surrogateescape")).hexdigest()[:12]
    return Mount(f"ctui-{instance[:8]}-{digest}-shared", SHARED, kind="volume")


def shared_kind(mount: Mount) -> VolumeKind | None:
    """Return the kind of a volume that several tasks have; None for a task's own.

    An environment can have a volume of its own there, whose name has the task's in it.
    """
    shared = mount.target == SHARED and _SHARED_NAME.fullmatch(mount.source)
    return "shared" if shared else None


async def ensure_shared(
    engine: Engine, instance: str, image: str, name: str, kind: VolumeKind
) -> None:
    """Make a volume that every task can write.

    An empty volume takes the mode of the folder that it is first mounted over, when the container
    is created. The image's home is writable for every uid, so a container that never starts
    mounts the caches there.
    """
    await engine.ensure_volume(name, {LABEL_INSTANCE: instance, LABEL_VOLUME: kind})
    spec = SandboxSpec(
        name="",
        image=image,
        command=("true",),
        uid=0,
        gid=0,
        env={},
        mounts=(Mount(name, HOME, kind="volume"),),
        network="none",
        labels={LABEL_INSTANCE: instance},
    )
    await engine.remove(await engine.create(spec))


async def ensure_own(engine: Engine, name: str, labels: Mapping[str, str]) -> None:
    """Make a volume of one task where it is not there.

    A repository names volumes of its tasks, and can so guess the name of another task's home.

    Raises:
        Conflict: there is one of that name that is not this task's.
    """
    await engine.ensure_volume(name, labels)
    found = await engine.ask(lambda client: client.inspect_volume(name))
    there: Mapping[str, str] = found.get("Labels") or {}
    if any(there.get(label) != labels.get(label) for label in (LABEL_INSTANCE, LABEL_TASK)):
        raise Conflict(
            f"the volume {name} is somebody else's",
            hint=f"give the task or its volume another name, or `docker volume rm {name}`",
        )


async def _used(engine: Engine) -> set[str]:
    return {name for names, _ in await _mounted(engine) for name in names}


async def _mounted(engine: Engine) -> list[tuple[set[str], Mapping[str, str]]]:
    containers = await engine.ask(lambda client: client.containers(all=True))
    return [(set(_names(item.get("Mounts") or ())), item["Labels"] or {}) for item in containers]


def _names(mounts: Iterable[Mapping[str, Any]]) -> list[str]:
    return [str(mount["Name"]) for mount in mounts if mount.get("Type") == "volume"]


async def _sizes(engine: Engine) -> dict[str, int]:
    """Return the bytes of each volume that the engine has measured, by name."""

    def ask(client: APIClient) -> dict[str, Any]:
        # Of the volumes alone: the SDK's `df` has images and build caches measured too.
        url = f"{client.base_url}/v{client.api_version}/system/df"
        answer = client.get(url, params={"type": "volume"}, timeout=_SIZE_SECONDS)
        answer.raise_for_status()
        found = answer.json()
        return found if isinstance(found, dict) else {}

    try:
        found = await engine.ask(ask)
    except CtuiError:
        return {}
    measured = {item["Name"]: item.get("UsageData") or {} for item in found.get("Volumes") or ()}
    # -1 stands for "not known" (the engine's UsageData).
    return {name: usage["Size"] for name, usage in measured.items() if usage.get("Size", -1) >= 0}


def _volume(item: Mapping[str, Any], used: set[str], sizes: Mapping[str, int]) -> Volume:
    labels = item.get("Labels") or {}
    name, task = str(item["Name"]), labels.get(LABEL_TASK) or None
    return Volume(
        name=name,
        kind=_kind(labels.get(LABEL_VOLUME, "home" if task else "")),
        task=task,
        size=sizes.get(name),
        in_use=name in used,
        created=_time(str(item.get("CreatedAt", ""))),
    )


def _kind(label: str) -> VolumeKind:
    match label:
        case "home" | "npm-cache" | "node-cache" | "shared":
            return label
    return "other"


def _time(text: str) -> int:
    try:
        return int(datetime.fromisoformat(text).timestamp()) * 1_000_000_000
    except ValueError:
        return 0
