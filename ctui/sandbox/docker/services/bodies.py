"""A holder and a service in the words of the engine's API: what they may, which is little."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ctui.paths import WORKSPACE
from ctui.sandbox.docker.container_body import names_of
from ctui.sandbox.docker.seccomp import profile
from ctui.sandbox.docker.services.image_facts import ImageFacts
from ctui.sandbox.docker.services.naming import labels_of, volume_name
from ctui.sandbox.docker.services.worktree_path import worktree_path
from ctui.sandbox.services import Service
from ctui.sandbox.spec import HOLDER, LABEL_INSTANCE, LABEL_TASK, SandboxSpec

BASH = "/ctui/tree/bin/bash"
"""The one shell that every image of a task has."""
LOOPBACK = "127.0.0.1"
CAPABILITIES = ("CHOWN", "DAC_OVERRIDE", "FOWNER", "SETGID", "SETUID")
"""Rights that the entrypoint of a database needs, to give its folder to the user that it becomes.

Of PostgreSQL's each was tried: CHOWN is needed where the folder is root's, the others always.
"""
_HOLDER_MEMORY = 64 << 20
_HOLDER_PIDS = 64
_SHARED_MEMORY = 256 << 20
"""Bytes of /dev/shm, which count as memory; databases want more than the engine's 64 MiB."""


def holder_body(spec: SandboxSpec) -> dict[str, Any]:
    """Return the body that creates the owner of the network: it waits, and does nothing else."""
    names = names_of(spec)
    services = [f"{service.name}:{LOOPBACK}" for service in spec.services]
    return {
        "Image": spec.image,
        "Entrypoint": [BASH, "-c", "read -r _"],
        "Cmd": [],
        "User": f"{spec.uid}:{spec.gid}",
        "WorkingDir": "/",
        "Hostname": spec.network_of[:63],
        "Labels": labels_of(spec, HOLDER),
        "OpenStdin": True,
        "StdinOnce": False,
        "Healthcheck": {"Test": ["NONE"]},
        "HostConfig": {
            **_sealed(spec),
            "NetworkMode": spec.network,
            **names,
            "ExtraHosts": [*names["ExtraHosts"], *services],
            "ReadonlyRootfs": True,
            "Memory": _HOLDER_MEMORY,
            "MemorySwap": _HOLDER_MEMORY,
            "PidsLimit": _HOLDER_PIDS,
        },
    }


def service_body(
    spec: SandboxSpec, service: Service, facts: ImageFacts, shared: Mapping[str, str]
) -> dict[str, Any]:
    """Return the body that creates a service in the holder's network.

    `shared` are the holder's files that all of its network have, by their path in a container: the
    sandbox believes them, so a service's root must not be able to write them.

    Raises:
        CtuiError: it reads what the worktree does not have.
    """
    body: dict[str, Any] = {
        "Image": service.image,
        "Env": [f"{name}={value}" for name, value in service.env.items()],
        "Labels": labels_of(spec, service.name, keeps=bool(kept_folders(service, facts))),
        # Whoever starts it looks if it is ready; the engine would go on to look for ever.
        "Healthcheck": {"Test": ["NONE"]},
        "HostConfig": {
            **_sealed(spec),
            "NetworkMode": f"container:{spec.network_of}",
            "Mounts": [
                *(_read_only(source, at, "rslave") for at, source in shared.items()),
                *_files(spec, service),
                *_volumes(spec, service, facts),
            ],
            "CapAdd": list(CAPABILITIES),
            "Memory": spec.limits.memory,
            "MemorySwap": spec.limits.memory,
            "ShmSize": min(_SHARED_MEMORY, spec.limits.memory // 4),
            "PidsLimit": spec.limits.pids,
        },
    }
    chosen = {
        "User": service.user,
        "WorkingDir": service.directory,
        "Cmd": list(service.command),
        "Entrypoint": list(service.entrypoint),
    }
    return {**body, **{key: value for key, value in chosen.items() if value}}


def kept_folders(service: Service, facts: ImageFacts) -> tuple[str, ...]:
    """Return the folders of a service that are kept as long as its task."""
    return tuple(dict.fromkeys((*service.kept, *(facts.volumes if service.keeps_data else ()))))


def _sealed(spec: SandboxSpec) -> dict[str, Any]:
    return {
        **({"Runtime": spec.runtime} if spec.runtime else {}),
        "CapDrop": ["ALL"],
        "SecurityOpt": ["no-new-privileges", f"seccomp={profile()}"],
        "NanoCpus": int(spec.limits.cpus * 1e9),
        # Of open files an engine allows what its administrator chose; databases want many.
        "Ulimits": [{"Name": "core", "Soft": 0, "Hard": 0}],
        "RestartPolicy": {"Name": "no"},
        "LogConfig": {"Type": "json-file", "Config": {"max-size": "8m", "max-file": "2"}},
    }


def _files(spec: SandboxSpec, service: Service) -> list[dict[str, Any]]:
    worktree = next((one.source for one in spec.mounts if one.target == WORKSPACE), "")
    return [
        _read_only(worktree_path(worktree, file.path, service.name), file.target)
        for file in service.files
    ]


def _read_only(source: str, target: str, propagation: str = "rprivate") -> dict[str, Any]:
    """Return a mount that nobody writes; an engine's own files it only gives as `rslave`."""
    return {
        "Type": "bind",
        "Source": source,
        "Target": target,
        "ReadOnly": True,
        "BindOptions": {"Propagation": propagation, "NonRecursive": True},
    }


def _volumes(spec: SandboxSpec, service: Service, facts: ImageFacts) -> list[dict[str, Any]]:
    instance, task = spec.labels[LABEL_INSTANCE], spec.labels[LABEL_TASK]
    return [
        {
            "Type": "volume",
            "Source": volume_name(instance, task, service.name, target),
            "Target": target,
        }
        for target in kept_folders(service, facts)
    ]
