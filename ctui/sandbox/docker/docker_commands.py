"""Commands in a container that runs, by the engine's exec: one socket for each, and no SDK.

docs.docker.com/reference/api/engine, "Exec". With a terminal its bytes come as they are; otherwise
in frames, for stdout and stderr apart.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from contextlib import suppress
from types import MappingProxyType
from typing import Any

from ctui.errors import CtuiError, NotFound, RunnerUnavailable
from ctui.sandbox.commands import Command, Size, Usage
from ctui.sandbox.docker.endpoint import Endpoint
from ctui.sandbox.docker.stream import Frames, body
from ctui.sandbox.docker.transport import Connection, connect, request
from ctui.sandbox.runner import Stream

_READ_SIZE = 1 << 16
_RESIZE_TRIES = 200
_RESIZE_SECONDS = 0.02
"""Pause between tries: an engine answers before the terminal is there."""
_EXIT_TRIES = 40
_EXIT_SECONDS = 0.05


class DockerCommands:
    """The containers of one engine."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint

    async def run(self, sandbox: str, command: Command) -> DockerProcess:
        """Start a command in a container; see `SandboxCommands`."""
        terminal = command.terminal is not None
        made = await call(
            self._endpoint,
            "POST",
            f"/containers/{sandbox}/exec",
            {
                "AttachStdin": True,
                "AttachStdout": True,
                "AttachStderr": True,
                "Tty": terminal,
                "Cmd": list(command.argv),
                "Env": [f"{name}={value}" for name, value in command.env.items()],
            },
        )
        number = str(made.get("Id", "")) if isinstance(made, dict) else ""
        connection = await connect(self._endpoint)
        try:
            await request(
                connection,
                "POST",
                f"/exec/{number}/start",
                {},
                body=json.dumps({"Detach": False, "Tty": terminal}).encode(),
                upgrade=True,
            )
        except BaseException:  # cancelled or not: nobody else would close it
            connection.close()
            raise
        process = DockerProcess(self._endpoint, connection, number, framed=not terminal)
        if command.terminal is not None:
            await process.resize(command.terminal)  # before it has asked how large it is
        return process

    async def usage(self, sandbox: str) -> Usage | None:
        """Return what the container takes; None where it does not run any more."""
        path, once = f"/containers/{sandbox}", {"stream": "0", "one-shot": "1"}
        try:
            stats, found = await asyncio.gather(
                call(self._endpoint, "GET", f"{path}/stats", query=once),
                call(self._endpoint, "GET", f"{path}/json", query={"size": "1"}),
            )
        except NotFound:
            return None
        memory = _part(stats, "memory_stats")
        if not _number(memory, "usage"):
            return None  # it has ended
        kept = _part(memory, "stats")
        free = _number(kept, "inactive_file") or _number(kept, "total_inactive_file")
        return Usage(
            cpu=_number(_part(_part(stats, "cpu_stats"), "cpu_usage"), "total_usage"),
            memory=max(0, _number(memory, "usage") - free),
            memory_limit=_number(memory, "limit"),
            processes=_number(_part(stats, "pids_stats"), "current"),
            layer=_number(found, "SizeRw") if isinstance(found, dict) else None,
        )

    async def is_running(self, sandbox: str) -> bool:
        """Return True while the container runs."""
        try:
            found = await call(self._endpoint, "GET", f"/containers/{sandbox}/json")
        except CtuiError:
            return False
        state = found.get("State") if isinstance(found, dict) else None
        return isinstance(state, dict) and bool(state.get("Running"))


class DockerProcess:
    """A command that the engine started."""

    def __init__(
        self, endpoint: Endpoint, connection: Connection, number: str, *, framed: bool
    ) -> None:
        self._endpoint = endpoint
        self._connection = connection
        self._path = f"/exec/{number}"
        self._frames = Frames() if framed else None

    async def read(self) -> list[tuple[Stream, bytes]]:
        """Return what it has said since, or nothing at its end."""
        try:
            while data := await self._connection.reader.read(_READ_SIZE):
                if self._frames is None:
                    return [("out", data)]
                if frames := list(self._frames.feed(data)):
                    return [("out" if of == "out" else "err", piece) for of, piece in frames]
        except OSError as error:
            hint = "is it restarting?"
            raise RunnerUnavailable("the Docker engine broke off", hint=hint) from error
        return []

    async def write(self, data: bytes) -> None:
        """Write to its stdin."""
        self._connection.writer.write(data)
        await self._connection.writer.drain()

    async def end_input(self) -> None:
        """Close its stdin; TLS has no way to close one direction, and there it stays open."""
        if self._connection.writer.can_write_eof():
            with suppress(OSError):
                self._connection.writer.write_eof()

    async def resize(self, size: Size) -> None:
        """Give its terminal a size, as soon as it is there."""
        cells = {"h": str(size.rows), "w": str(size.columns)}
        for _ in range(_RESIZE_TRIES):
            try:
                await call(self._endpoint, "POST", f"{self._path}/resize", query=cells)
            except CtuiError:
                if await self._has_ended():
                    return
                await asyncio.sleep(_RESIZE_SECONDS)
            else:
                return

    async def _has_ended(self) -> bool:
        """Return True once it is over, or could not be started: then nothing has a size."""
        with suppress(CtuiError):
            found = await call(self._endpoint, "GET", f"{self._path}/json")
            return isinstance(found, dict) and found.get("ExitCode") is not None
        return True

    async def exit_code(self) -> int | None:
        """Return its exit code; the engine may know it a moment after the end of the output."""
        for _ in range(_EXIT_TRIES):
            try:
                found = await call(self._endpoint, "GET", f"{self._path}/json")
            except CtuiError:
                return None
            if isinstance(found, dict) and not found.get("Running"):
                code = found.get("ExitCode")
                return code if isinstance(code, int) else None
            await asyncio.sleep(_EXIT_SECONDS)
        return None

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


def _part(value: Any, name: str) -> dict[str, Any]:
    found = value.get(name) if isinstance(value, dict) else None
    return found if isinstance(found, dict) else {}


def _number(value: dict[str, Any], name: str) -> int:
    found = value.get(name)
    return found if isinstance(found, int) else 0


async def call(
    endpoint: Endpoint,
    method: str,
    path: str,
    given: Any = None,
    query: Mapping[str, str] = MappingProxyType({}),
) -> Any:
    """Make a call of the engine's API, and return the JSON that it answers, or None."""
    connection = await connect(endpoint)
    try:
        content = b"" if given is None else json.dumps(given).encode()
        response = await request(connection, method, path, dict(query), body=content)
        chunked = response.headers.get("transfer-encoding") == "chunked"
        said = b"".join([part async for part in body(connection.reader, chunked=chunked)])
    finally:
        connection.close()
    try:
        return json.loads(said) if said.strip() else None
    except ValueError:
        return None
