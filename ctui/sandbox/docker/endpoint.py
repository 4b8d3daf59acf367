"""Address of the Docker engine, found as the docker command finds it, without starting it."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple
from urllib.parse import urlsplit

from ctui.errors import InvalidInput

DEFAULT_SOCKET = "/var/run/docker.sock"


class Tls(NamedTuple):
    """The files of a mutual TLS connection."""

    ca: str
    certificate: str
    key: str


class Endpoint(NamedTuple):
    """One engine.

    `unix`: `address` is the socket's path. `tcp`: `address` is host:port. `dial`: `command` is a
    process whose stdin and stdout are a connection (`docker system dial-stdio`), as for ssh.
    """

    kind: Literal["unix", "tcp", "dial"]
    address: str
    tls: Tls | None = None
    command: tuple[str, ...] = ()
    api: str = ""
    """The API version to speak, for example 1.44; empty for the engine's newest."""

    @property
    def url(self) -> str:
        """Return the engine's address as DOCKER_HOST would give it."""
        prefix = {"unix": "unix://", "tcp": "tcp://", "dial": ""}[self.kind]
        return prefix + self.address

    @property
    def identity(self) -> str:
        """Return its address with links of a socket's path followed: one engine has one."""
        return f"unix://{os.path.realpath(self.address)}" if self.kind == "unix" else self.url


def resolve_endpoint(environ: Mapping[str, str] | None = None) -> Endpoint:
    """Return the endpoint of DOCKER_HOST, of the docker context, or else of the default socket.

    Raises:
        InvalidInput: the context does not exist, or the address is of a kind ctui cannot use.
    """
    environ = os.environ if environ is None else environ
    if host := environ.get("DOCKER_HOST"):
        return _from_address(host, _tls_of_environment(environ))
    folder = Path(environ.get("DOCKER_CONFIG") or Path(environ.get("HOME", "/")) / ".docker")
    name = environ.get("DOCKER_CONTEXT") or _object(folder / "config.json").get("currentContext")
    if isinstance(name, str) and name not in {"", "default"}:
        return _from_context(folder, name)
    return Endpoint("unix", DEFAULT_SOCKET)


def _from_context(folder: Path, name: str) -> Endpoint:
    import hashlib

    digest = hashlib.sha256(name.encode()).hexdigest()
    meta = _object(folder / "contexts" / "meta" / digest / "meta.json")
    docker = meta.get("Endpoints", {}).get("docker", {})
    if not isinstance(docker.get("Host"), str):
        raise InvalidInput(
            f"the docker context {name!r} does not exist", hint="`docker context ls` shows them"
        )
    certificates = folder / "contexts" / "tls" / digest / "docker"
    tls = _tls_in(certificates) if certificates.is_dir() else None
    return _from_address(docker["Host"], tls, context=name)


def _from_address(address: str, tls: Tls | None, context: str = "") -> Endpoint:
    parts = urlsplit(address)
    if parts.scheme == "unix":
        return Endpoint("unix", parts.path or DEFAULT_SOCKET)
    if parts.scheme in {"tcp", "http", "https"}:
        port = parts.port or (2376 if tls else 2375)
        return Endpoint("tcp", f"{parts.hostname}:{port}", tls)
    if parts.scheme == "ssh":
        choose = ("--context", context) if context else ("--host", address)
        return Endpoint("dial", address, None, ("docker", *choose, "system", "dial-stdio"))
    raise InvalidInput(
        f"the engine address {address!r} is of no known kind", hint="use unix://, tcp:// or ssh://"
    )


def _tls_of_environment(environ: Mapping[str, str]) -> Tls | None:
    if not environ.get("DOCKER_TLS_VERIFY"):
        return None
    default = Path(environ.get("HOME", "/")) / ".docker"
    return _tls_in(Path(environ.get("DOCKER_CERT_PATH") or default))


def _tls_in(folder: Path) -> Tls:
    return Tls(str(folder / "ca.pem"), str(folder / "cert.pem"), str(folder / "key.pem"))


def _object(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}
