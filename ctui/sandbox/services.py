"""Services beside a sandbox as data: a database, a queue, whatever a project's tests talk to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

import msgspec

from ctui.errors import InvalidInput

WAIT_SECONDS = 60
"""So long a service may take until it is healthy, unless its definition says otherwise."""


class WorktreeMount(msgspec.Struct, frozen=True):
    """A file or folder of the worktree that a service can read."""

    path: str
    """Below the worktree; "" is all of it."""
    target: str


class ImageBuild(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A Dockerfile of the commit, and what it is built with."""

    dockerfile: str
    """Path in the commit."""
    context: str = ""
    """Folder of the commit that the build gets; "" is its root."""
    target: str = ""
    """The stage that is built; "" is the last one."""
    args: Mapping[str, str] = {}


class Service(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One service, which a task reaches by its name."""

    name: str
    image: str
    """Reference of its image; empty where that is built, and not yet."""
    build: ImageBuild | None = None
    """Build of its image; None for one that is ready."""
    env: Mapping[str, str] = {}
    command: tuple[str, ...] = ()
    """Empty for the image's own."""
    entrypoint: tuple[str, ...] = ()
    """Empty for the image's own."""
    user: str = ""
    """Name or number in the image; "" is the image's own."""
    directory: str = ""
    health: tuple[str, ...] = ()
    """Command in it that succeeds once it is healthy; empty for the image's own, or a port."""
    port: int = 0
    """Port that it listens on; 0 for those that its image exposes."""
    checked: bool = True
    """False where it only has to run."""
    wait: int = WAIT_SECONDS
    """Seconds until it must be healthy."""
    keeps_data: bool = False
    """True if what it writes into its image's volumes is kept as long as the task."""
    kept: tuple[str, ...] = ()
    """More folders in it that are kept as long as the task."""
    files: tuple[WorktreeMount, ...] = ()
    after: tuple[str, ...] = ()
    """Services that are healthy before it is started."""


def refuse_shared_ports(ports: Mapping[str, Sequence[int]], file: str) -> None:
    """Refuse two services that listen on one port: all of a task's share one network.

    Args:
        ports: of each service by its name.
        file: that says so; "" where an image does.

    Raises:
        InvalidInput: with both names.
    """
    owner: dict[int, str] = {}
    for name, own in ports.items():
        for port in dict.fromkeys(own):
            other = owner.setdefault(port, name)
            if other != name:
                begin = f"{file}: " if file else ""
                raise InvalidInput(
                    f"{begin}the services {other} and {name} both listen on {port}, and share one "
                    "network",
                    hint=f"let {name} listen on another port (by its command or env), and name "
                    "that as its `port`",
                )


def refuse_shadowing(
    services: Sequence[Service], server: str, variables: Mapping[str, str]
) -> None:
    """Refuse a service that has the name of a host to which the task sends what is secret.

    Args:
        services: of the task.
        server: address of the model's server; "" for the CLI's own.
        variables: of the task, among which its proxies are.

    Raises:
        InvalidInput: with the name.
    """
    names = {name for name in variables if name.upper().endswith("_PROXY")}
    proxies = [variables[name] for name in names if name.upper() != "NO_PROXY"]
    hosts = {_host(address) for address in (server, *proxies)}
    for service in services:
        if service.name in hosts:
            raise InvalidInput(
                f"the service {service.name} has the name of the task's own server or proxy",
                hint="give the service another name",
            )


def _host(address: str) -> str:
    try:
        return urlsplit(address if "//" in address else f"//{address}").hostname or ""
    except ValueError:
        return ""
