"""A sandbox's description in the words of the engine's API."""

from __future__ import annotations

import posixpath
from typing import Any

from ctui.paths import WORKSPACE
from ctui.sandbox.docker.seccomp import profile
from ctui.sandbox.spec import HOME, Mount, SandboxSpec


def create_body(spec: SandboxSpec) -> dict[str, Any]:
    """Return the body of the engine's `POST /containers/create` (API 1.41 and newer)."""
    body: dict[str, Any] = {
        "Image": spec.image,
        "Cmd": list(spec.command),
        "Env": [f"{name}={value}" for name, value in {**spec.env, "HOME": HOME}.items()],
        "User": f"{spec.uid}:{spec.gid}",
        "WorkingDir": posixpath.join(WORKSPACE, spec.directory).rstrip("/"),
        # Who joins another's network has its name as well.
        **({} if spec.network_of else {"Hostname": spec.name[:63]}),
        "Labels": dict(spec.labels),
        # Nobody's leaving may close the CLI's stdin: that would end its turn.
        "OpenStdin": True,
        "StdinOnce": False,
        "Tty": False,
        "AttachStdin": False,
        "AttachStdout": False,
        "AttachStderr": False,
        "HostConfig": _host_config(spec),
    }
    if spec.entrypoint:
        body["Entrypoint"] = list(spec.entrypoint)
    return body


def _host_config(spec: SandboxSpec) -> dict[str, Any]:
    limits = spec.limits
    return {
        **({"Runtime": spec.runtime} if spec.runtime else {}),
        **_network(spec),
        "Mounts": [_mount(mount) for mount in spec.mounts],
        "Tmpfs": {"/tmp": f"rw,exec,nosuid,nodev,size={limits.tmp},mode=1777"},  # noqa: S108 - the container's own
        "ReadonlyRootfs": not spec.writable_root,
        "CapDrop": ["ALL"],
        "CapAdd": list(spec.capabilities),
        "SecurityOpt": ["no-new-privileges", f"seccomp={profile(debugger=spec.debugger)}"],
        "Memory": limits.memory,
        "MemorySwap": limits.memory,
        "NanoCpus": int(limits.cpus * 1e9),
        "PidsLimit": limits.pids,
        "Ulimits": [
            {"Name": "nofile", "Soft": 8192, "Hard": 16384},
            {"Name": "core", "Soft": 0, "Hard": 0},
        ],
        "RestartPolicy": {"Name": "no"},
        # The log is the journal of record: a daemon's default driver may rotate or cut lines.
        "LogConfig": {"Type": "json-file", "Config": {"max-size": "1000g", "max-file": "1"}},
    }


def _network(spec: SandboxSpec) -> dict[str, Any]:
    """Return where it is; who joins another's network has that one's resolver."""
    if spec.network_of:
        return {"NetworkMode": f"container:{spec.network_of}"}
    return {"NetworkMode": spec.network, **names_of(spec)}


def names_of(spec: SandboxSpec) -> dict[str, Any]:
    """Return how names are looked up by whoever owns the network."""
    return {
        # Without a search domain: a name is what was written, and nothing longer.
        **({"Dns": [spec.resolver], "DnsSearch": ["."]} if spec.resolver else {}),
        "ExtraHosts": [f"{name}:{address}" for name, address in spec.hosts.items()],
    }


def _mount(mount: Mount) -> dict[str, Any]:
    body: dict[str, Any] = {
        "Type": mount.kind,
        "Source": mount.source,
        "Target": mount.target,
        "ReadOnly": mount.read_only,
    }
    if mount.kind == "bind":
        body["BindOptions"] = {"Propagation": "rprivate"}
    return body
