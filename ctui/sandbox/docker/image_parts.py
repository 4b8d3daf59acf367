"""Ingredients of the images of tasks: files, versions, and the hashes that name them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from ctui.config import ImageConfig
from ctui.paths import resource
from ctui.sandbox.docker.certificates import certificates
from ctui.sandbox.docker.toolchain import File, make_tar

CLAUDE_CODE_VERSION = "2.1.197"
"""Version of the CLI that the protocol of `ctui.claude` was checked against; `image.cli_version`
is another one."""

VERSIONS = {
    "CLAUDE_CODE_VERSION": CLAUDE_CODE_VERSION,
    "NODE_VERSION": "24.19.0",
    "UV_VERSION": "0.13.9",
    "PLAYWRIGHT_MCP_VERSION": "0.0.83",
    "FILESYSTEM_MCP_VERSION": "2026.8.31",
    "GITHUB_MCP_VERSION": "2025.4.8",
    "POSTGRES_MCP_VERSION": "0.6.2",
    "SQLITE_MCP_VERSION": "2025.4.25",
    "MCP_VERSION": "1.30.0",
}
"""Build arguments of all images: what comes from registries is pinned."""

_TREE = ("tree/Dockerfile", "tree/make_tree.py", "tree/finish.py")
_TREE_VERSIONS = ("CLAUDE_CODE_VERSION", "NODE_VERSION", "UV_VERSION")
_SHIM = "shims/package"
SHIMS = ("apk", "apt", "apt-get", "dnf", "sudo", "yum")
"""Names under which it stands early in the PATH of a task."""
_TASK = (
    "Dockerfile",
    *(
        f"relay/{name}.py"
        for name in ("__main__", "beside", "home", "kernel", "start_commands", "streams")
    ),
    *(
        f"relay/network/{name}.py"
        for name in (
            *("__init__", "dial", "joining", "listening", "main", "names", "way_in", "way_out"),
        )
    ),
    _SHIM,
)
_VARIANT = ("variants/Dockerfile", "variants/install", "variants/start", "variants/postgres.mjs")


def versions(config: ImageConfig) -> dict[str, str]:
    """Return the build arguments of all images of these settings."""
    return VERSIONS | ({"CLAUDE_CODE_VERSION": config.cli_version} if config.cli_version else {})


def own_parts(config: ImageConfig) -> str:
    """Return the hash of the CLI, the relay and their tools, whatever a machine trusts."""
    digest = hashlib.sha256()
    for name in (*_TREE, *_TASK):
        digest.update((_folder() / name).read_bytes())
    digest.update(_tree_versions(config))
    return digest.hexdigest()[:12]


def _tree_versions(config: ImageConfig) -> bytes:
    """Return what of the settings goes into the tree, beside its files."""
    return ("".join(versions(config)[name] for name in _TREE_VERSIONS) + config.updated).encode()


def layers(config: ImageConfig) -> hashlib._Hash:
    """Return the hash of what is laid on top of a base, to which more can be added."""
    digest = hashlib.sha256(own_parts(config).encode())
    for name, content in certificates(config).items():
        digest.update(name.encode() + content)
    return digest


def tree_tag(config: ImageConfig) -> str:
    """Return the name of the image with the CLI and its tools."""
    return f"ctui-tree:{_tree_digest(config).hexdigest()[:12]}"


def variant_tag(config: ImageConfig) -> str:
    """Return the name of the image that a variant of the default one is built on."""
    digest = _tree_digest(config)
    for name in _VARIANT:
        digest.update((_folder() / name).read_bytes())
    digest.update("".join(versions(config).values()).encode())
    return f"ctui-{config.variant}:{digest.hexdigest()[:12]}"


def tree_context(config: ImageConfig) -> bytes:
    """Return the files that the tree is built from, as a tar archive."""
    return _context(config, {name: name.removeprefix("tree/") for name in _TREE})


def variant_context(config: ImageConfig) -> bytes:
    """Return the files that a variant is built from, as a tar archive."""
    beside = {"variants/start": "servers/start", "variants/postgres.mjs": "servers/postgres.mjs"}
    own = {name: name.removeprefix("variants/") for name in _VARIANT}
    return _context(config, {**own, **beside})


def task_context(config: ImageConfig) -> bytes:
    """Return the files that are laid on top of a base, as a tar archive."""
    names = {name: name for name in _TASK if name != _SHIM}
    shim = File((_folder() / _SHIM).read_bytes(), 0o755)
    return _context(config, names, {f"shims/{name}": shim for name in SHIMS})


def _tree_digest(config: ImageConfig) -> hashlib._Hash:
    digest = hashlib.sha256(_tree_versions(config))
    for name in _TREE:
        digest.update((_folder() / name).read_bytes())
    for name, content in certificates(config).items():
        digest.update(name.encode() + content)
    return digest


def _context(
    config: ImageConfig, names: Mapping[str, str], more: Mapping[str, File] = MappingProxyType({})
) -> bytes:
    files = {inside: (_folder() / name).read_bytes() for name, inside in names.items()}
    files["certificates/README"] = b"Certificates of the host, as *.crt.\n"
    files.update(certificates(config))
    return make_tar({**{name: File(content) for name, content in files.items()}, **more})


def _folder() -> Path:
    return resource("docker")
