"""The gateway's socket for drivers: tables in, events out."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable
from typing import NamedTuple

import msgspec

from ctui import __version__, rpc
from ctui.errors import CtuiError
from ctui.gateway.asks import Asks
from ctui.gateway.model import (
    PROTOCOL,
    Decide,
    ForwardPort,
    FromGateway,
    Leave,
    OpenPort,
    PortAnswer,
    Serve,
    ToGateway,
)
from ctui.gateway.openings import Openings
from ctui.gateway.ports.forward import PortForward
from ctui.gateway.table import Table

log = logging.getLogger(__name__)

_BEHIND = 8 << 20
"""Bytes that may wait for a driver that does not read: it connects again, and is told anew."""

_decoder = msgspec.json.Decoder(ToGateway)


class Hands(NamedTuple):
    """Parts that a driver's messages are carried out with."""

    table: Table
    asks: Asks
    leave: Callable[[], None]


class Control:
    """All connections: of drivers, and of front ends that want a port opened.

    A driver is who has pushed a table; there are two while one replaces another.
    """

    def __init__(self, connection_ended: Callable[[], None]) -> None:
        self._ended = connection_ended
        self._writers: set[asyncio.StreamWriter] = set()
        self._drivers: set[asyncio.StreamWriter] = set()
        self._hands: Hands | None = None

    @property
    def connections(self) -> int:
        return len(self._writers)

    def use(self, hands: Hands) -> None:
        """Set what messages are carried out with; it is made after this, as it tells events."""
        self._hands = hands

    def tell(self, event: FromGateway) -> bool:
        """Tell every driver, and return False if there is none."""
        line = rpc.encode(event)
        for writer in list(self._drivers):
            if writer.transport.get_write_buffer_size() > _BEHIND:
                writer.transport.abort()
            else:
                writer.write(line)
        return bool(self._drivers)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection, from hello to its end."""
        hands = self._hands
        if hands is None or not rpc.same_user(writer.get_extra_info("socket")):
            writer.close()
            return
        writer.write(rpc.encode(rpc.Hello(__version__, PROTOCOL, os.getpid())))
        self._writers.add(writer)
        forwards: list[PortForward] = []
        try:
            while line := await rpc.read_line(reader):
                await self._take(hands, _decoder.decode(line), writer, forwards)
                await writer.drain()
        except (OSError, CtuiError, msgspec.DecodeError) as error:
            # No word of the message: it may have had a login in it.
            log.warning("a driver's connection ended: %s", type(error).__name__)
        finally:
            self._writers.discard(writer)
            self._drivers.discard(writer)
            writer.close()
            for forward in forwards:
                await forward.close()
            self._ended()

    def hang_up(self) -> None:
        for writer in list(self._writers):
            writer.close()

    async def _take(
        self,
        hands: Hands,
        message: ToGateway,
        writer: asyncio.StreamWriter,
        forwards: list[PortForward],
    ) -> None:
        match message:
            case Serve():
                writer.write(rpc.encode(await hands.table.serve(message)))
                if writer not in self._drivers:
                    self._drivers.add(writer)
                    self._tell_all(hands, writer)
            case Decide():
                hands.asks.decide(message)
            case Leave():
                hands.leave()
            case OpenPort(id=number) | ForwardPort(id=number):
                try:
                    url = await _opened(hands.table.openings, message, forwards)
                    answer = PortAnswer(number, url)
                except CtuiError as error:
                    answer = PortAnswer(number, problem=error.message, hint=error.hint)
                writer.write(rpc.encode(answer))

    def _tell_all(self, hands: Hands, writer: asyncio.StreamWriter) -> None:
        """Tell a driver that has come just now what it cannot know."""
        for wanted in hands.asks.open():
            writer.write(rpc.encode(wanted))
        for site in hands.table.sites:
            writer.write(rpc.encode(site.listening))


async def _opened(
    openings: Openings, wish: OpenPort | ForwardPort, forwards: list[PortForward]
) -> str:
    """Return the address of a port that was opened."""
    if isinstance(wish, OpenPort):
        return openings.link(wish.label, wish.port, elsewhere=wish.elsewhere)
    forward = await openings.forward(wish.label, wish.port, wish.local)
    forwards.append(forward)
    return f"127.0.0.1:{forward.local}"
