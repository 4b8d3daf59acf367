"""MCP servers of a task: kept with references, handed to the CLI with what these stand for."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

import msgspec

from ctui.claude.mcp import mcp_secrets
from ctui.claude.mcp.mcp_server import McpServer


class Resolved(NamedTuple):
    """Servers as the CLI reads them. Holds secrets: it goes to the relay and nowhere else."""

    content: str
    secrets: tuple[str, ...]
    """Every value that was filled in."""
    skipped: tuple[str, ...] = ()
    """A line for each server that is left out, because what it refers to is missing."""

    def __repr__(self) -> str:
        return "Resolved(…)"


def variables_of(servers: Mapping[str, McpServer]) -> set[str]:
    """Return the names of the environment's variables that the servers refer to."""
    return mcp_secrets.variables(text for server in servers.values() for text in _texts(server))


def resolve_servers(
    servers: Mapping[str, McpServer],
    environ: Mapping[str, str],
    keyring: Callable[[str], str | None],
) -> Resolved:
    """Return the servers as the CLI reads them, with every reference filled in.

    A server that refers to what is not there is left out: the others do without it.

    Raises:
        LoginRequired: something that is referred to is unusable.
        Unavailable: the keyring does not answer.
    """
    secrets: list[str] = []
    skipped: list[str] = []

    def fill(text: str, where: str) -> str:
        filled, found = mcp_secrets.resolve(text, where, environ, keyring)
        secrets.extend(found)
        return filled

    written = {}
    for name, server in servers.items():
        where = f"the MCP server {name}"
        try:
            filled = msgspec.structs.replace(
                server,
                env={key: fill(text, where) for key, text in server.env.items()},
                headers={key: fill(text, where) for key, text in server.headers.items()},
                url=fill(server.url, where),
            )
        except mcp_secrets.MissingSecret as error:
            skipped.append(f"{error.message}, so it is left out: {error.hint}")
            continue
        written[name] = {"type": server.type, **msgspec.to_builtins(filled)}
    content = json.dumps({"mcpServers": written})
    return Resolved(content, tuple(secrets), tuple(skipped))


def _texts(server: McpServer) -> Iterator[str]:
    yield server.url
    yield from server.env.values()
    yield from server.headers.values()
