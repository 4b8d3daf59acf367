"""The MCP servers that a task gets beside ctui's own, from files in Claude Code's own form.

    {"mcpServers": {
        "github": {"type": "http", "url": "https://…", "headers": {"X-Api-Key": "${TOKEN}"}},
        "files": {"command": "npx", "args": ["-y", "…"], "env": {"API_KEY": "${keyring:files}"}}}}

What is kept of them holds references instead of secrets (`mcp_secrets`).
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar, get_args
from urllib.parse import urlsplit

from ctui.claude.mcp import json_lines, mcp_secrets
from ctui.claude.mcp.mcp_server import McpServer, Transport
from ctui.claude.protocol.control import TOOL_SERVER
from ctui.errors import InvalidInput
from ctui.small_file import read_small_file
from ctui.text import one_line

T = TypeVar("T")

_LIMIT = 1 << 18
_MOST_SERVERS = 50
_SERVER = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]|_(?!_)){0,63}(?<!_)")
"""Two underscores would end the server's name in `mcp__server__tool`."""

_TOOL = re.compile(r"mcp__(?P<server>.+?)__(?P<tool>[A-Za-z0-9_.-]{1,128})")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}")
"""Name of a header (RFC 9110, 5.1)."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_KEYS: Mapping[str, frozenset[str]] = {
    "stdio": frozenset({"type", "command", "args", "env"}),
    "http": frozenset({"type", "url", "headers"}),
    "sse": frozenset({"type", "url", "headers"}),
}
_NAMES = {str: "str", int: "int", float: "float", bool: "bool", list: "list", dict: "object"}


def read_mcp_servers(files: Iterable[Path]) -> dict[str, McpServer]:
    """Return the servers of all files, by name.

    Raises:
        InvalidInput: with the file, the path and the line of what is wrong.
    """
    found: dict[str, McpServer] = {}
    origin: dict[str, Path] = {}
    for file in files:
        for name, server in parse_mcp_servers(_read(file), str(file)).items():
            if name in found and origin[name] != file:
                raise InvalidInput(
                    f"the MCP server {name} is in {origin[name]} and in {file}",
                    hint="rename one of the two",
                )
            found[name], origin[name] = server, file
    return found


def parse_mcp_servers(text: str, source: str) -> dict[str, McpServer]:
    """Return the servers of one text; `source` names it in errors. As `read_mcp_servers`."""
    try:
        document = json_lines.parse(text)
    except InvalidInput as error:
        raise InvalidInput(f"{source}: {error.message}", hint="mend that line") from error
    return _Reader(document, source).servers()


def check_approval_tool(tool: str, servers: Mapping[str, McpServer]) -> None:
    """Refuse what cannot be the tool that a task's permission asks go to.

    Raises:
        InvalidInput: with the form, or the servers that there are.
    """
    match = _TOOL.fullmatch(tool)
    if match is None:
        raise InvalidInput(
            f"{one_line(repr(tool))} is no tool of an MCP server",
            hint="write it as mcp__<server>__<tool>",
        )
    server = match["server"]
    if server == TOOL_SERVER:
        raise InvalidInput(
            "ctui's own tools approve nothing", hint="without this option the inbox asks you"
        )
    if server not in servers:
        known = f"it has {', '.join(sorted(servers))}" if servers else "it has none"
        raise InvalidInput(
            f"the task has no MCP server {one_line(server)}: {known}",
            hint="name its file with --mcp-config",
        )


def _read(file: Path) -> str:
    try:
        return read_small_file(file, _LIMIT).decode()
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{file} is not UTF-8", hint="convert it first") from error
    except OSError as error:
        raise InvalidInput(f"{file} cannot be read: {error.strerror}") from error


class _Reader:
    """Reader of a document, whose errors say where it is wrong."""

    def __init__(self, document: json_lines.Document, source: str) -> None:
        self._document = document
        self._source = source

    def servers(self) -> dict[str, McpServer]:
        top = self._typed((), self._document.value, dict)
        for key in top:
            if key != "mcpServers":
                self._unknown((key,), {"mcpServers"})
        if "mcpServers" not in top:
            raise self._wrong((), "mcpServers is missing", 'write {"mcpServers": {…}}')
        servers = self._typed(("mcpServers",), top["mcpServers"], dict)
        if len(servers) > _MOST_SERVERS:
            raise self._wrong(("mcpServers",), f"more than {_MOST_SERVERS} servers")
        return {name: self._server(name, value) for name, value in servers.items()}

    def _server(self, name: str, value: object) -> McpServer:
        at: json_lines.Path = ("mcpServers", name)
        if name == TOOL_SERVER or not _SERVER.fullmatch(name):
            raise self._wrong(
                at,
                "is no name for a server",
                f"up to 64 letters, digits, - and single _; {TOOL_SERVER} is ctui's own",
            )
        fields = self._typed(at, value, dict)
        kind = self._kind(at, fields)
        for key in fields:
            if key not in _KEYS[kind]:
                self._unknown((*at, key), _KEYS[kind], f" in a server of type {kind}")
        if kind == "stdio":
            return McpServer(
                command=self._command(at, fields),
                args=self._arguments((*at, "args"), fields.get("args", [])),
                env=self._pairs((*at, "env"), fields.get("env", {}), _VARIABLE),
            )
        return McpServer(
            type=kind,
            url=self._url(at, fields),
            headers=self._pairs((*at, "headers"), fields.get("headers", {}), _HEADER),
        )

    def _kind(self, at: json_lines.Path, fields: dict[str, Any]) -> Transport:
        if "type" not in fields:
            if "url" in fields and "command" not in fields:
                raise self._wrong(at, "type is missing", 'write "type": "http", or "sse"')
            return "stdio"
        said = self._typed((*at, "type"), fields["type"], str)
        for known in get_args(Transport):
            if said == known:
                transport: Transport = known
                return transport
        raise self._wrong(
            (*at, "type"),
            f"expected stdio, http or sse, got {one_line(repr(said), 40)}",
            '"http" is the streamable one',
        )

    def _command(self, at: json_lines.Path, fields: dict[str, Any]) -> str:
        if "command" not in fields:
            raise self._wrong(
                at, "command is missing", "name the program, as it is in the task's image"
            )
        command = self._typed((*at, "command"), fields["command"], str)
        if not command.strip():
            raise self._wrong((*at, "command"), "is empty")
        self._on_a_command_line((*at, "command"), command, "")
        return command

    def _arguments(self, at: json_lines.Path, value: object) -> tuple[str, ...]:
        before = ""
        for number, item in enumerate(self._typed(at, value, list)):
            argument = self._typed((*at, number), item, str)
            self._on_a_command_line((*at, number), argument, before)
            before = argument
        return tuple(self._typed(at, value, list))

    def _on_a_command_line(self, at: json_lines.Path, text: str, before: str) -> None:
        how = "give it in env: everybody on the machine can read command lines"
        if "\0" in text:
            raise self._wrong(at, "has a NUL in it")
        if "${" in text:
            raise self._wrong(at, "a reference cannot be on a command line", how)
        name, equals, value = text.partition("=")
        if mcp_secrets.looks_secret(name if equals else before, value if equals else text):
            raise self._wrong(at, "looks like a secret", how)

    def _pairs(self, at: json_lines.Path, value: object, names: re.Pattern[str]) -> dict[str, str]:
        pairs = self._typed(at, value, dict)
        for name, item in pairs.items():
            here = (*at, name)
            if not names.fullmatch(name):
                raise self._wrong(here, "is no name for that")
            text = self._typed(here, item, str)
            if (names is _HEADER and _CONTROL.search(text)) or "\0" in text:
                raise self._wrong(here, "has control characters in it")
            self._by_reference(here, name, text)
        return pairs

    def _url(self, at: json_lines.Path, fields: dict[str, Any]) -> str:
        if "url" not in fields:
            raise self._wrong(at, "url is missing", "give the server's address")
        here = (*at, "url")
        url = self._typed(here, fields["url"], str)
        try:
            parts = urlsplit(url)
            host, password = parts.hostname, parts.password
        except ValueError:
            host = password = None
        if not url.startswith(("http://", "https://")) or not host or _CONTROL.search(url):
            raise self._wrong(here, "is no web address", "it begins with https:// or http://")
        self._by_reference(here, "password", password or "")
        for pair in urlsplit(url).query.split("&"):
            name, _, value = pair.partition("=")
            self._by_reference(here, name, value)
        return url

    def _by_reference(self, at: json_lines.Path, name: str, text: str) -> None:
        try:
            literal = mcp_secrets.literal_part(text)
        except InvalidInput as error:
            raise self._wrong(at, error.message, error.hint) from error
        if mcp_secrets.looks_secret(name, literal):
            variable = re.sub(r"\W+", "_", name).strip("_").upper() or "NAME"
            raise self._wrong(
                at,
                "looks like a secret",
                f'write "${{{variable}}}" and set that variable, or "${{keyring:NAME}}"',
            )

    def _typed(self, at: json_lines.Path, value: object, kind: type[T]) -> T:
        if type(value) is kind:
            return value
        got = "null" if value is None else _NAMES[type(value)]
        raise self._wrong(at, f"expected {_NAMES[kind]}, got {got}")

    def _unknown(self, at: json_lines.Path, known: Iterable[str], where: str = "") -> None:
        names = sorted(known)
        near = difflib.get_close_matches(str(at[-1]), names, 1)
        hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(names)}"
        raise self._wrong(at, f"is not known{where}", hint)

    def _wrong(self, at: json_lines.Path, what: str, hint: str = "mend that line") -> InvalidInput:
        line = self._document.lines.get(at, 1)
        path = one_line(json_lines.dotted(at), 120)
        return InvalidInput(f"{self._source}: {path}: {what} (line {line})", hint=hint)
