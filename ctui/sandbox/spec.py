"""A task's container as data: everything it may reach, and how much of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from ctui.sandbox.services import Service

HOME = "/home/claude"
GIT_DIRECTORY = "/ctui/git"
MANAGED = "/etc/claude-code"
"""Folder of settings that the CLI reads before all others; a task cannot write there."""

GATEWAY_FOLDER = "/ctui/gw"
"""Folder of the gateway's sockets in a sandbox."""
CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"
"""Bundle that every image of a task has."""
TRUST_VARIABLES = (
    *("SSL_CERT_FILE", "PIP_CERT", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "CARGO_HTTP_CAINFO"),
    *("GIT_SSL_CAINFO", "NODE_EXTRA_CA_CERTS"),
)
"""Variables by which programs are told of a bundle, some of which bring another one."""
NO_NETWORK = "none"
"""The engine's word for loopback only."""

LABEL_INSTANCE = "ctui.instance"
LABEL_TASK = "ctui.task"
LABEL_RUN = "ctui.run"
LABEL_SERVICE = "ctui.service"
"""Label with a service's name, or `HOLDER`; a sandbox has it empty, whatever its image says."""
LABEL_KEEPS = "ctui.keeps"
"""Label of a service that keeps what it writes, and so is asked to end."""
LABEL_VOLUME = "ctui.volume"
"""Label with the purpose of a volume; homes made before it have only their task's label."""


HOLDER = "(holder)"
"""In the place of a service's name: what owns the network of a task's sandbox and services."""


class Limits(msgspec.Struct, frozen=True):
    """Limits of memory, processors and processes of a task."""

    memory: int = 4 << 30
    """Bytes; swap is not added."""
    cpus: float = 2.0
    pids: int = 2048
    tmp: int = 2 << 30
    """Bytes of /tmp, which counts as memory."""


class Mount(msgspec.Struct, frozen=True):
    """A folder or file of the host, or a named volume."""

    source: str
    target: str
    read_only: bool = False
    kind: Literal["bind", "volume"] = "bind"


class SandboxSpec(msgspec.Struct, frozen=True, kw_only=True):
    """One container."""

    name: str
    image: str
    command: tuple[str, ...]
    uid: int
    gid: int
    env: Mapping[str, str]
    mounts: tuple[Mount, ...]
    network: str
    labels: Mapping[str, str]
    limits: Limits = Limits()
    network_of: str = ""
    """Name of the container whose network it shares, and which alone is on `network`."""
    services: tuple[Service, ...] = ()
    """Ready before it is made; it shares their network, under their names."""
    resolver: str = ""
    """Address that answers names, and the only one; "" leaves them to the engine."""
    hosts: Mapping[str, str] = {}
    """Names and their addresses, before any resolver."""
    authority: str = ""
    """A certificate, as PEM, that its programs trust beside those of the image."""
    directory: str = ""
    """The folder below the workspace in which its command starts; "" is the workspace."""
    debugger: bool = False
    """True if its processes may trace each other (ptrace)."""
    runtime: str = ""
    """The engine's runtime that makes it; "" is the engine's default."""
    entrypoint: tuple[str, ...] = ()
    """Instead of the relay; only for containers that are no task."""
    writable_root: bool = False
    """True for the set-up of an environment, whose image is kept; never for a task."""
    capabilities: tuple[str, ...] = ()
    """Rights of a set-up's root beyond none; never for a task."""
