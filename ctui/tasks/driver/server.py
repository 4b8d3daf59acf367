"""The driver's side of its socket: calls in, replies and streams out."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import msgspec

from ctui import __version__, rpc
from ctui.errors import CtuiError, InvalidInput, NotFound, Refused
from ctui.sandbox.commands import SandboxCommands
from ctui.tasks import calls
from ctui.tasks.calls import Followed, Update
from ctui.tasks.driver.live_output import LiveOutput
from ctui.tasks.engine import TaskEngine
from ctui.tasks.journal.archive import Journal
from ctui.tasks.model import AskState

log = logging.getLogger(__name__)

_BEHIND = 8 << 20
"""Bytes that may wait for a slow client; beyond it the client reads from the disk instead."""


class _Beginning:
    """Changes since a new watcher's view of all that is was looked up."""

    def __init__(self, task: str) -> None:
        self.task = task
        self.lines: list[bytes] = []
        self._size = 0

    def add(self, line: bytes) -> bool:
        """Keep a line; return False if that is more than may wait for a slow client."""
        self.lines.append(line)
        self._size += len(line)
        return self._size <= _BEHIND


class Server:
    """All connections of the driver."""

    tasks: TaskEngine
    commands: SandboxCommands | None = None
    """The way into sandboxes, for what commands print; None shows nothing of that."""

    def __init__(
        self, hand_over: Callable[[], None], connection_ended: Callable[[], None], *, engine: str
    ) -> None:
        """Begin without connections; `engine` is the address of the one that all tasks are on."""
        self.engine = engine
        self.connections: set[asyncio.StreamWriter] = set()
        self._hand_over = hand_over
        self._connection_ended = connection_ended
        self._watchers: dict[asyncio.StreamWriter, str] = {}
        self._beginning: dict[asyncio.StreamWriter, _Beginning] = {}
        """Those that are still told all that is."""
        self._outputs: dict[str, LiveOutput] = {}
        """Live output of the commands of each task that is followed."""

    def publish(self, update: Update) -> None:
        """Tell every watcher whom it concerns."""
        line = rpc.encode(update)
        subject = _subject(update)
        for writer, beginning in list(self._beginning.items()):
            if beginning.task in {"", subject} and not beginning.add(line):
                del self._beginning[writer]
                writer.transport.abort()
        for writer, task in list(self._watchers.items()):
            if task in {"", subject}:
                self._push(writer, line)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection, from hello to its end."""
        if not rpc.same_user(writer.get_extra_info("socket")):
            writer.close()
            return
        self.connections.add(writer)
        try:
            writer.write(rpc.encode(rpc.Hello(__version__, rpc.PROTOCOL, os.getpid())))
            await self._listen(reader, writer)
        except (OSError, CtuiError) as error:
            log.info("a connection ended: %s", error)
        finally:
            self._watchers.pop(writer, None)
            self.connections.discard(writer)
            writer.close()
            self._connection_ended()

    async def hang_up(self) -> None:
        for writer in list(self.connections):
            writer.close()

    async def _listen(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        pending: set[asyncio.Task[None]] = set()
        while line := await rpc.read_line(reader):
            try:
                request = msgspec.json.decode(line, type=rpc.Request)
            except msgspec.DecodeError as error:
                raise InvalidInput(f"not a request: {error}") from error
            if request.method == calls.Follow.method:
                await self._follow(request, reader, writer)
                return
            # A slow call must not hold up the ones behind it.
            job = asyncio.create_task(self._reply(request, writer))
            pending.add(job)
            job.add_done_callback(pending.discard)

    async def _reply(self, request: rpc.Request, writer: asyncio.StreamWriter) -> None:
        try:
            result = await self._call(request)
            reply = rpc.Reply(request.id, msgspec.Raw(msgspec.json.encode(result)))
        except CtuiError as error:
            reply = rpc.Reply(request.id, failure=rpc.failure_of(error))
        except Exception as error:  # the caller gets an answer whatever went wrong in here
            log.exception("call %s", request.method)
            failure = rpc.Failure("CtuiError", f"ctui made a mistake: {error!r}", "see driver.log")
            reply = rpc.Reply(request.id, failure=failure)
        with suppress(OSError):
            writer.write(rpc.encode(reply))
            if request.method == calls.Watch.method and reply.failure is None:
                await self._begin_watch(request, writer)
            await writer.drain()

    async def _call(self, request: rpc.Request) -> object:
        handler = _HANDLERS.get(request.method)
        if handler is None:
            raise InvalidInput(f"the driver has no method {request.method!r}")
        kind, method = handler
        try:
            call = msgspec.json.decode(request.params, type=kind)
        except msgspec.ValidationError as error:
            raise InvalidInput(f"{request.method}: {error}") from error
        return await method(self, call)

    async def _begin_watch(self, request: rpc.Request, writer: asyncio.StreamWriter) -> None:
        """Tell all that is, however much that is, and then every change."""
        wanted = msgspec.json.decode(request.params, type=calls.Watch).task
        beginning = self._beginning[writer] = _Beginning(wanted)
        try:
            for update in self._all(wanted):
                writer.write(rpc.encode(update))
                await writer.drain()
            if writer in self.connections:
                writer.writelines(beginning.lines)
                self._watchers[writer] = wanted
        except OSError:
            raise  # it went away
        except Exception:
            # It was told that it watches: without an end it would wait for ever.
            log.exception("a watcher cannot be told what there is")
            writer.transport.abort()
        finally:
            self._beginning.pop(writer, None)

    def _all(self, wanted: str) -> list[Update]:
        store = self.tasks.store
        tasks = [task for task in store.tasks.list() if wanted in {"", task.id}]
        asks = store.asks.list(AskState.PENDING, AskState.ANSWERED, task=wanted or None)
        present = calls.Present([task.id for task in tasks], [ask.id for ask in asks])
        first = [] if wanted else [Update(present=present)]
        return [*first, *(Update(task=one) for one in tasks), *(Update(ask=one) for one in asks)]

    def _push(self, writer: asyncio.StreamWriter, line: bytes) -> None:
        if writer.transport.get_write_buffer_size() > _BEHIND:
            # It connects again and gets everything as it is then.
            writer.transport.abort()
        else:
            writer.write(line)

    async def _follow(
        self, request: rpc.Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        try:
            call = msgspec.json.decode(request.params, type=calls.Follow)
            journal = self.tasks.journal(call.task)
        except (msgspec.ValidationError, CtuiError) as error:
            known = error if isinstance(error, CtuiError) else InvalidInput(str(error))
            writer.write(rpc.encode(rpc.Reply(request.id, failure=rpc.failure_of(known))))
            await writer.drain()
            return
        offset = journal.size
        result = msgspec.Raw(msgspec.json.encode(Followed(offset)))
        writer.write(rpc.encode(rpc.Reply(request.id, result)))
        viewer = _Viewer(journal, writer)
        try:
            journal.follow(viewer)
            self._show_output(call.task, journal)
            while await reader.read(1 << 16):
                pass  # a follower says nothing more; its silence ends with its connection
        finally:
            journal.unfollow(viewer)
            if not journal.followed and (output := self._outputs.pop(call.task, None)) is not None:
                output.close()
            self.tasks.rest_journal(call.task)

    def _show_output(self, task: str, journal: Journal) -> None:
        """Show those who follow a task what its commands print."""
        if self.commands is None or task in self._outputs:
            return

        def sandbox() -> tuple[str, int]:
            run = self.tasks.store.runs.last(task)
            if run is None or run.ended is not None:
                raise NotFound(f"{task} has no sandbox now")
            return run.container, run.number

        self._outputs[task] = LiveOutput(journal, self.commands, sandbox)


class _Viewer:
    """Follower for one connection, which skips to the archive when that one is slow."""

    def __init__(self, journal: Journal, writer: asyncio.StreamWriter) -> None:
        self._journal = journal
        self._writer = writer
        self._catching_up: asyncio.Task[None] | None = None

    def publish(self, frames: bytes) -> None:
        if self._catching_up is not None:
            return
        self._writer.write(frames)
        if self._writer.transport.get_write_buffer_size() > _BEHIND:
            self._catching_up = asyncio.create_task(self._catch_up())

    async def _catch_up(self) -> None:
        with suppress(OSError):
            await self._writer.drain()
            self._writer.write(rpc.Frame.SKIP + str(self._journal.size).encode() + b"\n")
            self._writer.write(self._journal.open_parts())
        self._catching_up = None


async def _start(server: Server, call: calls.StartTask) -> object:
    if call.engine not in {"", server.engine}:
        raise Refused(
            f"the driver of your tasks works with the engine {server.engine}, not {call.engine}",
            hint="unset DOCKER_HOST and DOCKER_CONTEXT, or stop all tasks: a minute after the last "
            "front end has gone, the driver exits, and the next one takes your engine",
        )
    return await server.tasks.start(call)


async def _send(server: Server, call: calls.SendMessage) -> object:
    return await server.tasks.send(call)


async def _answer(server: Server, call: calls.AnswerAsk) -> object:
    return await server.tasks.answer(call)


async def _interrupt(server: Server, call: calls.InterruptTask) -> object:
    return await server.tasks.interrupt(call)


async def _stop(server: Server, call: calls.StopTask) -> object:
    return await server.tasks.stop(call)


async def _resume(server: Server, call: calls.ResumeTask) -> object:
    return await server.tasks.resume(call)


async def _remove(server: Server, call: calls.RemoveTask) -> object:
    await server.tasks.remove(call)
    return None


async def _put_back(server: Server, call: calls.PutBackTask) -> object:
    return await server.tasks.put_back(call)


async def _mark_read(server: Server, call: calls.MarkRead) -> object:
    return await server.tasks.mark_read(call)


async def _hold_shell(server: Server, call: calls.HoldShell) -> object:
    return await server.tasks.hold_shell(call)


async def _watch(_server: Server, _call: calls.Watch) -> object:
    return None


async def _lend_network(server: Server, call: calls.LendNetwork) -> object:
    return str(await server.tasks.lend_network(call))


async def _rules_changed(server: Server, _: calls.RulesChanged) -> None:
    server.tasks.rules_changed()


async def _over(server: Server, _call: calls.HandOver) -> object:
    server._hand_over()  # noqa: SLF001 - the table below is part of the server
    return None


_HANDLERS: dict[str, tuple[type[Any], Callable[[Server, Any], Awaitable[object]]]] = {
    calls.StartTask.method: (calls.StartTask, _start),
    calls.SendMessage.method: (calls.SendMessage, _send),
    calls.AnswerAsk.method: (calls.AnswerAsk, _answer),
    calls.InterruptTask.method: (calls.InterruptTask, _interrupt),
    calls.StopTask.method: (calls.StopTask, _stop),
    calls.ResumeTask.method: (calls.ResumeTask, _resume),
    calls.RemoveTask.method: (calls.RemoveTask, _remove),
    calls.PutBackTask.method: (calls.PutBackTask, _put_back),
    calls.MarkRead.method: (calls.MarkRead, _mark_read),
    calls.HoldShell.method: (calls.HoldShell, _hold_shell),
    calls.Watch.method: (calls.Watch, _watch),
    calls.LendNetwork.method: (calls.LendNetwork, _lend_network),
    calls.RulesChanged.method: (calls.RulesChanged, _rules_changed),
    calls.HandOver.method: (calls.HandOver, _over),
}


def _subject(update: Update) -> str:
    if update.task is not None:
        return update.task.id
    return update.ask.task if update.ask is not None else update.removed
